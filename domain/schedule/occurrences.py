"""The moments of a schedule, and the rules for clock changes.

- An interval runs on a grid fixed to UTC: every 30 minutes is every real 30 minutes, always.
- A cron that names hours names local times, and each of them runs once a day, never twice, never lost: in the repeated hour
  at its first occurrence, in the missing hour at the first instant after the gap (several times in one gap: one run).
- A cron for every hour of the day (``*/15 * * * *``) runs at every instant whose local minute it names, so in real
  quarters and hours; where the clock changes by half an hour (Lord Howe), minutes skipped or repeated count as shown.

Moments are aware UTC datetimes on whole seconds. ``seed`` is the feed's own number: it fixes the offset that jitter adds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.errors import BrokenInvariant, UserError
from domain.schedule.cron import Cron, read_cron
from domain.schedule.schedule import Schedule, phase

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def next_after(schedule: Schedule, zone: ZoneInfo, after: datetime, *, seed: int) -> datetime:
    """The first moment strictly after ``after``. Costs microseconds; ``UserError`` when the schedule is not valid."""
    if after.tzinfo is None:
        raise BrokenInvariant("A moment came without its time zone.", detail=repr(after))
    if schedule.every is not None:
        origin = EPOCH + _offset(schedule.jitter, seed, cap=schedule.every)
        return origin + ((after - origin) // schedule.every + 1) * schedule.every
    cron = cron_of(schedule)
    if not schedule.jitter:
        return _cron_after(cron, zone, after.astimezone(UTC))
    offset = offset_of(schedule, seed=seed)
    return _cron_after(cron, zone, after.astimezone(UTC) - offset) + offset


def occurrences(schedule: Schedule, zone: ZoneInfo, after: datetime, *, seed: int) -> Iterator[datetime]:
    """All moments strictly after ``after``, without end."""
    moment = after
    while True:
        moment = next_after(schedule, zone, moment, seed=seed)
        yield moment


def count(schedule: Schedule, zone: ZoneInfo, after: datetime, *, until: datetime, seed: int) -> int:
    """How many moments lie in ``(after, until]``: exact, and cheap also for years of them."""
    if until <= after:
        return 0
    if schedule.every is not None:
        origin = EPOCH + _offset(schedule.jitter, seed, cap=schedule.every)
        return (until - origin) // schedule.every - (after - origin) // schedule.every
    offset = offset_of(schedule, seed=seed)
    return _cron_count(cron_of(schedule), zone, after.astimezone(UTC) - offset, until=until.astimezone(UTC) - offset)


def cron_of(schedule: Schedule) -> Cron:
    """The expression of a schedule without an interval."""
    if schedule.cron is None:
        raise UserError(
            'A schedule needs an interval or a cron expression. Example: every 30 minutes, or "30 2 * * *".'
        )
    return read_cron(schedule.cron)


def offset_of(schedule: Schedule, *, seed: int) -> timedelta:
    """What jitter adds to every moment of this feed."""
    cap = schedule.every if schedule.every is not None else cron_of(schedule).shortest_gap
    return _offset(schedule.jitter, seed, cap=cap)


def instant_of(zone: ZoneInfo, wall: datetime) -> datetime:
    """When a local time happens: the first of two occurrences, or the first instant after the gap that swallows it."""
    local = wall.replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    return change_between(zone, local.replace(fold=1).astimezone(UTC), instant)


def change_between(zone: ZoneInfo, earlier: datetime, later: datetime) -> datetime:
    """The first instant, in whole seconds, whose offset is no longer that of ``earlier``; ``later`` must have another."""
    before = earlier.astimezone(zone).utcoffset()
    low, high = 0, int((later - earlier) / SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if (earlier + middle * SECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return earlier + high * SECOND


def _offset(jitter: timedelta, seed: int, *, cap: timedelta) -> timedelta:
    return phase(seed, within=min(jitter, cap)) if jitter else jitter


def _cron_after(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime:
    return _hand_after(cron, zone, after) if cron.is_every_hour else _time_after(cron, zone, after)


def _time_after(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime:
    """For local times: instants follow the wall order, so the first later one is the answer."""
    wall = after.astimezone(zone).replace(tzinfo=None, fold=0)
    while True:
        wall = cron.after(wall)
        instant = instant_of(zone, wall)
        if instant > after:  # a time of the repeated hour had its turn already
            return instant


def _hand_after(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime:
    """For every hour: follow the clock hand up to the next change, and go on from what it shows there."""
    while True:
        after = after.replace(microsecond=0)
        local = after.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0)
        instant = after + (cron.after(wall) - wall)
        # A change sets the hand back by less than a day: looking one day ahead is enough not to miss what comes again.
        ahead = min(instant, after + DAY)
        if ahead.astimezone(zone).utcoffset() != local.utcoffset():
            after = change_between(zone, after, ahead)
            wall = after.astimezone(zone).replace(tzinfo=None, fold=0)
            if wall.second == 0 and cron.names(wall):
                return after
        elif instant == ahead or instant.astimezone(zone).utcoffset() == local.utcoffset():
            return instant
        else:  # nothing is named in between, and two days are more than a change can move the hand
            after = max(ahead, instant - 2 * DAY)


def _cron_count(cron: Cron, zone: ZoneInfo, after: datetime, *, until: datetime) -> int:
    """Day by day: arithmetic where the clock does not change, one by one where it does."""
    total = 0
    local = after.astimezone(zone)
    while after < until:
        end = min(after + DAY, until)
        local_end = end.astimezone(zone)
        if local.utcoffset() == local_end.utcoffset() and not local.fold:
            total += cron.count(local.replace(tzinfo=None), local_end.replace(tzinfo=None, fold=0))
        else:
            moment = _cron_after(cron, zone, after)
            while moment <= end:
                total += 1
                moment = _cron_after(cron, zone, moment)
        after, local = end, local_end
    return total
