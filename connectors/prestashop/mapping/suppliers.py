"""Suppliers, and what they supply."""

from collections.abc import Callable
from decimal import Decimal

from connectors.prestashop.client.rows import Broken, ProductSupplierRow, SupplierRow
from connectors.prestashop.mapping.fields import flag, number_or_zero, problem, reference, text
from connectors.prestashop.mapping.products import item_id, label, unreadable
from domain.records import Money, ProductSupplier, Supplier


def supplier(raw: SupplierRow | Broken) -> Supplier:
    """A supplier. Names are not unique."""
    if isinstance(raw, Broken):
        raise unreadable(raw)
    return Supplier(remote_id=str(raw.id), name=text(raw.name, "name"), is_active=flag(raw.active))


def identify_supplier(raw: SupplierRow | Broken) -> tuple[str, str]:
    """The id and the name."""
    if isinstance(raw, Broken):
        return raw.id, raw.label or f"#{raw.id}"
    return str(raw.id), label(raw.name, raw.id)


def product_supplier(raw: ProductSupplierRow | Broken, currency_of: Callable[[str], str]) -> ProductSupplier:
    """That a supplier sells an item. ``currency_of`` gives the code of a currency, empty where there is none of this id."""
    if isinstance(raw, Broken):
        raise unreadable(raw)
    product, seller = reference(raw.id_product, "id_product"), reference(raw.id_supplier, "id_supplier")
    if not product or not seller:
        raise problem("id_product" if not product else "id_supplier", "is empty")
    return ProductSupplier(
        remote_id=str(raw.id),
        supplier_remote_id=seller,
        item_remote_id=item_id(product, reference(raw.id_product_attribute, "id_product_attribute")),
        reference=text(raw.product_supplier_reference, "product_supplier_reference"),
        purchase_price=_price(raw, currency_of),
    )


def identify_product_supplier(raw: ProductSupplierRow | Broken) -> tuple[str, str]:
    """The id and the supplier's reference."""
    if isinstance(raw, Broken):
        return raw.id, raw.label or f"#{raw.id}"
    return str(raw.id), label(raw.product_supplier_reference, raw.id)


def _price(raw: ProductSupplierRow, currency_of: Callable[[str], str]) -> Money | None:
    price: Decimal = number_or_zero(raw.product_supplier_price_te, "product_supplier_price_te")
    if price < 0:
        raise problem("product_supplier_price_te", "is below zero")
    if not price:
        return None  # the shop writes 0 for a price it does not know
    code = currency_of(reference(raw.id_currency, "id_currency"))
    if not code:
        raise problem(
            "id_currency", "is a currency the shop does not have", cause=f"unknown_currency:{raw.id_currency}"
        )
    return Money(price, code)
