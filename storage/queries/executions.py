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

_ID = executions.c.id
_STATE = executions.c.state
_MOMENT = sa.bindparam("moment", type_=executions.c.available_at.type)
_IS_IT = executions.c.id == sa.bindparam("execution_id")
HELD = sa.and_(_IS_IT, executions.c.attempt == sa.bindparam("held_attempt"), _STATE == State.RUNNING)
"""An attempt still holds the execution: the condition of whatever it writes about itself, with the values of ``held``."""

_IS_OPEN = (
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
_VERSION = (
    sa.select(integrations.c.settings_version)
    .join(feeds, feeds.c.integration_id == integrations.c.id)
    .where(feeds.c.id == executions.c.feed_id)
    .scalar_subquery()
)
_IS_RUNNING = (
    sa.select(_running.c.id)
    .where(_running.c.feed_id == executions.c.feed_id, _running.c.state == State.RUNNING)
    .exists()
)

# Built once: to build a statement takes longer than to run it. Columns to set may be added where one is executed.
INSERT = {
    name: dialect.insert(executions).on_conflict_do_nothing(index_elements=["feed_id", "due_at"])
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
"""By dialect: an insert that leaves slots that are taken as they are."""

_INSERT = {name: statement.returning(_ID) for name, statement in INSERT.items()}
_CLAIM = (
    executions.update()
    .where(_IS_IT, _STATE == State.QUEUED, executions.c.available_at <= _MOMENT, _IS_OPEN, ~_IS_RUNNING)
    .values(
        state=State.RUNNING,
        attempt=executions.c.attempt + 1,
        started_at=sa.func.coalesce(executions.c.started_at, _MOMENT),
        settings_version=_VERSION,
        reason="",
    )
    .returning(*COLUMNS)
)
_PROGRESS = executions.update().where(HELD).returning(executions.c.is_cancelling)
_CHANGE_HELD = executions.update().where(HELD)
_CHANGE_QUEUED = executions.update().where(_IS_IT, _STATE == State.QUEUED)
_JOIN = _CHANGE_QUEUED.values(
    accepts_volume=sa.or_(executions.c.accepts_volume, sa.bindparam("accepts", type_=sa.Boolean()))
)
_GET = sa.select(*COLUMNS).where(_IS_IT)
_OF_FEED = executions.c.feed_id == sa.bindparam("of_feed")
_IS_UNFINISHED = _STATE.in_(UNFINISHED)
_UNFINISHED = sa.select(*COLUMNS).where(_OF_FEED, _IS_UNFINISHED).order_by(_ID)
_CONTENDERS = (
    sa.select(_ID, executions.c.trigger, _STATE, executions.c.scope).where(_OF_FEED, _IS_UNFINISHED).order_by(_ID)
)
_LAST_ENDED = (
    sa.select(*COLUMNS)
    .where(
        _OF_FEED,
        _STATE.in_((State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES, State.FAILED, State.CANCELLED)),
        executions.c.scope.is_(None),
    )
    .order_by(_ID.desc())
    .limit(1)
)
_PERMISSION = (
    sa.select(
        sa.and_(
            _STATE == State.RUNNING,
            executions.c.attempt == sa.bindparam("held_attempt"),
            executions.c.lease_until >= _MOMENT,
            ~executions.c.is_cancelling,
        ).label("holds_lease"),
        integrations.c.mode,
        feeds.c.is_live,
        sa.select(installation.c.id).where(installation.c.confirmed_at.is_not(None)).exists().label("is_confirmed"),
    )
    .select_from(executions)
    .join(feeds, feeds.c.id == executions.c.feed_id)
    .join(integrations, integrations.c.id == feeds.c.integration_id)
    .where(_IS_IT)
)


@dataclass(frozen=True, slots=True)
class Contender:
    """As much of a queued or running execution as a further request of its feed must know."""

    id: int
    trigger: Trigger
    state: State
    scope: dict[str, Any] | None


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
    values = {
        "feed_id": feed_id,
        "trigger": trigger,
        "person": person,
        "state": State.QUEUED,
        "scope": scope,
        "due_at": due_at,
        "requested_at": unit.now,
        "available_at": unit.now,
        "accepts_volume": accepts_volume,
    }
    return unit.connection.execute(_INSERT[unit.dialect], values).scalar_one_or_none()


def claim(unit: Unit, execution_id: int, *, worker: str, lease_seconds: float) -> Execution | None:
    """Take a queued execution whose time has come. None: it is not queued, its feed runs already, or somebody paused it.

    Raises ``Conflict`` when another worker claimed an execution of the same feed at the same moment.
    """
    values = {
        "execution_id": execution_id,
        "moment": unit.now,
        "worker": worker,
        "lease_until": unit.now + timedelta(seconds=lease_seconds),
    }
    return _one(unit.connection.execute(_CLAIM, values))


def progress(
    unit: Unit, execution_id: int, *, attempt: int, lease_seconds: float, columns: Mapping[str, Any]
) -> bool | None:
    """Save progress and renew the lease, if this attempt still holds it. Returns whether a person cancelled; None: lost."""
    lease_until = unit.now + timedelta(seconds=lease_seconds)
    values = {**held(execution_id, attempt), **columns, "lease_until": lease_until}
    return unit.connection.execute(_PROGRESS, values).scalar_one_or_none()


def release(
    unit: Unit, execution_id: int, *, attempt: int, available_at: datetime | None = None, tries: int, reason: str = ""
) -> bool:
    """Give an execution back to the queue; False when this attempt no longer holds it."""
    values = {
        **held(execution_id, attempt),
        "state": State.QUEUED,
        "tries": tries,
        "available_at": available_at or unit.now,
        "lease_until": None,
        "rung_at": None,
        "reason": reason,
    }
    return unit.connection.execute(_CHANGE_HELD, values).rowcount == 1


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
    values = {
        **held(execution_id, attempt),
        **(columns or {}),
        "state": state,
        "reason": reason,
        "error_code": error_code,
        "ended_at": unit.now,
        "lease_until": None,
    }
    return unit.connection.execute(_CHANGE_HELD, values).rowcount == 1


def cancel(unit: Unit, execution_id: int, *, reason: str) -> State | None:
    """Cancel at once what is queued, ask what is running to stop. Returns the state found; None when it had ended."""
    if drop(unit, execution_id, state=State.CANCELLED, reason=reason):
        return State.QUEUED
    asked = unit.connection.execute(
        executions.update()
        .where(executions.c.id == execution_id, executions.c.state == State.RUNNING)
        .values(is_cancelling=True)
    )
    return State.RUNNING if asked.rowcount else None


def drop(unit: Unit, execution_id: int, *, state: State, reason: str) -> bool:
    """End a queued execution without running it; False when it is not queued any more."""
    values = {"execution_id": execution_id, "state": state, "reason": reason, "ended_at": unit.now}
    return unit.connection.execute(_CHANGE_QUEUED, values).rowcount == 1


def join(unit: Unit, execution_id: int, *, accepts_volume: bool) -> None:
    """Let a further request join a queued execution: it runs as soon as it can, and keeps what any of them accepted."""
    values = {"execution_id": execution_id, "available_at": unit.now, "accepts": accepts_volume}
    unit.connection.execute(_JOIN, values)


def get(unit: Unit, execution_id: int) -> Execution | None:
    """One execution."""
    return _one(unit.connection.execute(_GET, {"execution_id": execution_id}))


def unfinished(unit: Unit, feed_id: int) -> list[Execution]:
    """The queued and running executions of a feed, oldest first."""
    return to_executions(unit.connection.execute(_UNFINISHED, {"of_feed": feed_id}))


def contenders(unit: Unit, feed_id: int) -> list[Contender]:
    """The same, as a further request sees them."""
    return [
        Contender(execution_id, Trigger(trigger), State(state), scope)
        for execution_id, trigger, state, scope in unit.connection.execute(_CONTENDERS, {"of_feed": feed_id})
    ]


def last_ended(unit: Unit, feed_id: int) -> Execution | None:
    """The newest execution of a feed that ran to an end, whole feed only."""
    return _one(unit.connection.execute(_LAST_ENDED, {"of_feed": feed_id}))


def permission(unit: Unit, execution_id: int, *, attempt: int) -> Permission | None:
    """What the gate asks right before a change leaves: one statement, one moment."""
    values = {**held(execution_id, attempt), "moment": unit.now}
    row = unit.connection.execute(_PERMISSION, values).one_or_none()
    if row is None:
        return None
    return Permission(bool(row.holds_lease), Mode(row.mode), bool(row.is_live), bool(row.is_confirmed))


def held(execution_id: int, attempt: int) -> dict[str, int]:
    """What ``HELD`` asks for."""
    return {"execution_id": execution_id, "held_attempt": attempt}


def to_executions(result: sa.CursorResult[Any]) -> list[Execution]:
    """Rows as executions."""
    return [to_execution(row) for row in result]


def to_execution(row: sa.Row[Any]) -> Execution:
    """A row that begins with the columns of an execution."""
    values = dict(zip(_FIELDS, row, strict=False))
    values["state"] = State(values["state"])
    values["trigger"] = Trigger(values["trigger"])
    return Execution(**values)


def _one(result: sa.CursorResult[Any]) -> Execution | None:
    row = result.one_or_none()
    return to_execution(row) if row is not None else None
