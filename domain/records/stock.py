"""How much there is of one sellable item."""

from decimal import Decimal
from typing import ClassVar

from domain.records.record import Record


class StockLevel(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The quantity a system shows for one item. ``item_remote_id`` is the remote id of a product or a variant.

    ``remote_id`` is the id of the place the quantity is kept at (a stock row). What the quantity means, sellable or on
    hand, is the connector's ``stock_meaning``.
    """

    kind: ClassVar[str] = "stock_level"

    item_remote_id: str
    quantity: Decimal
    location: str = ""
