"""Rules for stock levels."""

from domain.records import StockLevel


def emptied(known: StockLevel, incoming: StockLevel) -> str:
    """How something that was there would be there no more; empty where it would be."""
    return f"{known.quantity} → {incoming.quantity}" if known.quantity > 0 and incoming.quantity <= 0 else ""
