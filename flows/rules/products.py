"""Rules for products."""

from decimal import Decimal

from domain.records import Money, Product


def is_drastic(known: Product, incoming: Product) -> bool:
    """Whether a product would be deactivated, or it or one of its variants re-priced or given away.

    One product like that is everyday work; very many at once are a broken answer more often than a decision.
    """
    if known.is_active and not incoming.is_active:
        return True
    prices = {variant.remote_id: variant.price for variant in known.variants}
    return _is_repriced(known.price, incoming.price) or any(
        _is_repriced(prices.get(variant.remote_id), variant.price) for variant in incoming.variants
    )


def _is_repriced(known: Money | None, incoming: Money | None) -> bool:
    if known is None or known.amount == Decimal(0):
        return False
    return incoming != known
