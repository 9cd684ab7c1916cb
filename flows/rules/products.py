"""Rules for products."""

from decimal import Decimal

from domain.records import Money, Product


def drastic(known: Product, incoming: Product) -> str:
    """How a product would be deactivated, or it or one of its variants re-priced or given away; empty where it would not.

    One product like that is everyday work; very many at once are a broken answer more often than a decision.
    """
    if known.is_active and not incoming.is_active:
        return "active → inactive"
    if _is_repriced(known.price, incoming.price):
        return f"price {known.price} → {incoming.price or 'none'}"
    prices = {variant.remote_id: variant.price for variant in known.variants}
    for variant in incoming.variants:
        before = prices.get(variant.remote_id)
        if _is_repriced(before, variant.price):
            return f"price of {variant.label} {before} → {variant.price or 'none'}"
    return ""


def _is_repriced(known: Money | None, incoming: Money | None) -> bool:
    if known is None or known.amount == Decimal(0):
        return False
    return incoming != known
