"""When feeds run, above all around clock changes."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from domain.errors import BrokenInvariant, UserError
from domain.schedule import Schedule, count, daily, hours, minutes, next_after, occurrences, upcoming

PARIS = ZoneInfo("Europe/Paris")


def local_times(cron: str, zone_name: str, day: str, *, number: int) -> list[str]:
    """The next moments from local midnight (or the first instant) of a day, as day, local time and offset."""
    zone = ZoneInfo(zone_name)
    start = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    moments = islice(occurrences(Schedule(cron=cron), zone, start, seed=1), number)
    return [moment.astimezone(zone).strftime("%d %H:%M %z") for moment in moments]


def test_a_local_time_in_the_missing_hour_runs_once_at_the_first_instant_after_the_gap() -> None:
    assert local_times("30 2 * * *", "Europe/Paris", "2025-03-29", number=3) == [
        "29 02:30 +0100", "30 03:00 +0200", "31 02:30 +0200",
    ]  # fmt: skip


def test_a_local_time_in_the_repeated_hour_runs_at_the_first_occurrence_only() -> None:
    assert local_times("30 2 * * *", "Europe/Paris", "2025-10-25", number=3) == [
        "25 02:30 +0200", "26 02:30 +0200", "27 02:30 +0100",
    ]  # fmt: skip


def test_several_times_of_one_missing_hour_make_one_run() -> None:
    assert local_times("0,30 2,3 * * *", "Europe/Paris", "2025-03-30", number=3) == [
        "30 03:00 +0200", "30 03:30 +0200", "31 02:00 +0200",
    ]  # fmt: skip


def test_minutes_of_one_named_hour_are_local_times_and_are_not_lost_with_it() -> None:
    assert local_times("*/15 2 * * *", "Europe/Paris", "2025-03-30", number=2) == ["30 03:00 +0200", "31 02:00 +0200"]
    assert local_times("*/30 2 * * *", "Europe/Paris", "2025-10-26", number=3) == [
        "26 02:00 +0200", "26 02:30 +0200", "27 02:00 +0100",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cron", "step"), [("*/15 * * * *", 15), ("0 * * * *", 60), ("30 * * * *", 60), ("* * * * *", 1)]
)
@pytest.mark.parametrize("day", ["2025-03-29T22:00", "2025-10-25T22:00"])
def test_a_cron_for_every_hour_runs_in_real_steps_over_a_change_of_a_whole_hour(cron: str, step: int, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    moments = list(islice(occurrences(Schedule(cron=cron), PARIS, start, seed=1), 600 // step))
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(minutes=step)}


@pytest.mark.parametrize("every", [minutes(30), minutes(7), hours(5), timedelta(days=1)])
@pytest.mark.parametrize("day", ["2025-03-29T22:00", "2025-10-25T22:00"])
def test_an_interval_runs_in_real_time_over_clock_changes(every: timedelta, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    moments = list(islice(occurrences(Schedule(every=every), PARIS, start, seed=1), 50))
    assert moments[0] - start <= every
    assert {later - earlier for earlier, later in pairwise(moments)} == {every}


@pytest.mark.parametrize(
    ("zone_name", "cron", "day", "expected"),
    [
        # Half an hour: 02:00 → 02:30 on 5 October, 02:00 → 01:30 on 6 April.
        ("Australia/Lord_Howe", "15 2 * * *", "2025-10-05", ["05 02:30 +1100", "06 02:15 +1100"]),
        ("Australia/Lord_Howe", "30 2 * * *", "2025-10-05", ["05 02:30 +1100", "06 02:30 +1100"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2025-04-06", ["06 01:45 +1100", "07 01:45 +1030"]),
        ("Australia/Lord_Howe", "45 * * * *", "2025-04-06", ["06 00:45 +1100", "06 01:45 +1100", "06 01:45 +1030"]),
        ("Australia/Lord_Howe", "0 * * * *", "2025-10-05T01:00", ["05 01:00 +1030", "05 03:00 +1100"]),
        ("Australia/Lord_Howe", "*/30 * * * *", "2025-10-05T01:30", ["05 01:30 +1030", "05 02:30 +1100", "05 03:00 +1100"]),
        # Midnight itself is missing.
        ("America/Sao_Paulo", "0 0 * * *", "2018-11-03", ["03 00:00 -0300", "04 01:00 -0200", "05 00:00 -0200"]),
        ("Asia/Beirut", "0 0 * * *", "2025-03-29", ["29 00:00 +0200", "30 01:00 +0300", "31 00:00 +0300"]),
        ("Africa/Cairo", "30 0 * * *", "2025-04-24", ["24 00:30 +0200", "25 01:00 +0300", "26 00:30 +0300"]),
        # The hour before midnight comes twice, so one date ends twice.
        ("Africa/Cairo", "30 23 * * *", "2025-10-30", ["30 23:30 +0300", "31 23:30 +0200"]),
        ("Africa/Cairo", "30 * 30 * *", "2025-10-30T23:00", ["30 23:30 +0300", "30 23:30 +0200", "30 00:30 +0200"]),
        ("Africa/Cairo", "30 * 30 10 *", "2025-10-30T23:00", ["30 23:30 +0300", "30 23:30 +0200", "30 00:30 +0200"]),
        # Two hours at once.
        ("Antarctica/Troll", "30 1,2 * * *", "2025-03-30", ["30 03:00 +0200", "31 01:30 +0200"]),
        # A whole date that never was: its Friday runs as the calendar jumps over it.
        ("Pacific/Apia", "0 12 * * 5", "2011-12-23", ["23 12:00 -1000", "31 00:00 +1400", "06 12:00 +1400"]),
    ],
)  # fmt: skip
def test_odd_zones(zone_name: str, cron: str, day: str, expected: list[str]) -> None:
    assert local_times(cron, zone_name, day, number=len(expected)) == expected


@pytest.mark.parametrize("day", ["2025-03-27", "2025-10-23"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 3 * * *", "*/15 * * * *", "0 9 * * 1-5", "15 1-4 * * *"])
def test_cronsim_agrees_about_paris(cron: str, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=PARIS)
    theirs = [moment.astimezone(UTC) for moment in islice(CronSim(cron, start), 200)]
    distinct = sorted(set(theirs))
    assert list(islice(occurrences(Schedule(cron=cron), PARIS, start, seed=1), len(distinct))) == distinct


def test_a_leap_day_is_found_years_ahead_and_across_2100() -> None:
    schedule = Schedule(cron="0 0 29 2 *")
    assert next_after(schedule, PARIS, datetime(2096, 3, 1, tzinfo=UTC), seed=1) == datetime(
        2104, 2, 28, 23, tzinfo=UTC
    )


def test_every_hour_of_one_day_a_year_is_found_across_clock_changes() -> None:
    schedule = Schedule(cron="0 * 1 8 *")
    assert next_after(schedule, PARIS, datetime(2025, 11, 3, tzinfo=UTC), seed=1) == datetime(
        2026, 7, 31, 22, tzinfo=UTC
    )


def test_the_next_moment_is_strictly_later_also_within_a_second() -> None:
    at = datetime(2025, 6, 2, 0, 30, tzinfo=UTC)
    for schedule in (Schedule(cron=daily("02:30")), Schedule(cron="*/30 * * * *"), Schedule(every=minutes(30))):
        assert next_after(schedule, PARIS, at - timedelta(microseconds=1), seed=1) == at
        assert next_after(schedule, PARIS, at, seed=1) > at + timedelta(minutes=29)
        assert next_after(schedule, PARIS, at.astimezone(PARIS), seed=1).tzinfo is UTC


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(every=minutes(30), jitter=minutes(10)),
        Schedule(every=minutes(5), jitter=hours(1)),
        Schedule(cron=daily("02:30"), jitter=minutes(10)),
        Schedule(cron="*/15 * * * *", jitter=hours(6)),
        Schedule(cron="0,5 2 * * *", jitter=hours(6)),
    ],
)
def test_jitter_moves_a_feed_by_one_stable_offset_that_never_reaches_the_next_moment(schedule: Schedule) -> None:
    start = datetime(2025, 3, 28, tzinfo=UTC)
    plain = Schedule(every=schedule.every, cron=schedule.cron)
    on_time = list(islice(occurrences(plain, PARIS, start, seed=0), 30))
    shortest = min(later - earlier for earlier, later in pairwise(on_time))
    seen = set()
    for feed in range(40):
        shift = next_after(schedule, PARIS, on_time[0], seed=feed) - on_time[0]
        shift = shift if shift < shortest else next_after(schedule, PARIS, start, seed=feed) - on_time[0]
        moved = list(islice(occurrences(schedule, PARIS, on_time[0] + shift - timedelta(seconds=1), seed=feed), 29))
        assert moved == [moment + shift for moment in on_time[:29]]
        assert timedelta(0) <= shift < min(schedule.jitter, shortest)
        seen.add(shift)
    assert len(seen) > 25


def test_counting_agrees_with_walking_over_both_changes() -> None:
    start = datetime(2025, 3, 29, 23, 17, tzinfo=UTC)
    for cron in ("*/20 * * * *", "30 2 * * *", "10 1-3 * * *", "*/7 2 * * 0", "0 9 L * *"):
        schedule = Schedule(cron=cron, jitter=minutes(2))
        walked = list(islice(occurrences(schedule, PARIS, start, seed=3), 1000))
        for index in (0, 1, 2, 7, 50, 999):
            assert count(schedule, PARIS, start, until=walked[index], seed=3) == index + 1
            assert count(schedule, PARIS, start, until=walked[index] - timedelta(seconds=1), seed=3) == index
    assert count(schedule, PARIS, start, until=start, seed=3) == 0


def test_a_moment_without_a_zone_is_our_own_mistake() -> None:
    with pytest.raises(BrokenInvariant):
        next_after(Schedule(every=minutes(5)), PARIS, datetime(2025, 1, 1), seed=1)  # noqa: DTZ001 - on purpose


def test_an_empty_schedule_has_no_moments() -> None:
    with pytest.raises(UserError):
        next_after(Schedule(), PARIS, datetime(2025, 1, 1, tzinfo=UTC), seed=1)


def changes(schedule: Schedule, start: datetime, number: int) -> list[tuple[str, str]]:
    shown = upcoming(schedule, PARIS, start, number)
    assert all(moment.local.timestamp() == moment.at_utc.timestamp() for moment in shown)
    return [(f"{moment.local:%d %H:%M}", moment.clock_change) for moment in shown]


def test_the_preview_says_what_happens_in_the_repeated_and_in_the_missing_hour() -> None:
    assert changes(Schedule(cron=daily("02:30")), datetime(2025, 10, 25, tzinfo=UTC), 3) == [
        ("25 02:30", ""),
        ("26 02:30", "the clock goes back that night: runs once, at the first 02:30"),
        ("27 02:30", ""),
    ]
    assert changes(Schedule(cron=daily("02:30")), datetime(2025, 3, 30, tzinfo=UTC), 2) == [
        ("30 03:00", "the clock goes forward that night: 02:30 does not exist, runs at 03:00"),
        ("31 02:30", ""),
    ]
    assert changes(Schedule(cron=daily("03:00")), datetime(2025, 3, 30, tzinfo=UTC), 1) == [("30 03:00", "")]


def test_the_preview_of_a_jittered_time_still_names_the_time_that_was_asked_for() -> None:
    schedule = Schedule(cron=daily("02:30"), jitter=minutes(20))
    (shown,) = upcoming(schedule, PARIS, datetime(2025, 3, 30, tzinfo=UTC), 1, seed=5)
    assert "02:30 does not exist" in shown.clock_change
    assert shown.at_utc > datetime(2025, 3, 30, 1, tzinfo=UTC)


def test_the_preview_of_real_intervals_tells_equal_local_times_apart() -> None:
    assert changes(Schedule(every=hours(1)), datetime(2025, 10, 25, 23, tzinfo=UTC), 3) == [
        ("26 02:00", "the clock goes back that night: this is the first 02:00"),
        ("26 02:00", "the clock goes back that night: this is the second 02:00"),
        ("26 03:00", ""),
    ]
    assert changes(Schedule(every=hours(24)), datetime(2025, 10, 25, 12, tzinfo=UTC), 3) == [
        ("26 02:00", "the clock goes back that night: this is the first 02:00"),
        ("27 01:00", "the clock went back since the run before"),
        ("28 01:00", ""),
    ]
    assert changes(Schedule(cron="0 * * * *"), datetime(2025, 3, 30, 0, 30, tzinfo=UTC), 2) == [
        ("30 03:00", "the clock went forward since the run before"),
        ("30 04:00", ""),
    ]
