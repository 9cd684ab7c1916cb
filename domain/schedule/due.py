"""What becomes of the moments that have come: which run, which are counted as missed and why. None is ever dropped:
the moments from ``planned`` to ``now`` are exactly those in ``run`` and those counted in ``missed``."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from zoneinfo import ZoneInfo

from domain.schedule.occurrences import SECOND, count, next_after, occurrences
from domain.schedule.schedule import Missed, Schedule

GRACE = timedelta(minutes=5)
"""The latest moment is on time this long, for schedules that skip what they missed; earlier ones ended with the next."""
RUN_ALL_LIMIT = 100
"""How many missed moments are caught up one by one: the latest ones."""


class Reason(StrEnum):
    """Why moments were missed."""

    CAUGHT_UP = "caught_up"
    """One later run stands for them."""
    TOO_MANY = "too_many"
    """More than ``RUN_ALL_LIMIT``; the later ones run."""
    LATE = "late"
    """The schedule skips what it missed."""

    @property
    def sentence(self) -> str:
        """For people."""
        return REASONS[self]


REASONS = {
    Reason.CAUGHT_UP: "Navette was off at that time, or its clock jumped; one later run stands for all that were missed.",
    Reason.TOO_MANY: f"Navette was off at that time, or its clock jumped; only the latest {RUN_ALL_LIMIT} are run.",
    Reason.LATE: "Navette was off at that time, or its clock jumped; this schedule skips what it missed.",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """Moments that will not run: how many (at least one), the first, the last, and why."""

    count: int
    first: datetime
    last: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Due:
    """The answer for one tick: the moments to run, oldest first; what was missed; and what to plan next."""

    run: tuple[datetime, ...]
    missed: Missing | None
    next: datetime


def due(
    schedule: Schedule, zone: ZoneInfo, *, planned: datetime, now: datetime, seed: int, grace: timedelta = GRACE
) -> Due:
    """Which moments from ``planned`` to ``now`` run, and which are missed.

    ``planned`` is the stored next moment and counts whatever the schedule says by now. A clock set back gives nothing to do
    and leaves ``planned`` as it is, so no moment comes twice.
    """
    if planned > now:
        return Due(run=(), missed=None, next=planned)
    total = 1 + count(schedule, zone, planned, until=now, seed=seed)
    limit = RUN_ALL_LIMIT if schedule.missed is Missed.RUN_ALL else 1
    latest = _latest(schedule, zone, planned=planned, now=now, seed=seed, total=total, wanted=min(total, limit + 1))
    run = latest[-limit:]
    reason = Reason.TOO_MANY if schedule.missed is Missed.RUN_ALL else Reason.CAUGHT_UP
    if schedule.missed is Missed.SKIP:
        reason = Reason.LATE
        if now - latest[-1] > grace:
            run = ()
    return Due(
        run=run,
        missed=_missing(total - len(run), latest[: len(latest) - len(run)], planned=planned, reason=reason),
        next=next_after(schedule, zone, now, seed=seed),
    )


def _missing(number: int, moments: tuple[datetime, ...], *, planned: datetime, reason: Reason) -> Missing | None:
    return Missing(count=number, first=planned, last=moments[-1], reason=reason) if number else None


def _latest(
    schedule: Schedule, zone: ZoneInfo, *, planned: datetime, now: datetime, seed: int, total: int, wanted: int
) -> tuple[datetime, ...]:
    """The latest ``wanted`` of the ``total`` moments up to ``now``, oldest first."""
    if wanted == total:
        return (planned, *_between(schedule, zone, planned, until=now, seed=seed))

    def followers(second: int) -> int:
        return count(schedule, zone, planned + second * SECOND, until=now, seed=seed)

    elapsed = int((now - planned) / SECOND) + 1
    back = 60 * wanted
    while back < elapsed and followers(elapsed - back) <= wanted:
        back *= 2
    low, high = max(elapsed - back, -1), elapsed  # more than wanted come after low, no more than wanted after high
    while high - low > 1:
        middle = (low + high) // 2
        if followers(middle) > wanted:
            low = middle
        else:
            high = middle
    return _between(schedule, zone, planned + high * SECOND, until=now, seed=seed)


def _between(
    schedule: Schedule, zone: ZoneInfo, after: datetime, *, until: datetime, seed: int
) -> tuple[datetime, ...]:
    return tuple(takewhile(lambda moment: moment <= until, occurrences(schedule, zone, after, seed=seed)))
