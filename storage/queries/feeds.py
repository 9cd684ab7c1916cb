"""Feeds: flows on integrations, with their schedules, marks and history in short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import one_of
from storage.database import Unit
from storage.rows import Feed
from storage.tables import executions, feeds, integrations, issues

_COLUMNS = tuple(feeds.c[field.name] for field in fields(Feed))


@dataclass(frozen=True, slots=True)
class DueFeed:
    """What a tick must know of a feed whose moment has come."""

    id: int
    schedule: dict[str, Any]
    due_at: datetime
    time_zone: str
    is_paused: bool


def insert(unit: Unit, integration_id: int, *, flows: Mapping[str, bool]) -> None:
    """Make the feeds of an integration, by flow: whether it is switched on. Feeds that exist are left as they are."""
    if not flows:
        return
    table = postgresql.insert(feeds) if unit.dialect == "postgresql" else sqlite.insert(feeds)
    unit.connection.execute(
        table.on_conflict_do_nothing(index_elements=["integration_id", "flow"]),
        [
            {"integration_id": integration_id, "flow": flow, "is_enabled": is_enabled}
            for flow, is_enabled in flows.items()
        ],
    )


def get(unit: Unit, feed_id: int) -> Feed | None:
    """One feed."""
    row = unit.connection.execute(sa.select(*_COLUMNS).where(feeds.c.id == feed_id)).one_or_none()
    return Feed(*row) if row is not None else None


def lock(unit: Unit, feed_id: int) -> Feed | None:
    """One feed, kept from other writers until the transaction ends: what is decided from its executions then holds."""
    row = unit.connection.execute(sa.select(*_COLUMNS).where(feeds.c.id == feed_id).with_for_update()).one_or_none()
    return Feed(*row) if row is not None else None


def find(unit: Unit, integration_id: int, *, flow: str) -> Feed | None:
    """The feed of a flow on an integration."""
    query = sa.select(*_COLUMNS).where(feeds.c.integration_id == integration_id, feeds.c.flow == flow)
    row = unit.connection.execute(query).one_or_none()
    return Feed(*row) if row is not None else None


def listed(unit: Unit, *, integration_id: int | None = None) -> list[Feed]:
    """All feeds, or those of one integration."""
    query = sa.select(*_COLUMNS).order_by(feeds.c.integration_id, feeds.c.id)
    if integration_id is not None:
        query = query.where(feeds.c.integration_id == integration_id)
    return [Feed(*row) for row in unit.connection.execute(query)]


def change(unit: Unit, feed_id: int, **values: object) -> bool:
    """Set columns such as ``is_enabled``, ``is_live``, ``schedule``, ``due_at``; False when there is no such feed."""
    return unit.connection.execute(feeds.update().where(feeds.c.id == feed_id).values(**values)).rowcount == 1


def pause(unit: Unit, feed_id: int, *, reason: str) -> bool:
    """Stop a feed until a person resumes it; False when it was stopped already, whose reason then stays."""
    statement = (
        feeds.update()
        .where(feeds.c.id == feed_id, feeds.c.paused_at.is_(None))
        .values(paused_at=unit.now, pause_reason=reason)
    )
    return unit.connection.execute(statement).rowcount == 1


def resume(unit: Unit, feed_id: int) -> bool:
    """Let a stopped feed go on; False when it was not stopped."""
    statement = (
        feeds.update()
        .where(feeds.c.id == feed_id, feeds.c.paused_at.is_not(None))
        .values(paused_at=None, pause_reason="")
    )
    return unit.connection.execute(statement).rowcount == 1


def set_mark(unit: Unit, feed_id: int, mark: str | None) -> None:
    """Where the next execution starts reading. Part of the transaction that saves what was read before it."""
    unit.connection.execute(feeds.update().where(feeds.c.id == feed_id).values(mark=mark))


def succeeded(unit: Unit, feed_id: int, *, seconds: float) -> None:
    """Note a success of the whole feed, and how long it took: the average forgets slowly (one part in five is new)."""
    average = sa.case((feeds.c.average_seconds.is_(None), seconds), else_=feeds.c.average_seconds * 0.8 + seconds * 0.2)
    unit.connection.execute(
        feeds.update().where(feeds.c.id == feed_id).values(succeeded_at=unit.now, average_seconds=average)
    )


def is_any_due(unit: Unit) -> bool:
    """Whether a tick has anything to do; cheap, and takes no lock."""
    return unit.connection.execute(sa.select(feeds.c.id).where(feeds.c.due_at <= unit.now).limit(1)).first() is not None


def due(unit: Unit, *, count: int) -> list[DueFeed]:
    """Feeds whose moment has come, longest due first, locked; those another scheduler works on are left to it."""
    query = (
        sa.select(
            feeds.c.id,
            feeds.c.schedule,
            feeds.c.due_at,
            integrations.c.time_zone,
            sa.or_(feeds.c.paused_at.is_not(None), integrations.c.paused_at.is_not(None)),
        )
        .join(integrations, integrations.c.id == feeds.c.integration_id)
        .where(feeds.c.due_at <= unit.now)
        .order_by(feeds.c.due_at)
        .limit(count)
        .with_for_update(of=feeds, skip_locked=True)
    )
    return [
        DueFeed(feed_id, schedule, due_at, zone, bool(is_paused))
        for feed_id, schedule, due_at, zone, is_paused in unit.connection.execute(query)
    ]


def set_due(unit: Unit, moments: Mapping[int, datetime | None]) -> None:
    """The next moment of many feeds, in one statement."""
    if moments:
        statement = feeds.update().where(feeds.c.id == sa.bindparam("feed_id")).values(due_at=sa.bindparam("moment"))
        unit.connection.execute(
            statement, [{"feed_id": feed_id, "moment": moment} for feed_id, moment in moments.items()]
        )


def open_causes(unit: Unit, integration_id: int, *, flow: str) -> list[str]:
    """The causes of open issues that concern a whole feed, ``flow:…``."""
    query = sa.select(issues.c.cause).where(
        issues.c.integration_id == integration_id,
        issues.c.cause >= f"{flow}:",
        issues.c.cause < f"{flow};",
        issues.c.state == "open",
    )
    return list(unit.connection.execute(query).scalars())


def without_success(unit: Unit, *, since: datetime) -> list[tuple[Feed, str, datetime]]:
    """Scheduled feeds, not paused, with no success after ``since``: with their time zone and the moment that is counted
    from, their last success or else the first time they were asked to run. Feeds never asked are left out."""
    first = sa.select(sa.func.min(executions.c.requested_at)).where(executions.c.feed_id == feeds.c.id)
    counted_from = sa.func.coalesce(feeds.c.succeeded_at, first.scalar_subquery(), type_=feeds.c.succeeded_at.type)
    query = (
        sa.select(*_COLUMNS, integrations.c.time_zone, counted_from.label("counted_from"))
        .join(integrations, integrations.c.id == feeds.c.integration_id)
        .where(
            feeds.c.due_at.is_not(None),
            feeds.c.is_enabled,
            feeds.c.paused_at.is_(None),
            integrations.c.paused_at.is_(None),
            counted_from < since,
        )
    )
    return [(Feed(*row[:-2]), row.time_zone, row.counted_from) for row in unit.connection.execute(query)]


def names(unit: Unit, feed_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """By feed, its integration's id and its flow."""
    query = sa.select(feeds.c.id, feeds.c.integration_id, feeds.c.flow).where(one_of(feeds.c.id))
    return {row.id: (row.integration_id, row.flow) for row in unit.connection.execute(query, {"ids": list(feed_ids)})}
