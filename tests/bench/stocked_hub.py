"""A hub that knows a catalogue and how much of each product there is, filled without reading any shop."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from domain.records import Product
from storage.database import Database, Unit
from storage.queries import records, stock
from storage.queries.records import Saving, encode, fingerprint

_AT_ONCE = 5_000


def fill(database: Database, integration_id: int, *, products: int) -> dict[str, int]:
    """Products with the remote ids 1 to ``products``, and the levels the shop was last told; record ids by remote id."""
    known: dict[str, int] = {}
    for start in range(1, products + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, products + 1))
        made = [Product(remote_id=str(number), sku=f"SKU-{number:06}", name=f"Product {number}") for number in numbers]
        savings = [
            Saving(product, body, fingerprint(body)) for product, body in zip(made, map(encode, made), strict=True)
        ]

        def work(unit: Unit, savings: list[Saving] = savings) -> dict[str, int]:
            ids = records.insert(unit, integration_id, kind="product", savings=savings)
            found = {saving.record.remote_id: record_id for saving, record_id in zip(savings, ids, strict=True)}
            quantities = {record_id: Decimal(level(remote_id)) for remote_id, record_id in found.items()}
            stock.save_levels(unit, integration_id, quantities, warehouse="main", is_sellable=True, reason="start")
            return found

        known |= database.write(work)
    return known


def level(remote_id: str) -> int:
    """What the shop was last told of a product, and shows."""
    return int(remote_id) % 100


def change(database: Database, known: Mapping[str, int], *, count: int, by: int) -> None:
    """Change the levels of the first products."""
    ids = list(known.items())[:count]
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        levels = {(record_id, "main"): Decimal(level(remote_id) + by) for remote_id, record_id in chunk}
        database.write(partial(stock.set_levels, levels=levels, reason="counted"))
