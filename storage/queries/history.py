"""Executions as people look at them: lists, and the end of their keeping."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage.bulk import one_of
from storage.database import Unit
from storage.queries.executions import COLUMNS, UNFINISHED, to_execution
from storage.rows import Execution, State, Trigger
from storage.tables import executions, feeds, integrations, outcomes


@dataclass(frozen=True, slots=True)
class Listed:
    """An execution with the names people know it by."""

    execution: Execution
    integration: str
    flow: str


def listed(
    unit: Unit,
    *,
    integration_id: int | None = None,
    flow: str | None = None,
    feed_id: int | None = None,
    states: Sequence[State] = (),
    trigger: Trigger | None = None,
    since: datetime | None = None,
    before: int | None = None,
    count: int = 50,
) -> list[Listed]:
    """Executions, newest first; ``before`` is the id to go on from, ``since`` the earliest request."""
    query = _listing().order_by(executions.c.id.desc()).limit(count)
    for column, value in (
        (feeds.c.integration_id, integration_id),
        (feeds.c.flow, flow),
        (executions.c.feed_id, feed_id),
        (executions.c.trigger, trigger),
    ):
        if value is not None:
            query = query.where(column == value)
    if states:
        query = query.where(executions.c.state.in_(states))
    if since is not None:
        query = query.where(executions.c.requested_at >= since)
    if before is not None:
        query = query.where(executions.c.id < before)
    return [_listed(row) for row in unit.connection.execute(query)]


def running_longer_than_usual(unit: Unit, *, times: float, at_least: timedelta) -> list[Listed]:
    """Running executions older than ``at_least`` and than ``times`` their feed's average."""
    query = _listing().where(executions.c.state == State.RUNNING, executions.c.started_at < unit.now - at_least)
    query = query.add_columns(feeds.c.average_seconds.label("average"))
    return [
        _listed(row)
        for row in unit.connection.execute(query)
        if row.average is not None and unit.now - row.started_at > timedelta(seconds=times * row.average)
    ]


def counts_by_state(unit: Unit) -> dict[State, int]:
    """How many executions are queued and running."""
    query = (
        sa.select(executions.c.state, sa.func.count())
        .where(executions.c.state.in_(UNFINISHED))
        .group_by(executions.c.state)
    )
    return {State(state): count for state, count in unit.connection.execute(query)}


def purge(unit: Unit, *, states: Sequence[State], ended_before: datetime, count: int = 500) -> int:
    """Delete up to ``count`` of the oldest executions of these states, with their outcomes. Returns how many there were."""
    query = (
        sa.select(executions.c.id)
        .where(executions.c.state.in_(states), executions.c.ended_at < ended_before)
        .order_by(executions.c.id)
        .limit(count)
    )
    ids = list(unit.connection.execute(query).scalars())
    if ids:
        unit.connection.execute(outcomes.delete().where(one_of(outcomes.c.execution_id)), {"ids": ids})
        unit.connection.execute(executions.delete().where(one_of(executions.c.id)), {"ids": ids})
    return len(ids)


def _listing() -> sa.Select[Any]:
    return (
        sa.select(*COLUMNS, integrations.c.name.label("integration"), feeds.c.flow.label("flow"))
        .select_from(executions)
        .join(feeds, feeds.c.id == executions.c.feed_id)
        .join(integrations, integrations.c.id == feeds.c.integration_id)
    )


def _listed(row: sa.Row[Any]) -> Listed:
    return Listed(execution=to_execution(row), integration=row.integration, flow=row.flow)
