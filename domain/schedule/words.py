"""A schedule in words. Phrases are English templates with values, so that a console can say them in another language."""

from datetime import timedelta
from typing import NamedTuple

from domain.schedule.cron import Cron, read_cron
from domain.schedule.schedule import Schedule

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MOST_TIMES = 4


class Phrase(NamedTuple):
    """``template`` names its ``values`` in braces and comes from a small fixed set; day names among the values are English."""

    template: str
    values: dict[str, str | int]

    @property
    def text(self) -> str:
        """The English words."""
        return self.template.format(**self.values)


def describe(schedule: Schedule) -> str:
    """The schedule in English, such as "every 30 minutes" or "Monday to Friday at 06:00".

    Where words would confuse, the cron expression itself. ``UserError`` when the expression is not valid.
    """
    return phrase(schedule).text


def phrase(schedule: Schedule) -> Phrase:
    """What ``describe`` says, as a template with values."""
    if schedule.every is not None:
        return _interval(schedule.every)
    text = schedule.cron or ""
    cron = read_cron(text)
    days, times = _days(cron), _times(cron)
    if days is None or times is None:
        return Phrase("{cron}", {"cron": text})
    if times.template.startswith("at "):
        return Phrase(f"{days.template} {times.template}", days.values | times.values)
    if days.template == "every day":
        return times
    return Phrase(f"{days.template}, {times.template}", days.values | times.values)


def _interval(every: timedelta) -> Phrase:
    seconds = int(every.total_seconds())
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds % length == 0:
            return _each(seconds // length, unit)
    return _each(seconds, "second")


def _each(number: int, unit: str) -> Phrase:
    return Phrase(f"every {unit}", {}) if number == 1 else Phrase(f"every {{number}} {unit}s", {"number": number})


def _days(cron: Cron) -> Phrase | None:
    """Which days, or None when they need more than a few words."""
    _, _, day, month, weekday = cron.text.split()
    if month != "*" or (day != "*" and weekday != "*"):
        return None
    if day.upper() == "L":
        return Phrase("on the last day of every month", {})
    if day != "*":
        return Phrase("on day {day} of every month", {"day": int(day)}) if day.isdecimal() else None
    if cron.weekdays is None:
        return None
    return _weekdays(sorted(cron.weekdays, key=lambda number: (number - 1) % 7))


def _weekdays(numbers: list[int]) -> Phrase:
    """``numbers`` in the order of a week that begins on Monday."""
    names = [WEEKDAYS[number] for number in numbers]
    if len(names) == 7:
        return Phrase("every day", {})
    if len(names) == 1:
        return Phrase("every {day}", {"day": names[0]})
    if len(names) > 2 and (numbers[-1] - numbers[0]) % 7 == len(numbers) - 1:
        return Phrase("{first} to {last}", {"first": names[0], "last": names[-1]})
    return _listed("", "day", names)


def _times(cron: Cron) -> Phrase | None:
    """Which times, or None when they need more than a few words."""
    start = f"{cron.hours[0]:02}:{cron.minutes[0]:02}"
    end = f"{cron.hours[-1]:02}:{cron.minutes[-1]:02}"
    each = _rhythm(cron.minutes, length=60, unit="minute")
    if cron.is_every_hour:
        if len(cron.minutes) == 1 and cron.minutes[0]:
            return Phrase("every hour, {minute} minutes past the hour", {"minute": cron.minutes[0]})
        return each
    if len(cron.hours) * len(cron.minutes) <= MOST_TIMES:
        times = [f"{hour:02}:{minute:02}" for hour in cron.hours for minute in cron.minutes]
        return _listed("at ", "time", times)
    if cron.hours == tuple(range(cron.hours[0], cron.hours[-1] + 1)):
        each = _each(1, "hour") if len(cron.minutes) == 1 else each
    elif len(cron.minutes) == 1:
        each = _rhythm(cron.hours, length=24, unit="hour")
    else:
        return None
    if each is None:
        return None
    return Phrase(f"{each.template} from {{start}} to {{end}}", each.values | {"start": start, "end": end})


def _rhythm(numbers: tuple[int, ...], *, length: int, unit: str) -> Phrase | None:
    """``0, 15, 30, 45`` of 60 is every 15; None when the steps are not equal all around."""
    step, rest = divmod(length, len(numbers))
    if rest or numbers != tuple(range(0, length, step)):
        return None
    return _each(1, "hour") if (step, unit) == (60, "minute") else _each(step, unit)


def _listed(before: str, name: str, items: list[str]) -> Phrase:
    """``before a, b and c``, each item a value of its own."""
    values: dict[str, str | int] = {f"{name}_{number}": item for number, item in enumerate(items, start=1)}
    places = [f"{{{key}}}" for key in values]
    head = ", ".join(places[:-1])
    return Phrase(f"{before}{head} and {places[-1]}" if head else f"{before}{places[-1]}", values)
