"""Products and their variants."""

from decimal import Decimal
from typing import ClassVar

import msgspec

from domain.records.money import Money
from domain.records.record import Record, fold


class Variant(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One sellable form of a product. Prices and weights are complete, not differences from the product's."""

    kind: ClassVar[str] = "variant"

    sku: str = ""
    name: str = ""
    barcode: str = ""
    price: Money | None = None
    weight: Decimal | None = None
    is_active: bool = True

    @property
    def label(self) -> str:
        """The SKU, or the remote id where there is none."""
        return self.sku or f"#{self.remote_id}"

    @property
    def state(self) -> str:
        """``active`` or ``inactive``."""
        return "active" if self.is_active else "inactive"

    @property
    def link_keys(self) -> tuple[str, ...]:
        """SKU, then barcode."""
        return _link_keys(self.sku, self.barcode)


class Component(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a pack holds: the remote id of the sellable item and how many."""

    remote_id: str
    quantity: Decimal


class Product(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A product of the catalogue. Without variants it is itself what is sold and stocked.

    ``price`` is without tax, ``weight`` in kilograms; ``image_ids`` lists the images in the shop's order, cover first.
    """

    kind: ClassVar[str] = "product"

    sku: str = ""
    name: str = ""
    barcode: str = ""
    price: Money | None = None
    purchase_price: Money | None = None
    weight: Decimal | None = None
    is_active: bool = True
    is_virtual: bool = False
    description: str = ""
    manufacturer_id: str = ""
    supplier_id: str = ""
    image_ids: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def label(self) -> str:
        """The SKU, or the remote id where there is none."""
        return self.sku or f"#{self.remote_id}"

    @property
    def state(self) -> str:
        """``active`` or ``inactive``."""
        return "active" if self.is_active else "inactive"

    @property
    def link_keys(self) -> tuple[str, ...]:
        """SKU, then barcode."""
        return _link_keys(self.sku, self.barcode)

    @property
    def parts(self) -> tuple[Record, ...]:
        """The variants."""
        return self.variants


def _link_keys(sku: str, barcode: str) -> tuple[str, ...]:
    folded_sku, folded_barcode = fold(sku), fold(barcode)
    if folded_sku:
        return (f"sku:{folded_sku}", f"barcode:{folded_barcode}") if folded_barcode else (f"sku:{folded_sku}",)
    return (f"barcode:{folded_barcode}",) if folded_barcode else ()
