"""The few types a flow is declared in.

A flow names record kinds and rules, never a system: which connectors can serve it follows from what they read and write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from domain.records import Record
from domain.rulebook import Rulebook
from domain.schedule import Schedule


class Direction(StrEnum):
    """Towards the hub, or away from it. Outbound flows wait for production."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


Rule: TypeAlias = Callable[[Any, Rulebook], Any]
"""``rule(record, rulebook)`` returns the record, perhaps completed, or raises ``Skip``, ``Wait`` or ``NeedsAttention``."""

Merge: TypeAlias = Callable[[Any, Any], tuple[Any, str]]
"""``merge(known, incoming)`` returns what is saved, and a remark for people (empty: nothing to remark)."""

Guard: TypeAlias = Callable[[Any, Any], str]
"""``guard(known, incoming)`` says what would change, before and after, where the change is of the kind that must not happen
to many records at once; empty where it is not."""


class Scope(StrEnum):
    """Which records of a system an import concerns."""

    NEW = "new"
    """Those not known yet; known ones are left as they are."""
    KNOWN = "known"
    """Those known already."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Import:
    """Bring records of one kind into the hub.

    - ``rules`` are applied in order to each record.
    - ``is_full`` reads everything each time, notices records that are gone, and is guarded against mass changes;
      otherwise only what changed since the last time is read.
    - ``merge`` decides what of a known record changes (default: everything).
    - ``guard`` marks changes that stop the run for a person when they concern too many records.
    - ``is_windowed``: the first reading goes back no further than the integration's first-import window.
    - ``locks``: once it has succeeded, the feed is switched off until a person unlocks it.
    """

    kind: type[Record]
    rules: Sequence[Rule] = ()
    scope: Scope = Scope.ALL
    is_full: bool = False
    merge: Merge | None = None
    guard: Guard | None = None
    locks: bool = False
    is_windowed: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """Send what the hub owns: the changes of one kind that the other side does not have yet."""

    kind: type[Record]


@dataclass(frozen=True, slots=True)
class Check:
    """Compare both sides of one kind and explain each difference."""

    kind: type[Record]


@dataclass(frozen=True, slots=True)
class Retry:
    """Look up again, by id, the records that wait and whose next try has come."""


Work: TypeAlias = Import | Export | Check | Retry


@dataclass(frozen=True, slots=True)
class Behind:
    """This flow runs behind a success of another flow of the same integration that is no older than ``within``."""

    flow: str
    within: timedelta


@dataclass(frozen=True, slots=True)
class Flow:
    """A declared movement of records. ``schedule`` None: run by hand only."""

    name: str
    title: str
    direction: Direction
    work: Work
    schedule: Schedule | None = None
    behind: Behind | None = None
    is_enabled: bool = True
    description: str = ""
