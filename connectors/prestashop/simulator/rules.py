"""What saving and deleting means for each kind of entity, beyond its own row."""

from collections.abc import Callable

from connectors.prestashop.simulator import buying, states, stock
from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.product_rules import save_product
from connectors.prestashop.simulator.refusals import Fatal, Refused
from connectors.prestashop.simulator.schema import Resource
from connectors.prestashop.simulator.text import slug
from connectors.prestashop.simulator.wish import Wish

SINCE_REPEAT_IGNORED = (1, 7, 8)


def save(wish: Wish) -> int:
    """Save an entity by the rules of its kind; its id."""
    rule = SAVED.get(wish.resource.name)
    return rule(wish) if rule is not None else _plainly(wish)


def delete(memory: Memory, resource: Resource, identity: int) -> None:
    """Delete an existing entity, with what hangs on it."""
    if resource.name == "products":
        for name in ("combinations", "stock_availables", "product_suppliers"):
            _delete_related(memory, name, "id_product", identity)
    if resource.name == "orders":
        for name in ("order_details", "order_histories", "order_carriers", "order_invoices"):
            _delete_related(memory, name, "id_order", identity)
    product = memory.number(resource.name, identity, "id_product") if resource.name == "combinations" else 0
    memory.delete(resource.name, identity)
    if resource.name == "combinations":
        _delete_related(memory, "stock_availables", "id_product_attribute", identity)
        stock.sum_up(memory, product)


def _delete_related(memory: Memory, name: str, field: str, identity: int) -> None:
    for row in memory.tables[name].related(field, identity):
        memory.delete(name, int(str(row["id"])))


def _plainly(wish: Wish) -> int:
    if wish.identity:
        wish.memory.update(wish.resource.name, wish.identity, wish.values)
        return wish.identity
    return wish.memory.insert(wish.resource.name, dict(wish.values))


def _save_combination(wish: Wish) -> int:
    is_new = not wish.identity
    if wish.number("id_product") not in wish.memory.tables["products"]:
        raise Fatal
    identity = _plainly(wish)
    if is_new:
        stock.add_row(wish.memory, wish.number("id_product"), attribute=identity)
    return identity


def _save_stock(wish: Wish) -> int:
    memory = wish.memory
    if wish.number("depends_on_stock") or memory.number("stock_availables", wish.identity, "depends_on_stock"):
        refused = Refused(500, 133, "You cannot update the available stock when it depends on stock.")
        raise refused.and_then(500, 46, "Unable to save resource")
    product = wish.number("id_product")
    taken = stock.find_row(memory, product, attribute=wish.number("id_product_attribute"), shop=wish.number("id_shop"))
    if taken is not None and taken["id"] != wish.identity:
        raise Fatal
    before = memory.number("stock_availables", wish.identity, "id_product")
    memory.update("stock_availables", wish.identity, wish.values)
    if wish.number("id_product_attribute"):
        for one in {before, product}:
            stock.sum_up(memory, one)
    return wish.identity


def _save_supplied(wish: Wish) -> int:
    identity = tuple(wish.number(name) for name in ("id_product", "id_product_attribute", "id_supplier"))
    for row in wish.memory.tables["product_suppliers"].related("id_product", identity[0]):
        same = identity[1:] == (row.get("id_product_attribute", 0), row.get("id_supplier", 0))
        if same and row["id"] != wish.identity:
            raise Fatal
    return _plainly(wish)


def _save_supplier(wish: Wish) -> int:
    if "name" in wish.values:
        wish.values["link_rewrite"] = slug(str(wish.values["name"]))
    return _plainly(wish)


def _save_customer(wish: Wish) -> int:
    mail = wish.values.get("email")
    for row in wish.memory.tables["customers"].related("email", mail) if mail else ():
        if row["id"] != wish.identity and not row.get("deleted"):
            refused = Refused(500, 46, "Unable to save resource")
            raise refused.and_then(500, 140, "The email is already used, please choose another one")
    if not wish.identity:
        wish.values.setdefault("secure_key", f"{wish.memory.random.getrandbits(128):032x}")
    return _plainly(wish)


def _save_carrier(wish: Wish) -> int:
    is_new = not wish.identity
    identity = _plainly(wish)
    if is_new and not wish.values.get("id_reference"):
        wish.memory.tables["carriers"].update(identity, {"id_reference": identity})
    return identity


def _save_history(wish: Wish) -> int:
    if wish.identity:
        return _plainly(wish)
    return states.change_state(
        wish.memory,
        wish.number("id_order"),
        wish.number("id_order_state"),
        sends_mail=wish.sends_mail,
        employee=wish.number("id_employee"),
    )


def _save_order(wish: Wish) -> int:
    memory = wish.memory
    if not wish.identity:
        return buying.order_from_cart(memory, wish.values)
    before = memory.number("orders", wish.identity, "current_state")
    after = wish.values.pop("current_state", before)
    tracking = wish.posted.fields.get("shipping_number")
    memory.update("orders", wish.identity, wish.values)
    if tracking is not None:
        _track_first(memory, wish.identity, str(tracking))
    repeats = memory.version < SINCE_REPEAT_IGNORED and "current_state" in wish.posted.fields
    if isinstance(after, int) and after and (after != before or repeats):
        states.change_state(memory, wish.identity, after, sends_mail=True)
    return wish.identity


def _track_first(memory: Memory, order: int, tracking: str) -> None:
    """Silently without effect for orders that are not sent."""
    rows = memory.tables["order_carriers"].related("id_order", order)
    if rows:
        memory.update("order_carriers", int(str(rows[0]["id"])), {"tracking_number": tracking})
        states.show_tracking(memory, order)


def _save_parcel(wish: Wish) -> int:
    identity = _plainly(wish)
    order = wish.memory.number("order_carriers", identity, "id_order")
    states.show_tracking(wish.memory, order)
    if wish.sends_mail and order in wish.memory.tables["orders"]:
        tracking = str(wish.memory.value("order_carriers", identity, "tracking_number"))
        carrier = wish.memory.number("order_carriers", identity, "id_carrier")
        states.mail_tracking(wish.memory, order, tracking, carrier=carrier)
    return identity


SAVED: dict[str, Callable[[Wish], int]] = {
    "products": save_product,
    "combinations": _save_combination,
    "stock_availables": _save_stock,
    "product_suppliers": _save_supplied,
    "suppliers": _save_supplier,
    "customers": _save_customer,
    "carriers": _save_carrier,
    "order_histories": _save_history,
    "orders": _save_order,
    "order_carriers": _save_parcel,
}
