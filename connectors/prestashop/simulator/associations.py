"""The lists inside entities that are worked out from other tables."""

from collections.abc import Callable

from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.schema import Association, Resource, Row

Item = dict[str, int | str]


def items(memory: Memory, resource: Resource, association: Association, row: Row) -> list[Item]:
    """The items of an association of this row, in the order of the database."""
    source = SOURCES.get((resource.name, association.name))
    if source is not None:
        return source(memory, row)
    stored = row.get(f"@{association.name}", ())
    return [one if isinstance(one, dict) else {"id": one} for one in stored] if isinstance(stored, tuple) else []


def _own_id(row: Row) -> int:
    identity = row["id"]
    return identity if isinstance(identity, int) else int(str(identity))


def _images(_memory: Memory, row: Row) -> list[Item]:
    stored = row.get("@images", ())
    return [{"id": one} for one in stored if isinstance(one, int)] if isinstance(stored, tuple) else []


def product_combinations(memory: Memory, product: int) -> list[Row]:
    """The combinations of a product; the default one comes last, as the index over both columns gives them."""
    rows = memory.tables["combinations"].related("id_product", product)
    return sorted(rows, key=lambda row: str(row.get("default_on")) == "1") if len(rows) > 1 else rows


def _combinations(memory: Memory, row: Row) -> list[Item]:
    return [{"id": _own_id(one)} for one in product_combinations(memory, _own_id(row))]


def _option_values(memory: Memory, row: Row) -> list[Item]:
    seen: dict[int, None] = {}
    for one in product_combinations(memory, _own_id(row)):
        values = one.get("@product_option_values", ())
        if isinstance(values, tuple):
            seen.update({value: None for value in values if isinstance(value, int)})
    return [{"id": value} for value in seen]


def _stock_rows(memory: Memory, row: Row) -> list[Item]:
    rows = memory.tables["stock_availables"].related("id_product", _own_id(row))
    return [
        {"id": _own_id(one), "id_product_attribute": str(one.get("id_product_attribute", 0))}
        for one in rows
        if one.get("id_shop") == 1
    ]


def _order_rows(memory: Memory, row: Row) -> list[Item]:
    table = memory.tables["order_details"]
    fields = (
        "product_id",
        "product_attribute_id",
        "product_quantity",
        "product_name",
        "product_reference",
        "product_ean13",
        "product_isbn",
        "product_upc",
        "product_price",
        "id_customization",
        "unit_price_tax_incl",
        "unit_price_tax_excl",
    )
    known = table.resource.by_name
    return [
        {"id": _own_id(one), **{name: str(one.get(name, known[name].default)) for name in fields if name in known}}
        for one in table.related("id_order", _own_id(row))
    ]


def _group_values(memory: Memory, row: Row) -> list[Item]:
    table = memory.tables["product_option_values"]
    return [{"id": _own_id(one)} for one in table.related("id_attribute_group", _own_id(row))]


def _brand_addresses(memory: Memory, row: Row) -> list[Item]:
    table = memory.tables["addresses"]
    return [{"id": _own_id(one)} for one in table.related("id_manufacturer", _own_id(row))]


def _child_categories(memory: Memory, row: Row) -> list[Item]:
    return [{"id": _own_id(one)} for one in memory.tables["categories"].related("id_parent", _own_id(row))]


def _category_products(memory: Memory, row: Row) -> list[Item]:
    category = _own_id(row)
    found: list[Item] = []
    for product in memory.tables["products"]:
        stored = product.get("@categories", ())
        if isinstance(stored, tuple) and category in stored:
            found.append({"id": _own_id(product)})
    return found


SOURCES: dict[tuple[str, str], Callable[[Memory, Row], list[Item]]] = {
    ("products", "images"): _images,
    ("products", "combinations"): _combinations,
    ("products", "product_option_values"): _option_values,
    ("products", "stock_availables"): _stock_rows,
    ("orders", "order_rows"): _order_rows,
    ("product_options", "product_option_values"): _group_values,
    ("manufacturers", "addresses"): _brand_addresses,
    ("categories", "categories"): _child_categories,
    ("categories", "products"): _category_products,
}
