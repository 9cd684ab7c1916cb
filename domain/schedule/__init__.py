"""When a feed runs: the declaration, its moments, and what becomes of those that were missed. Pure; nothing here reads a clock.

Read ``schedule`` (what is declared), ``cron`` (the local times an expression names), ``occurrences`` (the rules for clock
changes), ``due`` (what a tick runs and what it counts as missed), then ``words`` and ``upcoming`` (what people see).
"""

from domain.schedule.due import GRACE, RUN_ALL_LIMIT, Due, Missing, Reason, due
from domain.schedule.occurrences import count, next_after, occurrences
from domain.schedule.schedule import Missed, Overlap, Schedule, daily, hours, minutes, phase
from domain.schedule.upcoming import Upcoming, upcoming
from domain.schedule.validation import validate
from domain.schedule.words import Phrase, describe, phrase

__all__ = [
    "Schedule",
    "Overlap",
    "Missed",
    "minutes",
    "hours",
    "daily",
    "phase",
    "validate",
    "next_after",
    "occurrences",
    "count",
    "due",
    "Due",
    "Missing",
    "Reason",
    "GRACE",
    "RUN_ALL_LIMIT",
    "describe",
    "phrase",
    "Phrase",
    "upcoming",
    "Upcoming",
]
