"""Webhook deliveries: each stored once, and how many more of them are let in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.rows import State
from storage.tables import executions, webhook_budgets, webhook_deliveries


class Kept(Enum):
    """Whether a delivery is new, was there already, or is what another one was under another id."""

    NEW = auto()
    REPEATED = auto()
    REPLAYED = auto()


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as it was stored, and the executions it set off."""

    delivery_id: str
    topic: str
    ids: tuple[str, ...]
    sent_at: datetime | None
    received_at: datetime
    executions: tuple[int, ...]


def is_known(unit: Unit, integration_id: int, *, delivery_id: str) -> bool:
    """Whether this delivery is stored."""
    query = sa.select(webhook_deliveries.c.delivery_id).where(_is(integration_id, delivery_id))
    return unit.connection.execute(query).first() is not None


def keep(
    unit: Unit,
    integration_id: int,
    *,
    delivery_id: str,
    proof: bytes | None,
    topic: str,
    ids: Sequence[str],
    sent_at: datetime | None,
) -> Kept:
    """Store a delivery, unless it is stored."""
    table = postgresql.insert(webhook_deliveries) if unit.dialect == "postgresql" else sqlite.insert(webhook_deliveries)
    statement = table.values(
        integration_id=integration_id,
        delivery_id=delivery_id,
        proof=proof,
        topic=topic,
        ids=list(ids),
        sent_at=sent_at,
        received_at=unit.now,
        executions=[],
    )
    stored = unit.connection.execute(
        statement.on_conflict_do_nothing().returning(webhook_deliveries.c.delivery_id)
    ).one_or_none()
    if stored is not None:
        return Kept.NEW
    return Kept.REPEATED if is_known(unit, integration_id, delivery_id=delivery_id) else Kept.REPLAYED


def note_executions(unit: Unit, integration_id: int, *, delivery_id: str, execution_ids: Sequence[int]) -> None:
    """Remember what a delivery set off."""
    statement = webhook_deliveries.update().where(_is(integration_id, delivery_id))
    unit.connection.execute(statement.values(executions=list(execution_ids)))


def listed(unit: Unit, integration_id: int, *, count: int = 50) -> list[DeliveryRow]:
    """The deliveries of an integration, newest first."""
    query = (
        sa.select(
            webhook_deliveries.c.delivery_id,
            webhook_deliveries.c.topic,
            webhook_deliveries.c.ids,
            webhook_deliveries.c.sent_at,
            webhook_deliveries.c.received_at,
            webhook_deliveries.c.executions,
        )
        .where(webhook_deliveries.c.integration_id == integration_id)
        .order_by(webhook_deliveries.c.received_at.desc(), webhook_deliveries.c.delivery_id)
        .limit(count)
    )
    return [
        DeliveryRow(row.delivery_id, row.topic, tuple(row.ids), row.sent_at, row.received_at, tuple(row.executions))
        for row in unit.connection.execute(query)
    ]


def forget(unit: Unit, integration_id: int, *, older_than: timedelta, count: int = 20) -> int:
    """Drop some of the oldest deliveries; tells how many."""
    oldest = (
        sa.select(webhook_deliveries.c.delivery_id)
        .where(
            webhook_deliveries.c.integration_id == integration_id,
            webhook_deliveries.c.received_at < unit.now - older_than,
        )
        .order_by(webhook_deliveries.c.received_at)
        .limit(count)
    )
    statement = webhook_deliveries.delete().where(
        webhook_deliveries.c.integration_id == integration_id, webhook_deliveries.c.delivery_id.in_(oldest)
    )
    return unit.connection.execute(statement).rowcount


def widen(unit: Unit, execution_id: int, *, ids: Sequence[str]) -> bool:
    """Let a queued execution look at these ids; False when it is not queued any more."""
    statement = (
        executions.update()
        .where(executions.c.id == execution_id, executions.c.state == State.QUEUED)
        .values(scope={"ids": list(ids)})
    )
    return unit.connection.execute(statement).rowcount == 1


def spent_until(unit: Unit, integration_id: int) -> float:
    """Until when a budget is spent, in seconds of the database's time; kept from other writers until the transaction ends."""
    table = postgresql.insert(webhook_budgets) if unit.dialect == "postgresql" else sqlite.insert(webhook_budgets)
    fresh = table.values(integration_id=integration_id, spent_until=0.0)
    unit.connection.execute(fresh.on_conflict_do_nothing(index_elements=["integration_id"]))
    query = sa.select(webhook_budgets.c.spent_until).where(webhook_budgets.c.integration_id == integration_id)
    return float(unit.connection.execute(query.with_for_update()).scalar_one())


def spend(unit: Unit, integration_id: int, *, until: float) -> None:
    """Keep what was decided under ``spent_until``."""
    statement = webhook_budgets.update().where(webhook_budgets.c.integration_id == integration_id)
    unit.connection.execute(statement.values(spent_until=until))


def _is(integration_id: int, delivery_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        webhook_deliveries.c.integration_id == integration_id, webhook_deliveries.c.delivery_id == delivery_id
    )
