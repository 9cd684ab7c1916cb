"""Valid records by default, one keyword away from odd ones."""

from datetime import UTC, datetime
from decimal import Decimal

from domain.records import Address, Customer, Money, Order, OrderLine, OrderStatus, Product, StockLevel, Totals, Variant

EUR = "EUR"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

PAID = OrderStatus(remote_id="2", name="Payment accepted", is_paid=True)
UNPAID = OrderStatus(remote_id="10", name="Awaiting bank wire payment")
CANCELLED = OrderStatus(remote_id="6", name="Canceled", is_cancelled=True)
SHIPPED = OrderStatus(remote_id="4", name="Shipped", is_paid=True, is_shipped=True)


def a_product(remote_id: str = "1", **changes: object) -> Product:
    """A simple product with a SKU of its own."""
    values: dict[str, object] = {
        "remote_id": remote_id,
        "sku": f"sku-{remote_id}",
        "name": f"Product {remote_id}",
        "price": Money(Decimal("10.00"), EUR),
    }
    return Product(**{**values, **changes})


def a_variant(remote_id: str = "1-1", **changes: object) -> Variant:
    """A variant with a SKU of its own."""
    values: dict[str, object] = {"remote_id": remote_id, "sku": f"sku-{remote_id}", "name": f"Variant {remote_id}"}
    return Variant(**{**values, **changes})


def a_line(item: str = "1", quantity: int = 1, **changes: object) -> OrderLine:
    """One piece of one item."""
    values: dict[str, object] = {
        "remote_id": f"line-{item}",
        "item_remote_id": item,
        "sku": f"sku-{item}",
        "name": f"Product {item}",
        "quantity": Decimal(quantity),
        "unit_price": Decimal("10.00"),
        "unit_price_with_tax": Decimal("12.00"),
    }
    return OrderLine(**{**values, **changes})


def an_order(remote_id: str = "100", **changes: object) -> Order:
    """A paid order of one piece, to be shipped by carrier 2."""
    values: dict[str, object] = {
        "remote_id": remote_id,
        "number": f"ORDER{remote_id}",
        "placed_at": NOON,
        "status": PAID,
        "customer": Customer(remote_id="3", email="ada@example.org", first_name="Ada", last_name="Martin"),
        "delivery": Address(line1="1 rue du Port", city="Nantes", postcode="44000", country="FR"),
        "currency": EUR,
        "totals": Totals(products=Decimal("12.00"), total=Decimal("12.00")),
        "lines": (a_line(),),
        "payment_method": "Bank wire",
        "shipping_code": "2",
        "shipping_name": "My carrier",
    }
    return Order(**{**values, **changes})


def a_level(item: str = "1", quantity: int = 5, **changes: object) -> StockLevel:
    """A stock row of an item."""
    values: dict[str, object] = {"remote_id": f"row-{item}", "item_remote_id": item, "quantity": Decimal(quantity)}
    return StockLevel(**{**values, **changes})
