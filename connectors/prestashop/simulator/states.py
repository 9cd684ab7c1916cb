"""What changing an order's state does."""

from decimal import Decimal

from connectors.prestashop.simulator import stock
from connectors.prestashop.simulator.memory import Mail, Memory
from connectors.prestashop.simulator.pricing import six
from connectors.prestashop.simulator.refusals import Fatal
from connectors.prestashop.simulator.schema import Row


def change_state(memory: Memory, order: int, state: int, *, sends_mail: bool, employee: int = 0) -> int:
    """Append to the history and follow every rule of the new state; returns the history row's id.

    Not idempotent. Fatal for an order or a state that does not exist; a deleted state is taken.
    """
    if order not in memory.tables["orders"] or state not in memory.tables["order_states"]:
        raise Fatal
    before = memory.number("orders", order, "current_state")
    new = memory.row("order_states", state)
    _move_stock(memory, order, before, state)
    now = memory.now()
    memory.update("orders", order, {"current_state": state, "valid": int(bool(new.get("logable"))), "date_upd": now})
    if new.get("invoice") and not memory.number("orders", order, "invoice_number"):
        add_invoice(memory, order)
    if new.get("paid"):
        pay_rest(memory, order)
    if new.get("delivery"):
        _deliver(memory, order)
    history = memory.insert(
        "order_histories", {"id_employee": employee, "id_order_state": state, "id_order": order, "date_add": now}
    )
    if sends_mail:
        mail_state(memory, order, state)
    return history


def given_up(memory: Memory) -> frozenset[int]:
    """The states that hold no stock: cancelled and payment error."""
    return frozenset(int(memory.configuration(name) or 0) for name in ("PS_OS_CANCELED", "PS_OS_ERROR"))


def _move_stock(memory: Memory, order: int, before: int, after: int) -> None:
    """Give back on the way to cancelled or error; take again only on the way from there to a logable state."""
    released = given_up(memory)
    is_logable = bool(memory.row("order_states", after).get("logable"))
    if before in released and is_logable:
        direction = -1
    elif before not in released and after in released:
        direction = 1
    else:
        return
    shop = memory.number("orders", order, "id_shop")
    for row in memory.tables["order_details"].related("id_order", order):
        stock.move(
            memory,
            int(str(row.get("product_id", 0))),
            direction * int(str(row.get("product_quantity", 0))),
            attribute=int(str(row.get("product_attribute_id", 0))),
            shop=shop,
        )


def add_invoice(memory: Memory, order: int) -> int:
    """An invoice with the next number, for an order that has none."""
    row = memory.row("orders", order)
    number = memory.next_number("order_invoices", "number")
    now = memory.now()
    copied = ("total_paid_tax_excl", "total_paid_tax_incl", "total_products", "total_products_wt")
    shipped = ("total_shipping_tax_excl", "total_shipping_tax_incl")
    invoice: Row = {name: row[name] for name in (*copied, *shipped) if name in row}
    identity = memory.insert(
        "order_invoices",
        {**invoice, "id_order": order, "number": number, "shop_address": memory.name, "date_add": now},
    )
    memory.update("orders", order, {"invoice_number": number, "invoice_date": now})
    for name in ("order_details", "order_carriers"):
        for one in memory.tables[name].related("id_order", order):
            memory.update(name, int(str(one["id"])), {"id_order_invoice": identity})
    return identity


def pay_rest(memory: Memory, order: int) -> None:
    """A payment of what is still open, if anything is."""
    row = memory.row("orders", order)
    paid = Decimal(str(row.get("total_paid_real", "0")))
    rest = Decimal(str(row.get("total_paid", "0"))) - paid
    if rest > 0:
        add_payment(memory, order, rest)
        memory.update("orders", order, {"total_paid_real": six(paid + rest)})


def add_payment(memory: Memory, order: int, amount: Decimal) -> int:
    """A payment, known only by the order's reference."""
    row = memory.row("orders", order)
    return memory.insert(
        "order_payments",
        {
            "order_reference": row.get("reference", ""),
            "id_currency": row.get("id_currency", 0),
            "amount": six(amount),
            "payment_method": row.get("payment", ""),
            "date_add": memory.now(),
        },
    )


def _deliver(memory: Memory, order: int) -> None:
    """A delivery number, once; the date is that of the last state that delivers."""
    changes: Row = {"delivery_date": memory.now()}
    if not memory.number("orders", order, "delivery_number"):
        changes["delivery_number"] = memory.next_number("orders", "delivery_number")
    memory.update("orders", order, changes)
    number = memory.number("orders", order, "delivery_number")
    for row in memory.tables["order_invoices"].related("id_order", order):
        memory.update(
            "order_invoices",
            int(str(row["id"])),
            {"delivery_number": number, "delivery_date": changes["delivery_date"]},
        )


def mail_state(memory: Memory, order: int, state: int) -> None:
    """The state's template to the customer; nothing when it has none."""
    row = memory.row("order_states", state)
    template = row.get("template", "")
    language = memory.number("orders", order, "id_lang")
    name = template.get(language, "") if isinstance(template, dict) else str(template)
    if name and row.get("send_email"):
        memory.send(Mail(customer_mail(memory, order), name, order))


def customer_mail(memory: Memory, order: int) -> str:
    """Where mails about an order go."""
    customer = memory.tables["customers"].get(memory.number("orders", order, "id_customer"))
    return str((customer or {}).get("email", ""))


def mail_tracking(memory: Memory, order: int, tracking: str, *, carrier: int) -> None:
    """The mail that says the parcel is on its way, with the carrier's tracking link."""
    row = memory.tables["carriers"].get(carrier) or {}
    link = str(row.get("url", "")).replace("@", tracking)
    memory.send(Mail(customer_mail(memory, order), "in_transit", order, link))


def show_tracking(memory: Memory, order: int) -> None:
    """Let the order show the number of its first parcel; its ``date_upd`` stays."""
    if order not in memory.tables["orders"]:
        return
    rows = memory.tables["order_carriers"].related("id_order", order)
    number = str(rows[0].get("tracking_number", "")) if rows else ""
    if memory.value("orders", order, "shipping_number") != number:
        memory.tables["orders"].update(order, {"shipping_number": number})
