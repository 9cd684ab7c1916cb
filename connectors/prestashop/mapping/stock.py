"""Stock levels."""

from connectors.prestashop.client.rows import Broken, StockRow
from connectors.prestashop.mapping.fields import pieces, problem, reference
from connectors.prestashop.mapping.products import item_id, unreadable
from domain.records import StockLevel


def stock_level(raw: StockRow | Broken) -> StockLevel:
    """What can still be sold of an item: open orders are already subtracted. May be below zero."""
    if isinstance(raw, Broken):
        raise unreadable(raw)
    product = reference(raw.id_product, "id_product")
    if not product:
        raise problem("id_product", "is empty")
    return StockLevel(
        remote_id=str(raw.id),
        item_remote_id=item_id(product, reference(raw.id_product_attribute, "id_product_attribute")),
        quantity=pieces(raw.quantity, "quantity"),
    )


def identify(raw: StockRow | Broken) -> tuple[str, str]:
    """The id of the row, and the item."""
    if isinstance(raw, Broken):
        return raw.id, raw.label or f"#{raw.id}"
    attribute = str(raw.id_product_attribute or "0")
    return str(raw.id), f"#{item_id(str(raw.id_product)[:20], '' if attribute == '0' else attribute[:20])}"
