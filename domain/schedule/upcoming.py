"""The next moments of a schedule, as shown before it is saved, with those marked that a clock change touches."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from domain.schedule.cron import Cron
from domain.schedule.occurrences import SECOND, cron_of, occurrences, offset_of
from domain.schedule.schedule import Schedule
from domain.schedule.words import Phrase

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One moment, in UTC and on the local clock; ``change`` tells what a clock change does to it."""

    at_utc: datetime
    local: datetime
    change: Phrase | None = None

    @property
    def clock_change(self) -> str:
        """The change in English; empty when there is none."""
        return self.change.text if self.change else ""


def upcoming(schedule: Schedule, zone: ZoneInfo, now: datetime, count: int = 10, *, seed: int = 0) -> list[Upcoming]:
    """The next ``count`` moments after ``now``."""
    names_hours = schedule.every is None and not cron_of(schedule).is_every_hour
    offset = offset_of(schedule, seed=seed)
    found: list[Upcoming] = []
    before = now.astimezone(zone)
    for moment in islice(occurrences(schedule, zone, now, seed=seed), count):
        local = moment.astimezone(zone)
        change = (
            _change_of_time(cron_of(schedule), zone, moment - offset) if names_hours else _change_of_hand(before, local)
        )
        found.append(Upcoming(at_utc=moment, local=local, change=change))
        before = local
    return found


def _change_of_time(cron: Cron, zone: ZoneInfo, moment: datetime) -> Phrase | None:
    """For local times: the missing hour and the repeated one. ``moment`` is without jitter."""
    local = moment.astimezone(zone)
    shown = f"{local:%H:%M}"
    if _is_repeated(local):
        return Phrase("the clock goes back that night: runs once, at the first {time}", {"time": shown})
    earlier = (moment - SECOND).astimezone(zone)
    if _offset(local) > _offset(earlier):
        missing = cron.after(earlier.replace(tzinfo=None))
        if missing < local.replace(tzinfo=None):
            return Phrase(
                "the clock goes forward that night: {time} does not exist, runs at {shown}",
                {"time": f"{missing:%H:%M}", "shown": shown},
            )
    return None


def _change_of_hand(before: datetime, local: datetime) -> Phrase | None:
    """For real intervals: which of two equal local times this is, or why the local time moved."""
    if _is_repeated(local):
        which = "second" if local.fold else "first"
        return Phrase(f"the clock goes back that night: this is the {which} {{time}}", {"time": f"{local:%H:%M}"})
    moved = _offset(local) - _offset(before)
    if moved == ZERO:
        return None
    return Phrase(
        "the clock went forward since the run before" if moved > ZERO else "the clock went back since the run before",
        {},
    )


def _is_repeated(local: datetime) -> bool:
    """Whether the local clock shows this time twice (a time in a gap is never asked for)."""
    return _offset(local.replace(fold=0)) != _offset(local.replace(fold=1))


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or ZERO
