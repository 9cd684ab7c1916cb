"""Shipments of the hub, and the orders they belong to."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from domain.records import Order, Shipment
from storage.bulk import insert_rows, next_ids, one_of
from storage.database import Unit
from storage.queries import effects
from storage.queries.effects import Effect
from storage.queries.records import bodies, encode
from storage.tables import records, references
from storage.types import instant_to_driver

OPEN, CONFIRMED = "open", "confirmed"


class OrderRow(NamedTuple):
    """An order of the hub, and the integration it came from."""

    id: int
    integration_id: int
    remote_id: str
    state: str
    order: Order


class Unconfirmed(NamedTuple):
    """A shipment its shop does not know of yet, with the order it belongs to and its effect, if there is one."""

    id: int
    shipment: Shipment
    order: Order | None
    latest: Effect | None


def order(unit: Unit, record_id: int) -> OrderRow | None:
    """An order that is known in the integration it came from; locked until the end of the transaction."""
    row = unit.connection.execute(
        sa.select(records.c.integration_id, references.c.remote_id, records.c.state)
        .select_from(
            records.join(
                references,
                (references.c.record_id == records.c.id) & (references.c.integration_id == records.c.integration_id),
            )
        )
        .where(records.c.id == record_id, records.c.kind == Order.kind)
        .with_for_update(of=records)
    ).one_or_none()
    if row is None:
        return None
    return OrderRow(record_id, row[0], row[1], row[2], bodies(unit, Order.kind, [record_id])[record_id])


def add(unit: Unit, shipment: Shipment, *, integration_id: int, order_id: int) -> int:
    """Keep a new shipment of an order; returns its id."""
    [record_id] = next_ids(unit, records, 1)
    now = instant_to_driver(unit.now, unit.dialect)
    insert_rows(
        unit,
        records,
        (
            *("id", "kind", "integration_id", "parent_id", "label", "state", "body"),
            *("occurred_at", "created_at", "updated_at"),
        ),
        [
            (
                *(record_id, Shipment.kind, integration_id, order_id, shipment.label, OPEN, encode(shipment)),
                *(now, now, now),
            )
        ],
    )
    return record_id


def of_order(unit: Unit, order_id: int) -> list[int]:
    """The shipments of an order."""
    query = sa.select(records.c.id).where(records.c.parent_id == order_id, records.c.kind == Shipment.kind)
    return list(unit.connection.execute(query.order_by(records.c.id)).scalars())


def unconfirmed_count(unit: Unit, integration_id: int) -> int:
    """How many shipments the shop does not know of yet."""
    query = sa.select(sa.func.count()).where(*_open(integration_id))
    return unit.connection.execute(query).scalar_one()


def unconfirmed(
    unit: Unit, integration_id: int, *, identity: str, order_remote_ids: Sequence[str] | None, after: int, count: int
) -> list[Unconfirmed]:
    """Shipments the shop does not know of yet, in the order of their ids. ``identity`` is what their effects' begin with.

    ``order_remote_ids`` narrows them to those orders.
    """
    query = (
        sa.select(records.c.id, records.c.parent_id)
        .where(*_open(integration_id), records.c.id > after)
        .order_by(records.c.id)
        .limit(count)
    )
    parameters: dict[str, object] = {}
    if order_remote_ids is not None:
        query = query.where(
            records.c.parent_id.in_(
                sa.select(references.c.record_id).where(
                    references.c.integration_id == integration_id,
                    references.c.kind == Order.kind,
                    one_of(references.c.remote_id),
                )
            )
        )
        parameters["ids"] = list(order_remote_ids)
    rows = unit.connection.execute(query, parameters).all()
    ids = [row[0] for row in rows]
    shipments = bodies(unit, Shipment.kind, ids)
    orders = bodies(unit, Order.kind, [row[1] for row in rows])
    latest = effects.of_identities(unit, integration_id, [f"{identity}{record_id}" for record_id in ids])
    return [
        Unconfirmed(record_id, shipments[record_id], orders.get(parent_id), latest.get(f"{identity}{record_id}"))
        for record_id, parent_id in rows
    ]


def confirm(unit: Unit, record_ids: Sequence[int]) -> None:
    """The shop knows of these shipments."""
    if record_ids:
        unit.connection.execute(
            records.update().where(one_of(records.c.id)).values(state=CONFIRMED, updated_at=unit.now),
            {"ids": list(record_ids)},
        )


def _open(integration_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        records.c.kind == Shipment.kind,
        records.c.integration_id == integration_id,
        records.c.state == OPEN,
    )
