"""Random schedules in every zone, over every clock change from 2020 to 2037, against a slow and independent walk.

The walk goes through real time minute by minute and looks at the wall clock as a person would: it knows nothing of the
engine's arithmetic, and writes its own cron expressions from sets of numbers instead of reading any.

A failure names its case, which is its seed. ``CASES`` is kept small for everyday use; a release raises it to 100,000.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest

from domain.schedule import Schedule, count, describe, next_after, occurrences, upcoming, validate

CASES = 400
"""Schedules per run, each in one window around one clock change."""
BATCHES = 8
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
AROUND = timedelta(hours=30)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Numbers:
    """A cron as the walk understands it: plain sets."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    weekdays: frozenset[int]

    def names(self, wall: datetime) -> bool:
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.day in self.days
            and wall.isoweekday() % 7 in self.weekdays
        )


@cache
def clock_changes() -> dict[str, tuple[datetime, ...]]:
    """For every zone that has any: the instants at which its offset changes. Zones with equal changes are one."""
    distinct: dict[tuple[object, ...], tuple[str, tuple[datetime, ...]]] = {}
    step = timedelta(days=4)
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        found: list[datetime] = []
        offsets: list[object] = []
        probe, before = FIRST, FIRST.astimezone(zone).utcoffset()
        while probe < LAST:
            after = (probe + step).astimezone(zone).utcoffset()
            if after != before:
                found.append(exact_change(zone, probe, probe + step))
                offsets += [found[-1], before, after]
            probe, before = probe + step, after
        if found:
            distinct.setdefault(tuple(offsets), (name, tuple(found)))
    return dict(distinct.values())


def exact_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > MINUTE:
        middle = low + (high - low) // MINUTE // 2 * MINUTE
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def field(random: Random, span: range, *, star: float) -> tuple[str, frozenset[int]]:
    """One cron field in one of the ways to write it, with the numbers it stands for."""
    if random.random() < star:
        return "*", frozenset(span)
    kind = random.randrange(4)
    if kind == 0:
        step = random.choice([2, 3, 5, 7, 10, 15, 20, 30])
        return f"*/{step}", frozenset(span[::step])
    if kind == 1:
        low, high = sorted(random.choices(span, k=2))
        return f"{low}-{high}", frozenset(range(low, high + 1))
    numbers = random.sample(span, k=random.randint(1, 1 if kind == 2 else 4))
    return ",".join(map(str, numbers)), frozenset(numbers)


def random_cron(random: Random) -> tuple[str, Numbers]:
    minute_text, minute_numbers = field(random, range(60), star=0.1)
    hour_text, hour_numbers = field(random, range(24), star=0.35)
    if hour_text != "*" and random.random() < 0.6:  # where changes happen
        hour_text, hour_numbers = field(random, range(4), star=0)
        hour_text = ",".join(map(str, sorted(hour_numbers)))
    day_text, day_numbers = field(random, range(1, 32), star=0.8)
    weekday_text, weekday_numbers = ("*", frozenset(range(7)))
    if day_text == "*":
        weekday_text, weekday_numbers = field(random, range(7), star=0.6)
    text = f"{minute_text} {hour_text} {day_text} * {weekday_text}"
    return text, Numbers(minute_numbers, hour_numbers, day_numbers, weekday_numbers)


