"""Suppliers, and which products they supply."""

from typing import ClassVar

from domain.records.money import Money
from domain.records.record import Record


class Supplier(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody the merchant buys from. Names are not unique."""

    kind: ClassVar[str] = "supplier"

    name: str
    is_active: bool = True

    @property
    def label(self) -> str:
        """The name."""
        return self.name


class ProductSupplier(Record, frozen=True, kw_only=True, omit_defaults=True):
    """That a supplier sells an item, under which reference and at what purchase price without tax."""

    kind: ClassVar[str] = "product_supplier"

    supplier_remote_id: str
    item_remote_id: str
    reference: str = ""
    purchase_price: Money | None = None

    @property
    def label(self) -> str:
        """The supplier's reference, or the link's own id."""
        return self.reference or f"#{self.remote_id}"
