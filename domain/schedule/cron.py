"""The local times a cron expression names, on a wall clock that never changes. Clock changes are dealt with in ``occurrences``.

Cronsim reads the five fields and knows which days they name (also ``L``, ``LW``, ``MON#1``, and the Debian rule that joins
day and weekday); walking through the times is ours, because its own costs five times as much and, at a clock change,
loses or repeats the times of expressions such as ``*/15 2 * * *``.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cronsim import CronSim, CronSimError

from domain.errors import BrokenInvariant, UserError

ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - cronsim wants one to start from; only its fields are used
LONGEST_EXPRESSION = 200
EVERY_KIND_OF_YEAR = range(2000, 2028)
"""Twenty-eight years hold all fourteen calendars (leap or not, by first weekday): a day not named here never comes."""
LONGEST_WAIT_MONTHS = 12 * 60
"""The rarest days, a certain weekday on 29 February, are at most forty years apart (over 2100)."""
FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")


@dataclass(frozen=True, slots=True)
class Cron:
    """A read expression. ``minutes`` and ``hours`` are sorted; ``shortest_gap`` separates its two closest times.

    ``weekdays`` are sorted, Sunday is 0; None when they are counted within the month, such as ``MON#1``.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    weekdays: tuple[int, ...] | None
    shortest_gap: timedelta

    @property
    def is_every_hour(self) -> bool:
        """It names minutes only: it runs through clock changes like a clock hand, in real hours."""
        return len(self.hours) == 24

    def names(self, wall: datetime) -> bool:
        """Whether this local minute is one of its times."""
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.day in days_of(self.text, wall.year, wall.month)
        )

    def after(self, wall: datetime) -> datetime:
        """The first local time it names strictly after ``wall``; both without a zone."""
        if wall.day in days_of(self.text, wall.year, wall.month):
            if wall.hour in self.hours:
                following = bisect_right(self.minutes, wall.minute)
                if following < len(self.minutes):
                    return wall.replace(minute=self.minutes[following], second=0, microsecond=0)
            following = bisect_right(self.hours, wall.hour)
            if following < len(self.hours):
                return wall.replace(hour=self.hours[following], minute=self.minutes[0], second=0, microsecond=0)
        year, month, day = wall.year, wall.month, wall.day
        for _ in range(LONGEST_WAIT_MONTHS):
            days = days_of(self.text, year, month)
            following = bisect_right(days, day)
            if following < len(days):
                return datetime(year, month, days[following], self.hours[0], self.minutes[0])  # noqa: DTZ001 - wall clock
            year, month, day = (year, month + 1, 0) if month < 12 else (year + 1, 1, 0)
        raise BrokenInvariant("A schedule names no day within sixty years.", detail=self.text)

    def count(self, after: datetime, until: datetime) -> int:
        """How many local times it names in ``(after, until]``, by arithmetic within a day."""
        total = -self._count_since_midnight(after)
        whole_day = len(self.hours) * len(self.minutes)
        day = after
        while day.date() < until.date():
            if day.day in days_of(self.text, day.year, day.month):
                total += whole_day
            day += timedelta(days=1)
        return total + self._count_since_midnight(until)

    def _count_since_midnight(self, wall: datetime) -> int:
        if wall.day not in days_of(self.text, wall.year, wall.month):
            return 0
        earlier_hours = bisect_left(self.hours, wall.hour) * len(self.minutes)
        return earlier_hours + (bisect_right(self.minutes, wall.minute) if wall.hour in self.hours else 0)


@lru_cache(maxsize=1024)
def read_cron(text: str) -> Cron:
    """Read a five-field expression; ``UserError`` says which field is wrong, or that its day never comes."""
    example = 'Example: "30 2 * * *" runs every day at 02:30.'
    if len(text) > LONGEST_EXPRESSION:
        raise UserError(f"The cron schedule is longer than {LONGEST_EXPRESSION} characters. {example}")
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise UserError(
            f"A cron schedule has five fields (minute, hour, day of the month, month, day of the week); "
            f"this one has {len(fields)}. {example}"
        )
    for position, name in enumerate(FIELDS):
        alone = ["0", "0", "*", "*", "*"]
        alone[position] = fields[position]
        try:
            CronSim(" ".join(alone), ANY_MOMENT)
        except CronSimError as error:
            raise UserError(
                f'The {name} field of the cron schedule, "{fields[position]}", is not understood. {example}'
            ) from error
    never = UserError(f'The cron schedule "{text}" names a day that never comes, such as 30 February. {example}')
    try:
        parsed = _parsed(text)
    except CronSimError as error:
        raise never from error
    if not any(days_of(text, year, month) for year in EVERY_KIND_OF_YEAR for month in range(1, 13)):
        raise never
    return Cron(
        text=text,
        minutes=tuple(sorted(parsed.minutes)),
        hours=tuple(sorted(parsed.hours)),
        weekdays=_plain_weekdays(parsed),
        shortest_gap=_shortest_gap(parsed.hours, parsed.minutes),
    )


@lru_cache(maxsize=1024)
def _parsed(text: str) -> CronSim:
    return CronSim(text, ANY_MOMENT)


@lru_cache(maxsize=16384)
def days_of(text: str, year: int, month: int) -> tuple[int, ...]:
    """The days of one month an expression names, sorted."""
    parsed = _parsed(text)
    if month not in parsed.months:
        return ()
    first = ANY_MOMENT.replace(year=year, month=month).date()
    days = (first + timedelta(days=number) for number in range(31))
    return tuple(day.day for day in days if day.month == month and parsed.match_day(day))


def _plain_weekdays(parsed: CronSim) -> tuple[int, ...] | None:
    plain = {weekday % 7 for weekday in parsed.weekdays if isinstance(weekday, int)}
    return tuple(sorted(plain)) if all(isinstance(weekday, int) for weekday in parsed.weekdays) else None


def _shortest_gap(hours: set[int], minutes: set[int]) -> timedelta:
    times = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    following = [*times[1:], times[0] + 24 * 60]
    return timedelta(minutes=min(later - earlier for earlier, later in zip(times, following, strict=True)))
