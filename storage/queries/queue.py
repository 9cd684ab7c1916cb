"""What waits: moments of schedules turned into executions, and those that workers must be told of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from storage.bulk import encode_rows, given_rows, one_of
from storage.database import Unit
from storage.queries.executions import INSERT, UNFINISHED
from storage.rows import State, Trigger
from storage.tables import executions, feeds, integrations

_MOMENT = sa.bindparam("moment", type_=executions.c.available_at.type)
_OF_FEEDS = one_of(executions.c.feed_id)
_QUEUED = executions.c.state == State.QUEUED
_IS_WHOLE = executions.c.scope.is_(None)
_OLDEST = sa.func.min(executions.c.id)
_running = executions.alias("running")

_PLANNED = (
    "feed_id",
    "trigger",
    "state",
    "reason",
    "due_at",
    "occurrences",
    "requested_at",
    "available_at",
    "ended_at",
)

# Built once: to build a statement takes longer than to run it.
_PLAN_AT_ONCE = INSERT["postgresql"].from_select(
    _PLANNED, sa.select(given_rows(**{name: executions.c[name] for name in _PLANNED}))
)
_LATEST_SKIPS = sa.select(executions.c.feed_id, executions.c.id).where(
    executions.c.id.in_(sa.select(sa.func.max(executions.c.id)).where(_OF_FEEDS).group_by(executions.c.feed_id)),
    executions.c.state == State.SKIPPED,
    executions.c.reason == sa.bindparam("why"),
)
_ADD_OCCURRENCES = (
    executions.update()
    .where(executions.c.id == sa.bindparam("execution_id"))
    .values(occurrences=executions.c.occurrences + sa.bindparam("more"))
)
_BUSY = (
    sa.select(executions.c.feed_id, executions.c.state)
    .where(_OF_FEEDS, executions.c.state.in_(UNFINISHED), _IS_WHOLE)
    .distinct()
)
_NEXT = (
    sa.select(_OLDEST)
    .where(_OF_FEEDS, _QUEUED, executions.c.available_at <= _MOMENT)
    .group_by(executions.c.feed_id)
    .order_by(_OLDEST)
)
_ADVANCE = executions.update().where(_OF_FEEDS, _QUEUED, executions.c.available_at > _MOMENT)
_TO_RING = (
    sa.select(executions.c.id)
    .join(feeds, feeds.c.id == executions.c.feed_id)
    .join(integrations, integrations.c.id == feeds.c.integration_id)
    .where(
        _QUEUED,
        executions.c.available_at <= _MOMENT,
        sa.or_(executions.c.rung_at.is_(None), executions.c.rung_at < sa.bindparam("long_ago")),
        feeds.c.is_enabled,
        feeds.c.paused_at.is_(None),
        integrations.c.paused_at.is_(None),
        ~sa.select(_running.c.id)
        .where(_running.c.feed_id == executions.c.feed_id, _running.c.state == State.RUNNING)
        .exists(),
    )
    .order_by(executions.c.id)
    .limit(sa.bindparam("count"))
)
_MARK_RUNG = executions.update().where(one_of(executions.c.id))


@dataclass(frozen=True, slots=True)
class Planned:
    """A moment of a schedule and what becomes of it: queued, skipped or missed. ``occurrences`` moments stand behind it."""

    feed_id: int
    due_at: datetime
    trigger: Trigger
    state: State = State.QUEUED
    reason: str = ""
    occurrences: int = 1
    available_at: datetime | None = None


def plan(unit: Unit, moments: Sequence[Planned]) -> None:
    """Insert many moments in one statement; those whose slot is taken are left as they are."""
    if not moments:
        return
    rows = [
        {
            "feed_id": moment.feed_id,
            "trigger": moment.trigger,
            "state": moment.state,
            "reason": moment.reason,
            "due_at": moment.due_at,
            "occurrences": moment.occurrences,
            "requested_at": unit.now,
            "available_at": moment.available_at or unit.now,
            "ended_at": None if moment.state is State.QUEUED else unit.now,
        }
        for moment in moments
    ]
    if unit.dialect == "postgresql":
        unit.connection.execute(_PLAN_AT_ONCE, encode_rows(rows))
    else:
        unit.connection.execute(INSERT["sqlite"], rows)


def latest_skips(unit: Unit, feed_ids: Sequence[int], *, reason: str) -> dict[int, int]:
    """By feed, its newest execution where that is a skipped one for ``reason``: further moments can be counted on it."""
    rows = unit.connection.execute(_LATEST_SKIPS, {"ids": list(feed_ids), "why": reason})
    return {row.feed_id: row.id for row in rows}


def add_occurrences(unit: Unit, counts: Mapping[int, int]) -> None:
    """Count further moments on rows that stand for several."""
    if counts:
        values = [{"execution_id": execution_id, "more": more} for execution_id, more in counts.items()]
        unit.connection.execute(_ADD_OCCURRENCES, values)


def busy_feeds(unit: Unit, feed_ids: Sequence[int]) -> tuple[set[int], set[int]]:
    """Those of the feeds that have an unfinished execution of the whole feed, and those of them that have a queued one."""
    found = unit.connection.execute(_BUSY, {"ids": list(feed_ids)}).all()
    return {feed_id for feed_id, _ in found}, {feed_id for feed_id, state in found if state == State.QUEUED}


def next_queued(unit: Unit, feed_ids: Sequence[int]) -> list[int]:
    """For each of the feeds, its oldest queued execution whose time has come."""
    return list(unit.connection.execute(_NEXT, {"ids": list(feed_ids), "moment": unit.now}).scalars())


def advance(unit: Unit, feed_ids: Sequence[int]) -> None:
    """Make queued executions of feeds available now: what they waited for has happened."""
    values = {"ids": list(feed_ids), "moment": unit.now, "available_at": unit.now, "rung_at": None}
    unit.connection.execute(_ADVANCE, values)


def to_ring(unit: Unit, *, rung_longer_ago: timedelta, count: int = 1000) -> list[int]:
    """Queued executions that could run now and that nobody was told of, or so long ago that the message must be lost."""
    values = {"moment": unit.now, "long_ago": unit.now - rung_longer_ago, "count": count}
    return list(unit.connection.execute(_TO_RING, values).scalars())


def mark_rung(unit: Unit, execution_ids: Sequence[int]) -> None:
    """Note that workers were told of these just now."""
    unit.connection.execute(_MARK_RUNG, {"ids": list(execution_ids), "rung_at": unit.now})
