"""Outcomes: one row per record of an execution that is not unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from storage.bulk import insert_rows
from storage.database import Unit
from storage.tables import executions, feeds, integrations, outcomes
from storage.types import instant_to_driver

Line = tuple[int | None, str, str, str, str]
"""record id, remote id, label, outcome, reason"""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of one record in one execution."""

    id: int
    execution_id: int
    integration: str
    flow: str
    record_id: int | None
    kind: str
    remote_id: str
    label: str
    outcome: str
    reason: str
    at: datetime


def add(unit: Unit, execution_id: int, *, kind: str, lines: Sequence[Line]) -> None:
    """Keep the outcomes of a page."""
    at = instant_to_driver(unit.now, unit.dialect)
    insert_rows(
        unit,
        outcomes,
        ("execution_id", "kind", "at", "record_id", "remote_id", "label", "outcome", "reason"),
        [(execution_id, kind, at, *line) for line in lines],
    )


def _select() -> sa.Select[tuple[object, ...]]:
    return sa.select(outcomes, integrations.c.name.label("integration"), feeds.c.flow).select_from(
        outcomes.join(executions, executions.c.id == outcomes.c.execution_id)
        .join(feeds, feeds.c.id == executions.c.feed_id)
        .join(integrations, integrations.c.id == feeds.c.integration_id)
    )


def of_execution(
    unit: Unit, execution_id: int, *, outcome: str | None = None, count: int = 100, after: int = 0
) -> list[OutcomeRow]:
    """The outcomes of an execution in their order; ``after`` is the id to go on from."""
    query = _select().where(outcomes.c.execution_id == execution_id, outcomes.c.id > after)
    if outcome is not None:
        query = query.where(outcomes.c.outcome == outcome)
    return [OutcomeRow(**row) for row in unit.connection.execute(query.order_by(outcomes.c.id).limit(count)).mappings()]


def of_record(unit: Unit, record_id: int, *, count: int = 100) -> list[OutcomeRow]:
    """The history of one record across all flows, newest first."""
    query = _select().where(outcomes.c.record_id == record_id).order_by(outcomes.c.id.desc()).limit(count)
    return [OutcomeRow(**row) for row in unit.connection.execute(query).mappings()]


def purge(unit: Unit, *, before: datetime, outcome: str, count: int = 1000) -> int:
    """Delete a small batch of old outcomes of one kind; tells how many, 0 when none is left."""
    old = sa.select(outcomes.c.id).where(outcomes.c.at < before, outcomes.c.outcome == outcome).limit(count)
    return unit.connection.execute(outcomes.delete().where(outcomes.c.id.in_(old))).rowcount
