"""Finds what was left lying by a crash: lost leases, executions nobody was told of; and feeds that are not well."""

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import msgspec
import structlog

from domain import clock
from domain.errors import PlatformError
from domain.schedule import Schedule, next_after
from engine.runtime import issues
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import feeds, heartbeats, history, leases, queue
from storage.rows import Execution, State

log = structlog.get_logger()

MOST_LOST_LEASES = 3
_RUNG_LONG_AGO = timedelta(minutes=10)
_FORGET_AFTER = timedelta(hours=1)
_REVIEW_EVERY = 60.0
_SLOW_TIMES = 3.0
_SLOW_AT_LEAST = timedelta(minutes=1)
_OVERDUE_AT_LEAST = timedelta(minutes=10)


class Sweeper:
    """One round every few seconds; any number of processes may sweep at once."""

    def __init__(self, platform: Platform) -> None:
        """Remembers between rounds only when it must hold back."""
        self._platform = platform
        self._last: tuple[datetime, float] | None = None
        self._patient_until = 0.0
        self._reviewed_at: float | None = None

    def sweep(self) -> None:
        """One round. Raises a ``TransientError`` when the database is out of reach."""
        platform = self._platform
        try:
            self._watch_clock(platform.database.now())
            lease_seconds = platform.settings.lease_seconds
            platform.database.write(lambda unit: leases.shorten_leases(unit, lease_seconds=lease_seconds))
            if clock.monotonic() >= self._patient_until:
                take_back_lost(platform)
            ring_waiting(platform)
            self._review()
        except PlatformError:
            self._be_patient()  # workers could not renew their leases either: they get the time of one to do so
            raise

    def _watch_clock(self, now: datetime) -> None:
        """A clock set forward ends every lease at once; their holders get the time to renew them."""
        monotonic = clock.monotonic()
        if self._last is not None:
            jump = (now - self._last[0]).total_seconds() - (monotonic - self._last[1])
            if jump > self._platform.settings.lease_seconds / 3:
                log.warning("clock_jumped", seconds=round(jump))
                self._be_patient()
        self._last = (now, monotonic)

    def _be_patient(self) -> None:
        self._patient_until = clock.monotonic() + self._platform.settings.lease_seconds

    def _review(self) -> None:
        """What changes slowly is looked at once a minute."""
        monotonic = clock.monotonic()
        if self._reviewed_at is not None and monotonic - self._reviewed_at < _REVIEW_EVERY:
            return
        self._reviewed_at = monotonic
        self._platform.database.write(raise_slow)
        self._platform.database.write(raise_overdue)
        self._platform.database.write(lambda unit: heartbeats.forget(unit, before=unit.now - _FORGET_AFTER))


def take_back_lost(platform: Platform) -> int:
    """Queue executions whose worker is gone; the third time, fail them and pause their feed. Returns how many there were."""
    return platform.database.write(lambda unit: sum(_take_back(unit, execution) for execution in leases.lost(unit)))


def ring_waiting(platform: Platform) -> int:
    """Ring for queued executions nobody was told of, or whose message must be lost. Returns how many were rung."""
    rung = 0
    while True:
        is_idle = platform.dispatcher.backlog() == 0
        age = timedelta(seconds=platform.settings.sweep_seconds) if is_idle else _RUNG_LONG_AGO
        waiting = platform.database.read(partial(queue.to_ring, rung_longer_ago=age))
        if not waiting or not platform.dispatcher.ring(waiting):
            return rung
        platform.database.write(partial(queue.mark_rung, execution_ids=waiting))
        rung += len(waiting)


def raise_slow(unit: Unit) -> None:
    """An issue for each running execution that takes three times as long as its feed usually does."""
    for slow in history.running_longer_than_usual(unit, times=_SLOW_TIMES, at_least=_SLOW_AT_LEAST):
        _raise_once(
            unit,
            feed_id=slow.execution.feed_id,
            code="slow",
            message=f"Execution {slow.execution.id} takes more than three times as long as this flow usually does.",
            remedy="See how far it is; if it no longer moves, cancel it and run the flow again.",
        )


def raise_overdue(unit: Unit) -> None:
    """An issue for each scheduled feed with no success since twice its interval."""
    for feed, time_zone, counted_from in feeds.without_success(unit, since=unit.now - _OVERDUE_AT_LEAST):
        schedule = msgspec.convert(feed.schedule, Schedule)
        following = next_after(schedule, ZoneInfo(time_zone), unit.now, seed=feed.id)
        interval = next_after(schedule, ZoneInfo(time_zone), following, seed=feed.id) - following
        if unit.now - counted_from > 2 * interval:
            _raise_once(
                unit,
                feed_id=feed.id,
                code="overdue",
                message=f"This flow has had no success since {counted_from:%Y-%m-%d %H:%M} UTC, longer than twice its interval.",
                remedy="Look at its last executions for the reason, then run it now.",
            )


def _take_back(unit: Unit, execution: Execution) -> bool:
    is_last = execution.lost_leases + 1 >= MOST_LOST_LEASES
    if execution.is_cancelling:
        return leases.take_back(unit, execution, state=State.CANCELLED, reason="Cancelled while its worker was gone.")
    if not is_last:
        taken = leases.take_back(unit, execution, state=State.QUEUED, reason="Its worker was lost; it is tried again.")
        log.warning("lease_taken_back", execution=execution.id, feed=execution.feed_id, lost=execution.lost_leases + 1)
        return taken
    message = f"Execution {execution.id} lost its worker {MOST_LOST_LEASES} times, so it was stopped."
    if not leases.take_back(unit, execution, state=State.FAILED, reason=message):
        return False
    log.error("execution_given_up", execution=execution.id, feed=execution.feed_id)
    feeds.pause(unit, execution.feed_id, reason=message)
    _raise_once(
        unit,
        feed_id=execution.feed_id,
        code="lease_lost",
        message=f"{message} The flow is paused, so that others are not held up.",
        remedy="Look into the log for what ended the worker, such as a lack of memory; then resume the flow.",
    )
    return True


def _raise_once(unit: Unit, *, feed_id: int, code: str, message: str, remedy: str) -> None:
    """Raise a feed's issue unless it is open already: being looked at again is no further occurrence."""
    integration_id, flow = feeds.names(unit, [feed_id])[feed_id]
    cause = f"{flow}:{code}"
    if cause not in feeds.open_causes(unit, integration_id, flow=flow):
        issues.raise_issue(
            unit, integration_id=integration_id, feed_id=feed_id, cause=cause, message=message, remedy=remedy
        )
