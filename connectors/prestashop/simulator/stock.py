"""The rules of stock rows."""

from connectors.prestashop.simulator.memory import DEFAULT_SHOP, Memory
from connectors.prestashop.simulator.schema import Row


def find_row(memory: Memory, product: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP) -> Row | None:
    """The stock row of a product (attribute 0) or of one of its combinations in a shop."""
    for row in memory.tables["stock_availables"].related("id_product", product):
        if row.get("id_product_attribute", 0) == attribute and row.get("id_shop", 0) == shop:
            return row
    return None


def add_row(memory: Memory, product: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP, quantity: int = 0) -> int:
    """A new stock row; the API cannot make one."""
    row: Row = {
        "id_product": product,
        "id_product_attribute": attribute,
        "id_shop": shop,
        "quantity": quantity,
        "out_of_stock": 2,
    }
    identity = memory.insert("stock_availables", row)
    sum_up(memory, product)
    return identity


def set_quantity(memory: Memory, row: Row, quantity: int) -> None:
    """Write a row's quantity, and the product's sum with it."""
    memory.update("stock_availables", int(str(row["id"])), {"quantity": quantity})
    if row.get("id_product_attribute", 0):
        sum_up(memory, int(str(row.get("id_product", 0))))


def move(memory: Memory, product: int, delta: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP) -> None:
    """Take from or give back to what can be sold. A missing row is no error to a shop."""
    row = find_row(memory, product, attribute=attribute, shop=shop)
    if row is not None:
        set_quantity(memory, row, int(str(row.get("quantity", 0))) + delta)


def sum_up(memory: Memory, product: int) -> None:
    """Write into every attribute-0 row of a product with combinations the sum of that shop's combination rows."""
    rows = memory.tables["stock_availables"].related("id_product", product)
    sums: dict[int, int] = {}
    has_combinations = False
    for row in rows:
        if row.get("id_product_attribute", 0):
            has_combinations = True
            shop = int(str(row.get("id_shop", 0)))
            sums[shop] = sums.get(shop, 0) + int(str(row.get("quantity", 0)))
    if not has_combinations:
        return
    for row in rows:
        if row.get("id_product_attribute", 0):
            continue
        total = sums.get(int(str(row.get("id_shop", 0))), 0)
        if row.get("quantity", 0) != total:
            memory.update("stock_availables", int(str(row["id"])), {"quantity": total})
