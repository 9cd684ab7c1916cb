"""What waits: moments of schedules turned into executions, and those that workers must be told of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from storage.bulk import one_of
from storage.database import Unit
from storage.queries.executions import UNFINISHED, insert_statement
from storage.rows import State, Trigger
from storage.tables import executions, feeds, integrations


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
    unit.connection.execute(
        insert_statement(unit).on_conflict_do_nothing(index_elements=["feed_id", "due_at"]),
        [
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
        ],
    )


def latest_skips(unit: Unit, feed_ids: Sequence[int], *, reason: str) -> dict[int, int]:
    """By feed, its newest execution where that is a skipped one for ``reason``: further moments can be counted on it."""
    newest = sa.select(sa.func.max(executions.c.id)).where(one_of(executions.c.feed_id)).group_by(executions.c.feed_id)
    query = sa.select(executions.c.feed_id, executions.c.id).where(
        executions.c.id.in_(newest), executions.c.state == State.SKIPPED, executions.c.reason == reason
    )
    return {row.feed_id: row.id for row in unit.connection.execute(query, {"ids": list(feed_ids)})}


def add_occurrences(unit: Unit, counts: Mapping[int, int]) -> None:
    """Count further moments on rows that stand for several."""
    if counts:
        statement = (
            executions.update()
            .where(executions.c.id == sa.bindparam("execution_id"))
            .values(occurrences=executions.c.occurrences + sa.bindparam("more"))
        )
        unit.connection.execute(statement, [{"execution_id": row, "more": more} for row, more in counts.items()])


def busy_feeds(unit: Unit, feed_ids: Sequence[int]) -> set[int]:
    """Those of the feeds that have an unfinished execution of the whole feed."""
    query = (
        sa.select(executions.c.feed_id)
        .where(one_of(executions.c.feed_id), executions.c.state.in_(UNFINISHED), executions.c.scope.is_(None))
        .distinct()
    )
    return set(unit.connection.execute(query, {"ids": list(feed_ids)}).scalars())


def queued_feeds(unit: Unit, feed_ids: Sequence[int]) -> set[int]:
    """Those of the feeds that have a queued execution of the whole feed."""
    query = (
        sa.select(executions.c.feed_id)
        .where(one_of(executions.c.feed_id), executions.c.state == State.QUEUED, executions.c.scope.is_(None))
        .distinct()
    )
    return set(unit.connection.execute(query, {"ids": list(feed_ids)}).scalars())


def next_queued(unit: Unit, feed_ids: Sequence[int]) -> list[int]:
    """For each of the feeds, its oldest queued execution whose time has come."""
    query = (
        sa.select(sa.func.min(executions.c.id))
        .where(one_of(executions.c.feed_id), executions.c.state == State.QUEUED, executions.c.available_at <= unit.now)
        .group_by(executions.c.feed_id)
        .order_by(sa.func.min(executions.c.id))
    )
    return list(unit.connection.execute(query, {"ids": list(feed_ids)}).scalars())


def advance(unit: Unit, feed_ids: Sequence[int]) -> None:
    """Make queued executions of feeds available now: what they waited for has happened."""
    statement = (
        executions.update()
        .where(one_of(executions.c.feed_id), executions.c.state == State.QUEUED, executions.c.available_at > unit.now)
        .values(available_at=unit.now, rung_at=None)
    )
    unit.connection.execute(statement, {"ids": list(feed_ids)})


def to_ring(unit: Unit, *, rung_longer_ago: timedelta, count: int = 1000) -> list[int]:
    """Queued executions that could run now and that nobody was told of, or so long ago that the message must be lost."""
    running = executions.alias("running")
    is_running = (
        sa.select(running.c.id)
        .where(running.c.feed_id == executions.c.feed_id, running.c.state == State.RUNNING)
        .exists()
    )
    query = (
        sa.select(executions.c.id)
        .join(feeds, feeds.c.id == executions.c.feed_id)
        .join(integrations, integrations.c.id == feeds.c.integration_id)
        .where(
            executions.c.state == State.QUEUED,
            executions.c.available_at <= unit.now,
            sa.or_(executions.c.rung_at.is_(None), executions.c.rung_at < unit.now - rung_longer_ago),
            feeds.c.is_enabled,
            feeds.c.paused_at.is_(None),
            integrations.c.paused_at.is_(None),
            ~is_running,
        )
        .order_by(executions.c.id)
        .limit(count)
    )
    return list(unit.connection.execute(query).scalars())


def mark_rung(unit: Unit, execution_ids: Sequence[int]) -> None:
    """Note that workers were told of these just now."""
    statement = executions.update().where(one_of(executions.c.id)).values(rung_at=unit.now)
    unit.connection.execute(statement, {"ids": list(execution_ids)})
