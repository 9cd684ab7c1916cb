"""What an export is made of: candidates, one per item looked at that may have to be told to the other side."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.errors import RecordProblem
from engine.connector import Json
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries.effects import Effect, Latest


class Candidate(NamedTuple):
    """One item of the hub. ``after`` is what the other side should show, None when it does already.

    ``latest`` is its last effect; ``problem`` is why nothing can be said about it, if so. ``zeroes`` tells of a
    change that must not happen to many items at once, before and after.
    """

    identity: str
    target: str
    label: str
    record_id: int
    before: Json
    after: Json
    latest: Latest | None
    problem: RecordProblem | None = None
    zeroes: str = ""


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Some candidates; ``unchanged`` further items were looked at and need nothing. ``offered`` of all are not zero there."""

    candidates: Sequence[Candidate]
    unchanged: int = 0
    offered: int = 0


@dataclass(frozen=True, slots=True)
class Planner:
    """How one kind is exported.

    - ``size(run)`` is about how many items will be looked at.
    - ``pages(run)`` yields candidates; each page is read in a transaction of its own.
    - ``confirmed(unit, effects)`` is part of the transaction that keeps receipts.
    - ``looks_first``: an effect is looked up before it is first sent, since doing it twice would show (a mail to a customer).
    - ``is_recomputed``: the value wanted is computed afresh each time, so that a withheld or discarded effect says nothing
      once the gate is open.
    - ``verb`` completes *this run would … 12 of 30 known records*.
    """

    size: Callable[[Run], int]
    pages: Callable[[Run], Iterator[PlanPage]]
    confirmed: Callable[[Unit, Sequence[Effect]], None]
    looks_first: bool = False
    is_recomputed: bool = False
    verb: str = "change"
