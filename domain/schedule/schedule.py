"""What a schedule declares. It is stored as JSON; a time span is written as an ISO 8601 duration, such as ``PT30M``."""

from datetime import timedelta
from enum import StrEnum
from hashlib import blake2b

import msgspec


class Overlap(StrEnum):
    """What to do with a moment that comes while the feed still runs."""

    SKIP = "skip"
    QUEUE = "queue"


class Missed(StrEnum):
    """What to do, after downtime, with the moments that went by."""

    RUN_ONCE = "run_once"
    """One run, for the latest of them."""
    RUN_ALL = "run_all"
    """One run each, up to ``due.RUN_ALL_LIMIT``."""
    SKIP = "skip"
    """None; the next planned moment is the next run."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of ``every`` and ``cron``; ``validate`` says so, and everything else, in a sentence for people.

    - ``every`` runs each time that much real time has gone by, on a grid fixed to UTC, whatever the local clock does.
    - ``cron`` has five fields, on the wall clock of the integration's zone: minute, hour, day, month, day of the week.
    - ``jitter`` moves all moments of a feed by one stable offset in ``[0, jitter)``, so that feeds do not start together.
      It never reaches the next moment: an interval, or the shortest distance between two times of a cron, is its cap.
    """

    every: timedelta | None = None
    cron: str | None = None
    jitter: timedelta = timedelta(0)
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.RUN_ONCE


def minutes(count: int) -> timedelta:
    """``Schedule(every=minutes(30))`` reads as it is spoken."""
    return timedelta(minutes=count)


def hours(count: int) -> timedelta:
    """``Schedule(every=hours(6))``."""
    return timedelta(hours=count)


def daily(at: str) -> str:
    """The cron expression of one local time: ``Schedule(cron=daily("02:30"))``."""
    hour, _, minute = at.partition(":")
    return f"{int(minute)} {int(hour)} * * *"


def phase(seed: int, *, within: timedelta) -> timedelta:
    """A stable offset in ``[0, within)``, in whole seconds, evenly spread over seeds. Also good for spreading catch-ups."""
    seconds = int(within.total_seconds())
    if seconds <= 0:
        return timedelta(0)
    digest = blake2b(str(seed).encode(), digest_size=8).digest()
    return timedelta(seconds=(int.from_bytes(digest) * seconds) >> 64)
