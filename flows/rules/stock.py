"""Rules for stock levels."""

from domain.records import StockLevel


def is_emptied(known: StockLevel, incoming: StockLevel) -> bool:
    """Whether something that was there would be there no more."""
    return known.quantity > 0 and incoming.quantity <= 0
