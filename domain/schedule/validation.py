"""What is wrong with a schedule, in a sentence, before it is saved."""

from datetime import timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from domain.errors import UserError
from domain.schedule.cron import read_cron
from domain.schedule.schedule import Schedule

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=366)
LONGEST_JITTER = timedelta(days=1)


def validate(schedule: Schedule, zone_name: str) -> ZoneInfo:
    """The zone to compute with; raises ``UserError`` with what is wrong and an example."""
    if (schedule.every is None) == (schedule.cron is None):
        given = "neither was given" if schedule.every is None else "both were given"
        raise UserError(
            f"A schedule is either an interval or a cron expression; {given}. "
            'Example: every 30 minutes, or "30 2 * * *" for every day at 02:30.'
        )
    if schedule.every is not None:
        _check_interval(schedule.every)
    if schedule.cron is not None:
        read_cron(schedule.cron)
    if not timedelta(0) <= schedule.jitter <= LONGEST_JITTER:
        raise UserError("The jitter of a schedule lies between none and one day. Example: 60 seconds.")
    return _zone(zone_name)


def _check_interval(every: timedelta) -> None:
    if not SHORTEST <= every <= LONGEST:
        raise UserError("The interval of a schedule lies between one minute and 366 days. Example: every 30 minutes.")
    if every.microseconds:
        raise UserError("The interval of a schedule is a whole number of seconds. Example: every 30 minutes.")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # unknown; not a name; the name of a folder, such as Europe
        similar = get_close_matches(name.title(), sorted(available_timezones()), n=1)
        hint = f'Did you mean "{similar[0]}"?' if similar else 'Example: "Europe/Paris".'
        raise UserError(f'"{name}" is not a time zone. {hint}', detail=repr(error)) from error
