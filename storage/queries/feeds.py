"""Feeds: flows on integrations, with their schedules, marks and history in short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import encode_rows, given_rows, one_of
from storage.database import Unit
from storage.queries import integrations
from storage.rows import Feed, Integration
from storage.tables import executions, feeds, issues
from storage.tables import integrations as integration_table

_COLUMNS = tuple(feeds.c[field.name] for field in fields(Feed))
_COUNT = len(_COLUMNS)
_IS_IT = feeds.c.id == sa.bindparam("feed_id")
_MOMENT = sa.bindparam("moment", type_=feeds.c.due_at.type)

# Built once: to build a statement takes longer than to run it. Columns to set may be added where one is executed.
_GET = sa.select(*_COLUMNS).where(_IS_IT)
_LOCK = _GET.with_for_update()
_WITH_INTEGRATION = (
    sa.select(*_COLUMNS, *integrations.COLUMNS)
    .join(integration_table, integration_table.c.id == feeds.c.integration_id)
    .where(_IS_IT)
)
_LOCK_WITH_INTEGRATION = _WITH_INTEGRATION.with_for_update(of=feeds)
_FIND = sa.select(*_COLUMNS).where(
    feeds.c.integration_id == sa.bindparam("integration"), feeds.c.flow == sa.bindparam("named")
)
_LISTED = sa.select(*_COLUMNS).order_by(feeds.c.integration_id, feeds.c.id)
_OF_INTEGRATION = _LISTED.where(feeds.c.integration_id == sa.bindparam("integration"))
_CHANGE = feeds.update().where(_IS_IT)
_HAS_OPEN_ISSUE = (
    sa.select(issues.c.id)
    .where(
        issues.c.integration_id == feeds.c.integration_id,
        issues.c.cause >= feeds.c.flow + ":",
        issues.c.cause < feeds.c.flow + ";",
        issues.c.state == "open",
    )
    .correlate(feeds)
    .exists()
)
_SECONDS = sa.bindparam("seconds", type_=sa.Float())
_SUCCEEDED = _CHANGE.values(
    average_seconds=sa.case(
        (feeds.c.average_seconds.is_(None), _SECONDS), else_=feeds.c.average_seconds * 0.8 + _SECONDS * 0.2
    )
).returning(_HAS_OPEN_ISSUE)
_IS_ANY_DUE = sa.select(feeds.c.id).where(feeds.c.due_at <= _MOMENT).limit(1)
_DUE = (
    sa.select(
        feeds.c.id,
        feeds.c.schedule,
        feeds.c.due_at,
        integration_table.c.time_zone,
        sa.or_(feeds.c.paused_at.is_not(None), integration_table.c.paused_at.is_not(None)),
    )
    .join(integration_table, integration_table.c.id == feeds.c.integration_id)
    .where(feeds.c.due_at <= _MOMENT)
    .order_by(feeds.c.due_at)
    .limit(sa.bindparam("count"))
    .with_for_update(of=feeds, skip_locked=True)
)
_SET_DUE = _CHANGE.values(due_at=_MOMENT)
_MOMENTS = given_rows(feed_id=feeds.c.id, moment=feeds.c.due_at)
_SET_DUE_AT_ONCE = feeds.update().where(feeds.c.id == _MOMENTS.c.feed_id).values(due_at=_MOMENTS.c.moment)
_OPEN_CAUSES = sa.select(issues.c.cause).where(
    issues.c.integration_id == sa.bindparam("integration"),
    issues.c.cause >= sa.bindparam("first"),
    issues.c.cause < sa.bindparam("end"),
    issues.c.state == "open",
)
_NAMES = sa.select(feeds.c.id, feeds.c.integration_id, feeds.c.flow).where(one_of(feeds.c.id))


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
    return _one(unit.connection.execute(_GET, {"feed_id": feed_id}))


def lock(unit: Unit, feed_id: int) -> Feed | None:
    """One feed, kept from other writers until the transaction ends: what is decided from its executions then holds."""
    return _one(unit.connection.execute(_LOCK, {"feed_id": feed_id}))


def with_integration(unit: Unit, feed_id: int, *, locks: bool = False) -> tuple[Feed, Integration] | None:
    """One feed and the integration it belongs to. ``locks`` keeps the feed from other writers, as ``lock`` does."""
    query = _LOCK_WITH_INTEGRATION if locks else _WITH_INTEGRATION
    row = unit.connection.execute(query, {"feed_id": feed_id}).one_or_none()
    return (Feed(*row[:_COUNT]), integrations.to_integration(row[_COUNT:])) if row is not None else None


def find(unit: Unit, integration_id: int, *, flow: str) -> Feed | None:
    """The feed of a flow on an integration."""
    return _one(unit.connection.execute(_FIND, {"integration": integration_id, "named": flow}))


def listed(unit: Unit, *, integration_id: int | None = None) -> list[Feed]:
    """All feeds, or those of one integration."""
    if integration_id is None:
        return [Feed(*row) for row in unit.connection.execute(_LISTED)]
    return [Feed(*row) for row in unit.connection.execute(_OF_INTEGRATION, {"integration": integration_id})]


def change(unit: Unit, feed_id: int, **values: object) -> bool:
    """Set columns such as ``is_enabled``, ``is_live``, ``schedule``, ``due_at``; False when there is no such feed."""
    return unit.connection.execute(_CHANGE, {"feed_id": feed_id, **values}).rowcount == 1


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
    unit.connection.execute(_CHANGE, {"feed_id": feed_id, "mark": mark})


def succeeded(unit: Unit, feed_id: int, *, seconds: float) -> bool:
    """Note a success of the whole feed, and how long it took: the average forgets slowly (one part in five is new).

    Tells whether an issue of the flow is open.
    """
    values = {"feed_id": feed_id, "seconds": seconds, "succeeded_at": unit.now}
    return bool(unit.connection.execute(_SUCCEEDED, values).scalar_one())


def is_any_due(unit: Unit) -> bool:
    """Whether a tick has anything to do; cheap, and takes no lock."""
    return unit.connection.execute(_IS_ANY_DUE, {"moment": unit.now}).first() is not None


def due(unit: Unit, *, count: int) -> list[DueFeed]:
    """Feeds whose moment has come, longest due first, locked; those another scheduler works on are left to it."""
    return [
        DueFeed(feed_id, schedule, due_at, zone, bool(is_paused))
        for feed_id, schedule, due_at, zone, is_paused in unit.connection.execute(
            _DUE, {"moment": unit.now, "count": count}
        )
    ]


def set_due(unit: Unit, moments: Mapping[int, datetime | None]) -> None:
    """The next moment of many feeds, in one statement."""
    if moments:
        values = [{"feed_id": feed_id, "moment": moment} for feed_id, moment in moments.items()]
        if unit.dialect == "postgresql":
            unit.connection.execute(_SET_DUE_AT_ONCE, encode_rows(values))
        else:
            unit.connection.execute(_SET_DUE, values)


def open_causes(unit: Unit, integration_id: int, *, flow: str) -> list[str]:
    """The causes of open issues that concern a whole feed, ``flow:…``."""
    values = {"integration": integration_id, "first": f"{flow}:", "end": f"{flow};"}
    return list(unit.connection.execute(_OPEN_CAUSES, values).scalars())


def without_success(unit: Unit, *, since: datetime) -> list[tuple[Feed, str, datetime]]:
    """Scheduled feeds, not paused, with no success after ``since``: with their time zone and the moment that is counted
    from, their last success or else the first time they were asked to run. Feeds never asked are left out."""
    first = sa.select(sa.func.min(executions.c.requested_at)).where(executions.c.feed_id == feeds.c.id)
    counted_from = sa.func.coalesce(feeds.c.succeeded_at, first.scalar_subquery(), type_=feeds.c.succeeded_at.type)
    query = (
        sa.select(*_COLUMNS, integration_table.c.time_zone, counted_from.label("counted_from"))
        .join(integration_table, integration_table.c.id == feeds.c.integration_id)
        .where(
            feeds.c.due_at.is_not(None),
            feeds.c.is_enabled,
            feeds.c.paused_at.is_(None),
            integration_table.c.paused_at.is_(None),
            counted_from < since,
        )
    )
    return [(Feed(*row[:-2]), row.time_zone, row.counted_from) for row in unit.connection.execute(query)]


def names(unit: Unit, feed_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """By feed, its integration's id and its flow."""
    return {row.id: (row.integration_id, row.flow) for row in unit.connection.execute(_NAMES, {"ids": list(feed_ids)})}


def _one(result: sa.CursorResult[Any]) -> Feed | None:
    row: Sequence[Any] | None = result.one_or_none()
    return Feed(*row) if row is not None else None
