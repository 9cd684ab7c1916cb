"""Products, with combinations as variants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.prestashop.client.rows import (
    Broken,
    CombinationRow,
    ComponentRow,
    OptionRow,
    OptionValueRow,
    ProductRaw,
    ProductRow,
)
from connectors.prestashop.mapping.fields import (
    LONG,
    SHORT,
    ZERO,
    amount,
    barcode,
    flag,
    number,
    number_or_zero,
    problem,
    reference,
    text,
    translated,
)
from domain.errors import NeedsAttention, PlatformError, Skip
from domain.records import Component, Money, Product, Variant, fold

_KILOGRAMS = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "gr": Decimal("0.001"),
    "mg": Decimal("0.000001"),
    "t": Decimal(1000),
    "lb": Decimal("0.45359237"),
    "lbs": Decimal("0.45359237"),
    "oz": Decimal("0.028349523125"),
}
"""PS_WEIGHT_UNIT is free text; these are the ones in use."""


_DRAFT = ("0", 0)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the mapping of products needs to know about the shop."""

    currency: str
    language: str
    weight_unit: str
    options: Mapping[str, OptionRow]
    values: Mapping[str, OptionValueRow]
    parts: dict[str, tuple[Decimal, int, str]] = field(default_factory=dict)
    """Labels of values, kept once they are made."""


def product(raw: ProductRaw | Broken, catalogue: Catalogue) -> Product:
    """A product. Prices are without tax, in the shop's own currency. A draft that was never saved is skipped."""
    if type(raw) is Broken:
        raise unreadable(raw)
    assert type(raw) is ProductRaw
    row = raw.row
    if row.state in _DRAFT:
        raise Skip("The product is a draft that was never saved in the shop.", cause="draft")
    remote_id = str(row.id)
    sku = text(row.reference, "reference")
    name = translated(row.name, "name", catalogue.language)
    price = amount(row.price, "price")
    purchase_price = number_or_zero(row.wholesale_price, "wholesale_price")
    weight = number_or_zero(row.weight, "weight")
    scale = _KILOGRAMS.get(catalogue.weight_unit)
    is_active = flag(row.active)
    links = row.associations
    own_barcode = barcode(row.ean13, row.upc, row.isbn)
    currency = catalogue.currency
    variants: tuple[Variant, ...] = ()
    if raw.combinations:
        base = _Base(remote_id, name, sku, own_barcode, price, weight, is_active)
        variants = _variants(raw.combinations, base, catalogue, scale)
    return Product(
        remote_id=remote_id,
        sku=sku,
        name=name,
        barcode=own_barcode,
        price=Money(price, currency),
        purchase_price=Money(purchase_price, currency) if purchase_price > 0 else None,
        weight=_weight(weight, scale),
        is_active=is_active,
        is_virtual=flag(row.is_virtual),
        description=translated(row.description, "description", catalogue.language, LONG) if row.description else "",
        manufacturer_id=reference(row.id_manufacturer, "id_manufacturer"),
        supplier_id=reference(row.id_supplier, "id_supplier"),
        image_ids=_image_ids(row) if links is not None and links.images else (),
        components=tuple(map(_component, links.product_bundle)) if links is not None and links.product_bundle else (),
        variants=variants,
    )


def identify(raw: ProductRaw | Broken) -> tuple[str, str]:
    """The id and the SKU, as far as they can be read."""
    if isinstance(raw, Broken):
        return raw.id, raw.label or f"#{raw.id}"
    return str(raw.row.id), label(raw.row.reference, raw.row.id)


def label(value: object, remote_id: object) -> str:
    """What a person knows a record by: a short text, else its id."""
    found = str(value).replace("\0", "").strip()[:SHORT] if value else ""
    return found or f"#{remote_id}"


def unreadable(raw: Broken) -> NeedsAttention:
    """A row that could not even be decoded."""
    if raw.field:
        return problem(raw.field, f"cannot be read: {raw.message}")
    return NeedsAttention(
        f"The record cannot be read: {raw.message}",
        cause="unreadable_record",
        remedy="Open the record in the back office of the shop, look for strange characters in its texts and save it.",
    )


@dataclass(frozen=True, slots=True)
class _Base:
    remote_id: str
    name: str
    sku: str
    barcode: str
    price: Decimal
    weight: Decimal
    is_active: bool


