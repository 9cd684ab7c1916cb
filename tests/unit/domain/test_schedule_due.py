"""What a tick runs, and what it counts as missed: planned = ran + missed, always."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

import pytest

from domain.schedule import (
    GRACE,
    RUN_ALL_LIMIT,
    Due,
    Missed,
    Missing,
    Reason,
    Schedule,
    daily,
    due,
    minutes,
    next_after,
    occurrences,
)

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2025, 6, 2, 12, tzinfo=UTC)
LATE = timedelta(seconds=1)


def tick(schedule: Schedule, *, planned: datetime, now: datetime) -> Due:
    return due(schedule, PARIS, planned=planned, now=now, seed=1)


def until(now: datetime, moments: Iterator[datetime]) -> list[datetime]:
    return list(takewhile(lambda moment: moment <= now, moments))


def test_nothing_is_due_before_the_planned_moment() -> None:
    planned = NOON + minutes(30)
    assert tick(Schedule(every=minutes(30)), planned=planned, now=NOON) == Due(run=(), missed=None, next=planned)


@pytest.mark.parametrize("missed", list(Missed))
@pytest.mark.parametrize("lateness", [timedelta(0), LATE, timedelta(seconds=59), GRACE])
def test_a_tick_a_little_late_runs_the_moment_under_every_policy(missed: Missed, lateness: timedelta) -> None:
    schedule = Schedule(every=minutes(30), missed=missed)
    answer = tick(schedule, planned=NOON, now=NOON + lateness)
    assert answer == Due(run=(NOON,), missed=None, next=NOON + minutes(30))


def test_three_days_off_make_one_run_and_a_count() -> None:
    answer = tick(Schedule(every=minutes(30)), planned=NOON, now=NOON + timedelta(days=3, minutes=7))
    latest = NOON + timedelta(days=3)
    assert answer.run == (latest,)
    assert answer.missed == Missing(count=144, first=NOON, last=latest - minutes(30), reason=Reason.CAUGHT_UP)
    assert answer.next == latest + minutes(30)


def test_one_moment_missed_by_hours_still_runs_once() -> None:
    answer = tick(Schedule(cron=daily("14:00")), planned=NOON, now=NOON + timedelta(hours=9))
    assert answer == Due(run=(NOON,), missed=None, next=NOON + timedelta(days=1))


def test_run_all_runs_each_missed_moment_in_order() -> None:
    schedule = Schedule(every=minutes(30), missed=Missed.RUN_ALL)
    answer = tick(schedule, planned=NOON, now=NOON + timedelta(hours=2))
    assert answer.run == tuple(NOON + number * minutes(30) for number in range(5))
    assert answer.missed is None


def test_run_all_runs_the_latest_hundred_and_counts_the_others() -> None:
    schedule = Schedule(cron="*/30 * * * *", missed=Missed.RUN_ALL)
    answer = tick(schedule, planned=NOON, now=NOON + timedelta(days=30))
    assert len(answer.run) == RUN_ALL_LIMIT
    assert answer.run[-1] == NOON + timedelta(days=30)
    assert answer.missed == Missing(
        count=30 * 48 + 1 - RUN_ALL_LIMIT, first=NOON, last=answer.run[0] - minutes(30), reason=Reason.TOO_MANY
    )


def test_skip_counts_everything_that_is_late_and_waits_for_the_next() -> None:
    schedule = Schedule(every=minutes(30), missed=Missed.SKIP)
    answer = tick(schedule, planned=NOON, now=NOON + timedelta(hours=1, minutes=20))
    assert answer.run == ()
    assert answer.missed == Missing(count=3, first=NOON, last=NOON + timedelta(hours=1), reason=Reason.LATE)
    assert answer.next == NOON + timedelta(hours=1, minutes=30)


def test_skip_still_runs_a_moment_that_is_on_time_after_downtime() -> None:
    schedule = Schedule(every=minutes(30), missed=Missed.SKIP)
    answer = tick(schedule, planned=NOON, now=NOON + timedelta(hours=1) + LATE)
    assert answer.run == (NOON + timedelta(hours=1),)
    assert answer.missed == Missing(count=2, first=NOON, last=NOON + minutes(30), reason=Reason.LATE)


def test_a_clock_set_back_repeats_no_moment() -> None:
    schedule = Schedule(every=minutes(30))
    first = tick(schedule, planned=NOON, now=NOON + LATE)
    set_back = tick(schedule, planned=first.next, now=NOON - timedelta(hours=1))
    assert set_back == Due(run=(), missed=None, next=first.next)


def test_a_clock_jumping_forward_one_day_makes_one_run_with_a_count() -> None:
    answer = tick(Schedule(cron="0 * * * *"), planned=NOON, now=NOON + timedelta(days=1, minutes=30))
    assert answer.run == (NOON + timedelta(days=1),)
    assert answer.missed is not None
    assert answer.missed.count == 24


def test_a_planned_moment_that_a_changed_schedule_no_longer_names_still_counts() -> None:
    planned = NOON + timedelta(seconds=17, microseconds=5)
    alone = tick(Schedule(cron=daily("02:30")), planned=planned, now=planned + LATE)
    assert alone.run == (planned,)
    late = tick(Schedule(every=minutes(30)), planned=planned, now=NOON + timedelta(hours=1))
    assert late.run == (NOON + timedelta(hours=1),)
    assert late.missed == Missing(count=2, first=planned, last=NOON + minutes(30), reason=Reason.CAUGHT_UP)


def test_centuries_of_downtime_are_counted_exactly() -> None:
    schedule = Schedule(every=minutes(1))
    answer = tick(schedule, planned=NOON, now=NOON + timedelta(days=100_000))
    assert answer.missed is not None
    assert answer.missed.count == 100_000 * 1440
    cron = tick(Schedule(cron="* * * * *"), planned=NOON, now=NOON + timedelta(days=3 * 365))
    assert cron.missed is not None
    assert cron.missed.count == 3 * 365 * 1440


def test_every_reason_has_a_sentence_for_people() -> None:
    assert all(reason.sentence.startswith("Navette was off") for reason in Reason)


@pytest.mark.parametrize("seed", range(60))
def test_planned_is_ran_plus_missed_over_any_life(seed: int) -> None:
    """Ticks at random times, some after long downtime: every moment is answered for exactly once, and in order."""
    random = Random(seed)
    zone = ZoneInfo(random.choice(["Europe/Paris", "Australia/Lord_Howe", "Africa/Cairo", "America/New_York", "UTC"]))
    schedule = random.choice([
        Schedule(every=minutes(random.choice([1, 7, 30, 90])), jitter=minutes(random.randint(0, 5))),
        Schedule(cron=random.choice(["30 2 * * *", "*/15 * * * *", "*/20 1-3 * * *", "0 9 * * 1-5", "5 0 1 * *"])),
        Schedule(cron="15,45 1-3 * * *", jitter=minutes(90)),
    ])  # fmt: skip
    policy = random.choice(list(Missed))
    schedule = Schedule(every=schedule.every, cron=schedule.cron, jitter=schedule.jitter, missed=policy)
    start = now = datetime(2025, random.choice([3, 10]), 20, random.randrange(24), tzinfo=UTC)
    planned = next_after(schedule, zone, start, seed=seed)
    answered = 0
    ran: list[datetime] = []
    for _ in range(40):
        now += timedelta(seconds=random.choice([5, 61, 1800, 5000, 90_000, 400_000]) * random.random())
        answer = due(schedule, zone, planned=planned, now=now, seed=seed)
        missed = answer.missed.count if answer.missed else 0
        expected = until(now, occurrences(schedule, zone, planned - LATE, seed=seed))
        assert len(answer.run) + missed == len(expected)
        assert list(answer.run) == expected[missed:]
        if answer.missed:
            assert (answer.missed.first, answer.missed.last) == (expected[0], expected[missed - 1])
        assert answer.next > now or answer.next == planned
        answered += len(expected)
        ran.extend(answer.run)
        planned = answer.next
    assert answered == len(until(now, occurrences(schedule, zone, start, seed=seed)))
    assert ran == sorted(set(ran))
