"""What orders take out of the stock: from the moment they are seen until they are shipped or cancelled."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from domain.records import Order
from storage.bulk import insert_rows, one_of
from storage.database import Unit
from storage.tables import references, reservations
from storage.types import quantity_to_driver

ITEM_KINDS = ("product", "variant")


def replace(unit: Unit, integration_id: int, orders: Sequence[Order], *, is_held: bool) -> None:
    """Make the reservations of these orders what their lines say; none for orders that are not open."""
    if not orders:
        return
    drop(unit, integration_id, [order.remote_id for order in orders])
    open_orders = [order for order in orders if order.fate == "open"]
    items = _items(unit, integration_id, {line.item_remote_id for order in open_orders for line in order.lines})
    insert_rows(
        unit,
        reservations,
        ("integration_id", "order_remote_id", "line", "item_remote_id", "record_id", "quantity", "is_held"),
        [
            (
                integration_id,
                order.remote_id,
                str(number),
                line.item_remote_id,
                items.get(line.item_remote_id),
                quantity_to_driver(line.quantity),
                is_held,
            )
            for order in open_orders
            for number, line in enumerate(order.lines)
            if line.quantity > 0
        ],
    )


def drop(unit: Unit, integration_id: int, order_remote_ids: Sequence[str]) -> None:
    """These orders take nothing any more."""
    unit.connection.execute(
        reservations.delete().where(
            reservations.c.integration_id == integration_id, one_of(reservations.c.order_remote_id)
        ),
        {"ids": list(order_remote_ids)},
    )


def attach(unit: Unit, integration_id: int, items: Mapping[str, int]) -> None:
    """Items that just became known: reservations made before point to them from now on."""
    waiting = unit.connection.execute(
        sa.select(reservations.c.item_remote_id)
        .distinct()
        .where(reservations.c.integration_id == integration_id, reservations.c.record_id.is_(None))
    ).scalars()
    found = [{"item": item, "record": items[item]} for item in waiting if item in items]
    if found:
        unit.connection.execute(
            reservations.update()
            .where(
                reservations.c.integration_id == integration_id,
                reservations.c.item_remote_id == sa.bindparam("item"),
                reservations.c.record_id.is_(None),
            )
            .values(record_id=sa.bindparam("record")),
            found,
        )


def _items(unit: Unit, integration_id: int, remote_ids: set[str]) -> dict[str, int]:
    query = sa.select(references.c.remote_id, references.c.record_id).where(
        references.c.integration_id == integration_id,
        references.c.kind.in_(ITEM_KINDS),
        one_of(references.c.remote_id),
    )
    return {row[0]: row[1] for row in unit.connection.execute(query, {"ids": list(remote_ids)})}
