"""Orders: what was sold, to whom, how it is paid and shipped."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from domain.records.customer import Address, Customer
from domain.records.money import Money
from domain.records.record import Record


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of an order: a snapshot. The item may have been deleted or renamed since.

    ``item_remote_id`` is the remote id of a product or variant; prices are per unit in the order's currency.
    """

    remote_id: str
    item_remote_id: str
    sku: str = ""
    name: str = ""
    barcode: str = ""
    quantity: Decimal
    unit_price: Decimal
    unit_price_with_tax: Decimal


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money received, in the order's currency unless it says otherwise."""

    amount: Money
    method: str = ""
    transaction: str = ""
    paid_at: datetime | None = None


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The remote status and what the system says it means."""

    remote_id: str
    name: str = ""
    is_paid: bool = False
    is_shipped: bool = False
    is_cancelled: bool = False
    is_known: bool = True


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Amounts with tax in the order's currency: products + shipping + wrapping - discounts = paid, to a cent per line."""

    products: Decimal
    shipping: Decimal = Decimal(0)
    wrapping: Decimal = Decimal(0)
    discounts: Decimal = Decimal(0)
    total: Decimal
    total_without_tax: Decimal = Decimal(0)


class Order(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An order as its shop tells it. ``number`` is what people quote, and need not be unique in the shop.

    ``shipping_code`` is the remote shipping method (empty for orders without delivery); which hub shipping method it
    stands for is the hub's own ``shipping_method``, filled in by the rules, as is ``fate``: open, shipped or cancelled.
    """

    kind: ClassVar[str] = "order"

    number: str
    placed_at: datetime
    status: OrderStatus
    customer: Customer
    delivery: Address | None = None
    billing: Address | None = None
    currency: str
    totals: Totals
    lines: tuple[OrderLine, ...]
    payment_method: str = ""
    payments: tuple[Payment, ...] = ()
    shipping_code: str = ""
    shipping_name: str = ""
    shipping_method: str = ""
    needs_shipping: bool = True
    gift_message: str = ""
    note: str = ""
    remarks: tuple[str, ...] = ()
    fate: str = "open"

    @property
    def state(self) -> str:
        """The hub's word: ``open``, ``shipped`` or ``cancelled``."""
        return self.fate

    @property
    def label(self) -> str:
        """The order number."""
        return self.number

    @property
    def occurred_at(self) -> datetime | None:
        """When it was placed."""
        return self.placed_at


class Shipment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A parcel that left for an order. ``remote_id`` is the hub's own number until a system gives one.

    ``order_remote_id`` is the order's id in the system the shipment is confirmed to; ``carrier`` the hub shipping method.
    """

    kind: ClassVar[str] = "shipment"

    order_remote_id: str
    order_number: str = ""
    carrier: str = ""
    tracking_number: str = ""
    shipped_at: datetime | None = None

    @property
    def label(self) -> str:
        """Order number and tracking number."""
        return f"{self.order_number} {self.tracking_number}".strip()
