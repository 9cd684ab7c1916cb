"""Turns schedules into executions. Any number of schedulers may tick at once: the database gives each moment to one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
import structlog

from domain.errors import UserError
from domain.schedule import GRACE, Due, Overlap, Schedule, due, next_after, phase, validate
from engine.runtime import sweeper
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import feeds, integrations, queue
from storage.queries.feeds import DueFeed
from storage.queries.queue import Planned
from storage.rows import State, Trigger

log = structlog.get_logger()

CATCH_UP_SPREAD = timedelta(minutes=2)
"""After downtime every feed is late at once; their catch-ups start within this time, each feed at its own moment."""
PAUSED = "Not run: the flow or its integration was paused."
STILL_RUNS = "Not run: the execution before it had not ended."
_AT_ONCE = 2000


def tick(platform: Platform, *, count: int = _AT_ONCE) -> int:
    """Plan what is due, and tell workers. Returns how many feeds were due; as many as ``count``: there may be more."""
    if not platform.database.read(feeds.is_any_due):
        return 0
    planned = platform.database.write(lambda unit: plan(unit, count=count))
    sweeper.ring_waiting(platform)
    return planned


def plan(unit: Unit, *, count: int = _AT_ONCE) -> int:
    """Turn every moment up to now into a row: queued, skipped with its reason, or missed. All of it, or nothing."""
    ready = feeds.due(unit, count=count)
    if not ready:
        return 0
    ids = [feed.id for feed in ready]
    busy, queued = queue.busy_feeds(unit, ids)
    planned: list[Planned] = []
    skips: dict[int, list[Planned]] = {}
    following: dict[int, datetime | None] = {}
    for feed in ready:
        schedule, zone = msgspec.convert(feed.schedule, Schedule), _zone(feed.time_zone)
        answer = due(schedule, zone, planned=feed.due_at, now=unit.now, seed=feed.id)
        following[feed.id] = answer.next
        if feed.is_paused:
            skips[feed.id] = [_skipped(feed, answer, PAUSED)]
            continue
        planned += _missed(feed, answer)
        is_held_up = feed.id in (queued if schedule.overlap is Overlap.QUEUE else busy)
        planned += (
            [_skipped(feed, answer, STILL_RUNS, only_runs=True)]
            if is_held_up and answer.run
            else _runs(feed, answer, unit.now)
        )
    _collapse(unit, skips)
    queue.plan(unit, planned)
    feeds.set_due(unit, following)
    counted = Counter(row.state.value for row in planned)
    log.info("moments_planned", feeds=len(ready), paused=len(skips), **counted)
    return len(ready)


def set_schedule(unit: Unit, feed_id: int, schedule: Schedule | None) -> datetime | None:
    """Give a feed a schedule, or none, and return its next moment. Raises ``UserError`` saying what is wrong with it."""
    feed = feeds.lock(unit, feed_id)
    if feed is None:
        raise UserError("This flow does not exist any more.")
    stored = msgspec.to_builtins(schedule) if schedule is not None else None
    feeds.change(unit, feed_id, schedule=stored)
    return replan(unit, [feed_id])[feed_id]


def set_enabled(unit: Unit, feed_id: int, *, is_enabled: bool) -> datetime | None:
    """Switch a feed on or off and return its next moment. Switched off, it has none, and none is counted."""
    feeds.change(unit, feed_id, is_enabled=is_enabled)
    return replan(unit, [feed_id])[feed_id]


def replan(unit: Unit, feed_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Compute the next moments anew: after a change of schedule, of time zone, or of what is switched on."""
    moments: dict[int, datetime | None] = {}
    for feed_id in feed_ids:
        feed = feeds.get(unit, feed_id)
        integration = integrations.get(unit, feed.integration_id) if feed is not None else None
        if feed is None or integration is None:
            raise UserError("This flow does not exist any more.")
        moments[feed_id] = None
        if feed.is_enabled and feed.schedule is not None:
            schedule = msgspec.convert(feed.schedule, Schedule)
            zone = validate(schedule, integration.time_zone)
            moments[feed_id] = next_after(schedule, zone, unit.now, seed=feed_id)
    feeds.set_due(unit, moments)
    return moments


def _runs(feed: DueFeed, answer: Due, now: datetime) -> list[Planned]:
    rows = []
    for moment in answer.run:
        is_late = answer.missed is not None or now - moment > GRACE
        rows.append(
            Planned(
                feed_id=feed.id,
                due_at=moment,
                trigger=Trigger.CATCH_UP if is_late else Trigger.SCHEDULE,
                available_at=now + phase(feed.id, within=CATCH_UP_SPREAD) if is_late else None,
            )
        )
    return rows


def _missed(feed: DueFeed, answer: Due) -> Sequence[Planned]:
    if answer.missed is None:
        return ()
    return (
        Planned(
            feed_id=feed.id,
            due_at=answer.missed.last,
            trigger=Trigger.SCHEDULE,
            state=State.MISSED,
            reason=answer.missed.reason.sentence,
            occurrences=answer.missed.count,
        ),
    )


def _skipped(feed: DueFeed, answer: Due, reason: str, *, only_runs: bool = False) -> Planned:
    """One row for all moments that will not run for one reason."""
    others = answer.missed.count if answer.missed is not None and not only_runs else 0
    last = answer.run[-1] if answer.run else feed.due_at
    return Planned(
        feed_id=feed.id,
        due_at=last,
        trigger=Trigger.SCHEDULE,
        state=State.SKIPPED,
        reason=reason,
        occurrences=len(answer.run) + others,
    )


def _collapse(unit: Unit, skips: dict[int, list[Planned]]) -> None:
    """A feed paused for a month is one row, not four thousand: count further moments on the row that is there."""
    if not skips:
        return
    former = queue.latest_skips(unit, list(skips), reason=PAUSED)
    queue.add_occurrences(
        unit,
        {former[feed_id]: sum(row.occurrences for row in rows) for feed_id, rows in skips.items() if feed_id in former},
    )
    queue.plan(unit, [row for feed_id, rows in skips.items() if feed_id not in former for row in rows])


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