def walk(numbers: Numbers, zone: ZoneInfo, start: datetime, *, end: datetime) -> Iterator[datetime]:
    """Look at the wall clock each minute of (start, end]. ``start`` must not lie within a repeated hour."""
    through = len(numbers.hours) == 24
    furthest = start.astimezone(zone).replace(tzinfo=None, fold=0)
    instant = start
    while instant < end:
        instant += MINUTE
        wall = instant.astimezone(zone).replace(tzinfo=None, fold=0)
        if through:
            runs = numbers.names(wall)
        else:
            runs = False
            while furthest < wall:  # also the minutes that the clock jumped over; none when it was set back
                furthest += MINUTE
                runs = numbers.names(furthest) or runs
        if runs:
            yield instant


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_crons_run_exactly_when_a_person_watching_the_clock_would_start_them(batch: int) -> None:
    zones = clock_changes()
    names = sorted(zones)
    for case in range(batch, CASES, BATCHES):
        random = Random(case)
        name = names[case % len(names)]
        zone = ZoneInfo(name)
        change = random.choice(zones[name])
        start = change - AROUND + random.randrange(600) * MINUTE
        end = change + AROUND
        text, numbers = random_cron(random)
        schedule = Schedule(cron=text)
        expected = list(walk(numbers, zone, start, end=end))
        actual = list(takewhile(lambda moment: moment <= end, occurrences(schedule, zone, start, seed=case)))  # noqa: B023
        assert actual == expected, f"case {case}: {text} in {name} around {change}"
        assert count(schedule, zone, start, until=end, seed=case) == len(expected), f"case {case}: {text} in {name}"
        # From any moment, within the repeated hour too, the answer is the same.
        for _ in range(10):
            after = start + random.random() * (end - start)
            following = next((moment for moment in expected if moment > after), None)
            if following is not None:
                assert next_after(schedule, zone, after, seed=case) == following, f"case {case}: {text} in {name}"
            late = sum(moment > after for moment in expected)
            assert count(schedule, zone, after, until=end, seed=case) == late, f"case {case}: {text} in {name}, {after}"


def test_every_zone_and_every_change_runs_a_daily_time_once_a_day_and_a_quarter_every_real_quarter() -> None:
    """The time that the change swallows or repeats: once on each date, at its first occurrence or right after the gap."""
    seen = 0
    for name, changes in clock_changes().items():
        zone = ZoneInfo(name)
        for change in changes:
            seen += 1
            before, after = (change - MINUTE).astimezone(zone), change.astimezone(zone)
            moved = (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
            edge = before.replace(tzinfo=None) + MINUTE
            wall = edge + moved / 2
            schedule = Schedule(cron=f"{wall.minute} {wall.hour} * * *")
            expected = change if moved > timedelta() else change + moved / 2
            start = expected - timedelta(hours=3)
            first, second = (next_after(schedule, zone, start, seed=1), next_after(schedule, zone, expected, seed=1))
            assert first == expected, f"{name} {change}"
            assert timedelta(hours=20) < second - first < timedelta(hours=28), f"{name} {change}"
            assert upcoming(schedule, zone, start, 1)[0].clock_change, f"{name} {change}"
            assert count(schedule, zone, start, until=second, seed=1) == 2
            if moved % timedelta(minutes=15) == timedelta():
                quarters = Schedule(cron="*/15 * * * *")
                near = islice(occurrences(quarters, zone, start, seed=1), 200)
                assert {later - earlier for earlier, later in pairwise(near)} == {timedelta(minutes=15)}, name
    assert seen > 1000


@pytest.mark.parametrize("seed", range(4))
def test_years_of_any_schedule_neither_drift_nor_come_out_of_order(seed: int) -> None:
    random = Random(seed)
    names = sorted(clock_changes())
    for _ in range(10):
        text, _numbers = random_cron(random)
        schedule = random.choice([
            Schedule(cron=text, jitter=timedelta(seconds=random.randrange(0, 4000))),
            Schedule(every=timedelta(seconds=random.randrange(60, 100_000)), jitter=timedelta(seconds=random.randrange(9000))),
        ])  # fmt: skip
        zone = validate(schedule, random.choice(names))
        assert describe(schedule)
        moment = FIRST + timedelta(days=random.randrange(5000))
        moments = [moment := next_after(schedule, zone, moment, seed=seed) for _ in range(400)]
        steps = {later - earlier for earlier, later in pairwise(moments)}
        assert min(steps) >= MINUTE
        if schedule.every is not None:
            assert steps == {schedule.every}
        assert count(schedule, zone, moments[0], until=moments[-1], seed=seed) == 399