def _variants(
    rows: list[CombinationRow | Broken], base: _Base, catalogue: Catalogue, scale: Decimal | None
) -> tuple[Variant, ...]:
    variants = []
    sole_sku = _fallback([getattr(row, "reference", None) for row in rows], base.sku)
    sole_barcode = _fallback([getattr(row, "ean13", None) or getattr(row, "upc", None) for row in rows], base.barcode)
    for row in rows:
        if type(row) is Broken:
            raise problem(f"combination {row.id}: {row.field or 'record'}", f"cannot be read: {row.message}")
        assert type(row) is CombinationRow
        place = f"combination {row.id}: "
        try:
            price = base.price + number_or_zero(row.price, "price")
            weight = base.weight + number_or_zero(row.weight, "weight")
            if price < 0:
                raise problem("price", "makes the price of the combination fall below zero")
            sku = text(row.reference, "reference") or sole_sku
            own_barcode = barcode(row.ean13, row.upc, row.isbn) or sole_barcode
            name = _name(base.name, row, catalogue)
        except PlatformError as error:
            if isinstance(error, NeedsAttention):
                raise _placed(error, place) from None
            raise
        variants.append(
            Variant(
                remote_id=f"{base.remote_id}-{row.id}",
                sku=sku,
                name=name,
                barcode=own_barcode,
                price=Money(price, catalogue.currency),
                weight=_weight(weight, scale),
                is_active=base.is_active,
            )
        )
    return tuple(variants)


def _placed(error: NeedsAttention, place: str) -> NeedsAttention:
    field = place + error.field
    return NeedsAttention(
        error.message.replace(f"'{error.field}'", f"'{field}'", 1), cause=error.cause, remedy=error.remedy, field=field
    )


def _fallback(own: list[object], of_product: str) -> str:
    """What a combination without a code of its own takes over from its product: only where it stands for one combination.

    Two variants of one SKU could not be told apart, so where several lack it, or another one bears it, all go without.
    """
    if not of_product:
        return ""
    texts = [fold(str(value)) if value and value != "0" else "" for value in own]
    return of_product if texts.count("") == 1 and fold(of_product) not in texts else ""


def _name(name: str, row: CombinationRow, catalogue: Catalogue) -> str:
    """As the shop writes it on orders: ``T-shirt (Size: S - Color: White)``. Combinations without any value exist."""
    if row.associations is None:
        return name
    parts = []
    for link in row.associations.product_option_values:
        value_id = str(link.id)
        part = catalogue.parts.get(value_id) or _part(value_id, catalogue)
        if part[2]:
            parts.append(part)
    if not parts:
        return name
    parts.sort()
    return f"{name} ({' - '.join(text for _, _, text in parts)})"


def _part(value_id: str, catalogue: Catalogue) -> tuple[Decimal, int, str]:
    """``Size: S``, and where it stands among others."""
    value = catalogue.values.get(value_id)
    if value is None:
        return ZERO, 0, ""
    option = catalogue.options.get(str(value.id_attribute_group))
    shown = translated(value.name, "product_option_values", catalogue.language)
    title = translated(option.name, "product_options", catalogue.language) if option is not None else ""
    order = number_or_zero(option.position, "position") if option is not None else ZERO
    group = int(reference(value.id_attribute_group, "id_attribute_group") or 0)
    found = catalogue.parts[value_id] = (order, group, f"{title}: {shown}" if title else shown)
    return found


def _weight(weight: Decimal, scale: Decimal | None) -> Decimal | None:
    """In kilograms; None where the shop's unit is not known. A shop writes 0 for a weight it does not know."""
    if scale is None or weight <= 0:
        return None
    return weight if scale == 1 else weight * scale


def _image_ids(row: ProductRow) -> tuple[str, ...]:
    """Image 34 of product 12 is ``12-34``. The cover first; the shop does not tell the order of the others."""
    assert row.associations is not None
    start = f"{row.id}-"
    found = [start + reference(image.id, "images") for image in row.associations.images]
    cover = f"{start}{row.id_default_image}"
    if found[0] != cover and cover in found:
        found.remove(cover)
        found.insert(0, cover)
    return tuple(found)


def _component(row: ComponentRow) -> Component:
    product_id, combination = reference(row.id, "product_bundle"), reference(row.id_product_attribute, "product_bundle")
    return Component(item_id(product_id, combination), number(row.quantity, "product_bundle"))


def item_id(product_id: str, combination: str) -> str:
    """The id of what is sold: ``12``, or ``12-34`` for a combination."""
    return f"{product_id}-{combination}" if combination else product_id
