"""Executions: the rows that are the work. Every change of state is one statement that names the state it starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.rows import Execution, Mode, State, Trigger
from storage.tables import executions, feeds, installation, integrations

UNFINISHED = (State.QUEUED, State.RUNNING)

COLUMNS = tuple(executions.c[field.name] for field in fields(Execution))
_FIELDS = tuple(field.name for field in fields(Execution))
_running = executions.alias("running")


@dataclass(frozen=True, slots=True)
class Permission:
    """What decides whether a change may leave for the outside, read at one moment."""

    holds_lease: bool
    mode: Mode
    is_live: bool
    is_confirmed: bool


def insert(
    unit: Unit,
    *,
    feed_id: int,
    trigger: Trigger,
    person: str = "",
    scope: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    accepts_volume: bool = False,
) -> int | None:
    """Queue an execution and return its id; None when the slot ``(feed_id, due_at)`` was taken already."""
    statement = insert_statement(unit).values(
        feed_id=feed_id,
        trigger=trigger,
        person=person,
        state=State.QUEUED,
        scope=scope,
        due_at=due_at,
        requested_at=unit.now,
        available_at=unit.now,
        accepts_volume=accepts_volume,
    )
    statement = statement.on_conflict_do_nothing(index_elements=["feed_id", "due_at"])
    return unit.connection.execute(statement.returning(executions.c.id)).scalar_one_or_none()


def claim(unit: Unit, execution_id: int, *, worker: str, lease_seconds: float) -> Execution | None:
    """Take a queued execution whose time has come. None: it is not queued, its feed runs already, or somebody paused it.

    Raises ``Conflict`` when another worker claimed an execution of the same feed at the same moment.
    """
    is_open = (
        sa.select(feeds.c.id)
        .join(integrations, integrations.c.id == feeds.c.integration_id)
        .where(
            feeds.c.id == executions.c.feed_id,
            feeds.c.is_enabled,
            feeds.c.paused_at.is_(None),
            integrations.c.paused_at.is_(None),
        )
        .exists()
    )
    version = (
        sa.select(integrations.c.settings_version)
        .join(feeds, feeds.c.integration_id == integrations.c.id)
        .where(feeds.c.id == executions.c.feed_id)
        .scalar_subquery()
    )
    is_running = (
        sa.select(_running.c.id)
        .where(_running.c.feed_id == executions.c.feed_id, _running.c.state == State.RUNNING)
        .exists()
    )
    statement = (
        executions.update()
        .where(
            executions.c.id == execution_id,
            executions.c.state == State.QUEUED,
            executions.c.available_at <= unit.now,
            is_open,
            ~is_running,
        )
        .values(
            state=State.RUNNING,
            attempt=executions.c.attempt + 1,
            worker=worker,
            lease_until=unit.now + timedelta(seconds=lease_seconds),
            started_at=sa.func.coalesce(executions.c.started_at, sa.literal(unit.now, executions.c.started_at.type)),
            settings_version=version,
            reason="",
        )
        .returning(*COLUMNS)
    )
    return _one(unit.connection.execute(statement))


def progress(
    unit: Unit, execution_id: int, *, attempt: int, lease_seconds: float, columns: Mapping[str, Any]
) -> bool | None:
    """Save progress and renew the lease, if this attempt still holds it. Returns whether a person cancelled; None: lost."""
    statement = (
        executions.update()
        .where(is_held(execution_id, attempt))
        .values(**columns, lease_until=unit.now + timedelta(seconds=lease_seconds))
        .returning(executions.c.is_cancelling)
    )
    return unit.connection.execute(statement).scalar_one_or_none()


def release(
    unit: Unit, execution_id: int, *, attempt: int, available_at: datetime | None = None, tries: int, reason: str = ""
) -> bool:
    """Give an execution back to the queue; False when this attempt no longer holds it."""
    statement = (
        executions.update()
        .where(is_held(execution_id, attempt))
        .values(
            state=State.QUEUED,
            tries=tries,
            available_at=available_at or unit.now,
            lease_until=None,
            rung_at=None,
            reason=reason,
        )
    )
    return unit.connection.execute(statement).rowcount == 1


def finish(
    unit: Unit,
    execution_id: int,
    *,
    attempt: int,
    state: State,
    reason: str = "",
    error_code: str = "",
    columns: Mapping[str, Any] | None = None,
) -> bool:
    """End an execution; False when this attempt no longer holds it."""
    statement = (
        executions.update()
        .where(is_held(execution_id, attempt))
        .values(
            **(columns or {}), state=state, reason=reason, error_code=error_code, ended_at=unit.now, lease_until=None
        )
    )
    return unit.connection.execute(statement).rowcount == 1


def cancel(unit: Unit, execution_id: int, *, reason: str) -> State | None:
    """Cancel at once what is queued, ask what is running to stop. Returns the state found; None when it had ended."""
    dropped = unit.connection.execute(
        executions.update()
        .where(executions.c.id == execution_id, executions.c.state == State.QUEUED)
        .values(state=State.CANCELLED, reason=reason, ended_at=unit.now)
    )
    if dropped.rowcount:
        return State.QUEUED
    asked = unit.connection.execute(
        executions.update()
        .where(executions.c.id == execution_id, executions.c.state == State.RUNNING)
        .values(is_cancelling=True)
    )
    return State.RUNNING if asked.rowcount else None


def drop(unit: Unit, execution_id: int, *, state: State, reason: str) -> bool:
    """End a queued execution without running it; False when it is not queued any more."""
    statement = (
        executions.update()
        .where(executions.c.id == execution_id, executions.c.state == State.QUEUED)
        .values(state=state, reason=reason, ended_at=unit.now)
    )
    return unit.connection.execute(statement).rowcount == 1


def join(unit: Unit, execution_id: int, *, accepts_volume: bool) -> None:
    """Let a further request join a queued execution: it runs as soon as it can, and keeps what any of them accepted."""
    unit.connection.execute(
        executions.update()
        .where(executions.c.id == execution_id, executions.c.state == State.QUEUED)
        .values(available_at=unit.now, accepts_volume=sa.or_(executions.c.accepts_volume, sa.literal(accepts_volume)))
    )


def get(unit: Unit, execution_id: int) -> Execution | None:
    """One execution."""
    return _one(unit.connection.execute(sa.select(*COLUMNS).where(executions.c.id == execution_id)))


def unfinished(unit: Unit, feed_id: int) -> list[Execution]:
    """The queued and running executions of a feed, oldest first."""
    query = (
        sa.select(*COLUMNS)
        .where(executions.c.feed_id == feed_id, executions.c.state.in_(UNFINISHED))
        .order_by(executions.c.id)
    )
    return to_executions(unit.connection.execute(query))


def last_ended(unit: Unit, feed_id: int) -> Execution | None:
    """The newest execution of a feed that ran to an end, whole feed only."""
    ended = (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES, State.FAILED, State.CANCELLED)
    query = (
        sa.select(*COLUMNS)
        .where(executions.c.feed_id == feed_id, executions.c.state.in_(ended), executions.c.scope.is_(None))
        .order_by(executions.c.id.desc())
        .limit(1)
    )
    return _one(unit.connection.execute(query))


def permission(unit: Unit, execution_id: int, *, attempt: int) -> Permission | None:
    """What the gate asks right before a change leaves: one statement, one moment."""
    confirmed = sa.select(installation.c.id).where(installation.c.confirmed_at.is_not(None)).exists()
    query = (
        sa.select(
            sa.and_(
                executions.c.state == State.RUNNING,
                executions.c.attempt == attempt,
                executions.c.lease_until >= unit.now,
                ~executions.c.is_cancelling,
            ).label("holds_lease"),
            integrations.c.mode,
            feeds.c.is_live,
            confirmed.label("is_confirmed"),
        )
        .select_from(executions)
        .join(feeds, feeds.c.id == executions.c.feed_id)
        .join(integrations, integrations.c.id == feeds.c.integration_id)
        .where(executions.c.id == execution_id)
    )
    row = unit.connection.execute(query).one_or_none()
    if row is None:
        return None
    return Permission(bool(row.holds_lease), Mode(row.mode), bool(row.is_live), bool(row.is_confirmed))


def is_held(execution_id: int, attempt: int) -> sa.ColumnElement[bool]:
    """The attempt still holds the execution."""
    return sa.and_(
        executions.c.id == execution_id, executions.c.attempt == attempt, executions.c.state == State.RUNNING
    )


def insert_statement(unit: Unit) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ``ON CONFLICT``."""
    return postgresql.insert(executions) if unit.dialect == "postgresql" else sqlite.insert(executions)


def to_executions(result: sa.CursorResult[Any]) -> list[Execution]:
    """Rows as executions."""
    return [to_execution(row) for row in result]


def to_execution(row: sa.Row[Any]) -> Execution:
    """A row that has the columns of an execution, perhaps among others."""
    values = row._asdict()
    values["state"] = State(values["state"])
    values["trigger"] = Trigger(values["trigger"])
    return Execution(**{field: values[field] for field in _FIELDS})


def _one(result: sa.CursorResult[Any]) -> Execution | None:
    row = result.one_or_none()
    return to_execution(row) if row is not None else None
