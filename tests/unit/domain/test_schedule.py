"""What a schedule declares, what is refused, and how it reads."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.errors import BrokenInvariant, UserError
from domain.schedule import Missed, Overlap, Schedule, daily, describe, hours, minutes, phase, phrase, validate
from domain.schedule.cron import Cron


def test_a_schedule_comes_back_whole_from_json() -> None:
    schedule = Schedule(every=minutes(90), jitter=timedelta(seconds=45), overlap=Overlap.QUEUE, missed=Missed.RUN_ALL)
    assert msgspec.json.decode(msgspec.json.encode(schedule), type=Schedule) == schedule
    assert msgspec.convert({"every": "PT30M"}, Schedule) == Schedule(every=minutes(30))


def test_a_valid_schedule_gives_the_zone_to_compute_with() -> None:
    assert validate(Schedule(every=minutes(1)), "Europe/Paris") == ZoneInfo("Europe/Paris")
    assert validate(Schedule(cron=daily("02:30"), jitter=minutes(5)), "UTC") == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("schedule", "zone_name", "sentence"),
    [
        (Schedule(), "UTC", "neither was given"),
        (Schedule(every=minutes(5), cron="0 * * * *"), "UTC", "both were given"),
        (Schedule(every=timedelta(seconds=59)), "UTC", "between one minute and 366 days"),
        (Schedule(every=timedelta(days=367)), "UTC", "between one minute and 366 days"),
        (Schedule(every=timedelta(seconds=90, microseconds=1)), "UTC", "whole number of seconds"),
        (Schedule(every=minutes(5), jitter=timedelta(seconds=-1)), "UTC", "jitter"),
        (Schedule(every=minutes(5), jitter=timedelta(days=2)), "UTC", "jitter"),
        (Schedule(cron=""), "UTC", "five fields"),
        (Schedule(cron="0 30 2 * * *"), "UTC", "this one has 6"),
        (Schedule(cron="@daily"), "UTC", "this one has 1"),
        (Schedule(cron="0 0 * * " + "1," * 200 + "1"), "UTC", "longer than 200"),
        (Schedule(cron="60 2 * * *"), "UTC", 'The minute field of the cron schedule, "60",'),
        (Schedule(cron="0 24 * * *"), "UTC", "The hour field"),
        (Schedule(cron="0 0 32 * *"), "UTC", "The day of the month field"),
        (Schedule(cron="0 0 * JANUARY *"), "UTC", "The month field"),
        (Schedule(cron="0 0 * * 1#6"), "UTC", "The day of the week field"),
        (Schedule(cron="0 0 30 2 *"), "UTC", "never comes"),
        (Schedule(cron="0 0 31 4,6,9,11 *"), "UTC", "never comes"),
        (Schedule(cron="0 0 */30 2 MON#5"), "UTC", "never comes"),
        (Schedule(every=minutes(5)), "Europe/Pariss", 'Did you mean "Europe/Paris"?'),
        (Schedule(every=minutes(5)), "europe/paris ", 'Did you mean "Europe/Paris"?'),
        (Schedule(every=minutes(5)), "Europe", "is not a time zone"),
        (Schedule(every=minutes(5)), "/etc/passwd", "is not a time zone"),
        (Schedule(every=minutes(5)), "", "is not a time zone"),
        (Schedule(every=minutes(5)), "42", 'Example: "Europe/Paris"'),
    ],
)
def test_a_wrong_schedule_is_refused_with_a_sentence_and_an_example(
    schedule: Schedule, zone_name: str, sentence: str
) -> None:
    with pytest.raises(UserError) as refused:
        validate(schedule, zone_name)
    assert sentence in refused.value.message
    assert "Example:" in refused.value.message or "Did you mean" in refused.value.message


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 L 2 *", "0 0 30 2 1", "0 0 LW * *", "0 0 * * 5L"])
def test_a_rare_day_is_accepted_when_it_does_come(cron: str) -> None:
    assert validate(Schedule(cron=cron), "UTC") == ZoneInfo("UTC")


def test_an_expression_whose_day_never_comes_does_not_search_for_ever() -> None:
    never = Cron(text="0 0 */30 2 1#5", minutes=(0,), hours=(0,), weekdays=None, shortest_gap=timedelta(days=1))
    with pytest.raises(BrokenInvariant):
        never.after(datetime(2025, 1, 1))  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(every=minutes(1)), "every minute"),
        (Schedule(every=minutes(30)), "every 30 minutes"),
        (Schedule(every=hours(1)), "every hour"),
        (Schedule(every=hours(24)), "every 24 hours"),
        (Schedule(every=timedelta(seconds=90)), "every 90 seconds"),
        (Schedule(cron=daily("02:30")), "every day at 02:30"),
        (Schedule(cron="0 6 * * 1-5"), "Monday to Friday at 06:00"),
        (Schedule(cron="0 6 * * MON-FRI"), "Monday to Friday at 06:00"),
        (Schedule(cron="0 6 * * 6,7"), "Saturday and Sunday at 06:00"),
        (Schedule(cron="0 6 * * 0"), "every Sunday at 06:00"),
        (Schedule(cron="0 6 * * 1,3,5"), "Monday, Wednesday and Friday at 06:00"),
        (Schedule(cron="0 6 * * 5,6,0"), "Friday to Sunday at 06:00"),
        (Schedule(cron="0 6,12,18 * * *"), "every day at 06:00, 12:00 and 18:00"),
        (Schedule(cron="0 6 1 * *"), "on day 1 of every month at 06:00"),
        (Schedule(cron="0 6 L * *"), "on the last day of every month at 06:00"),
        (Schedule(cron="* * * * *"), "every minute"),
        (Schedule(cron="*/15 * * * *"), "every 15 minutes"),
        (Schedule(cron="0 * * * *"), "every hour"),
        (Schedule(cron="5 * * * *"), "every hour, 5 minutes past the hour"),
        (Schedule(cron="*/15 * * * 1-5"), "Monday to Friday, every 15 minutes"),
        (Schedule(cron="*/15 8-18 * * 1-5"), "Monday to Friday, every 15 minutes from 08:00 to 18:45"),
        (Schedule(cron="5 8-18 * * *"), "every hour from 08:05 to 18:05"),
        (Schedule(cron="5 */2 * * *"), "every 2 hours from 00:05 to 22:05"),
        (Schedule(cron="1,2,5 * * * *"), "1,2,5 * * * *"),
        (Schedule(cron="1,2,5 8-18 * * *"), "1,2,5 8-18 * * *"),
        (Schedule(cron="0 1,2,3,5,8 * * *"), "0 1,2,3,5,8 * * *"),
        (Schedule(cron="1,2,5 1,2,5 * * *"), "1,2,5 1,2,5 * * *"),
        (Schedule(cron="0 6 * 7 *"), "0 6 * 7 *"),
        (Schedule(cron="0 6 1 * 1"), "0 6 1 * 1"),
        (Schedule(cron="0 6 1-7 * *"), "0 6 1-7 * *"),
        (Schedule(cron="0 6 * * 1#1"), "0 6 * * 1#1"),
    ],
)
def test_a_schedule_reads_as_words_or_as_its_expression_where_words_would_confuse(
    schedule: Schedule, words: str
) -> None:
    assert describe(schedule) == words


def test_words_can_be_said_in_another_language() -> None:
    template, values = phrase(Schedule(cron="0 6 * * 1-5"))
    assert template == "{first} to {last} at {time_1}"
    assert values == {"first": "Monday", "last": "Friday", "time_1": "06:00"}


def test_the_offsets_of_feeds_are_stable_and_spread_over_the_whole_span() -> None:
    offsets = [phase(feed, within=minutes(1)) for feed in range(6000)]
    assert offsets == [phase(feed, within=minutes(1)) for feed in range(6000)]
    counts = [offsets.count(timedelta(seconds=second)) for second in range(60)]
    assert sum(counts) == 6000
    assert min(counts) > 50
    assert phase(7, within=timedelta(0)) == timedelta(0)
