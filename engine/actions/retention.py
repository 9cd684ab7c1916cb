"""The end of history: kept by age for each outcome, and deleted in small batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from domain import clock
from engine.runtime.outbound import withheld
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, effects, history, outcomes
from storage.rows import State

OUTCOME_DAYS: Mapping[str, int] = {
    "created": 90,
    "updated": 90,
    "skipped": 30,
    "waiting": 30,
    "failed": 180,
    "withheld": 30,
}
EXECUTION_DAYS: Mapping[State, int] = {
    State.SKIPPED: 30,
    State.MISSED: 30,
    State.CANCELLED: 90,
    State.SUCCEEDED: 180,
    State.SUCCEEDED_WITH_ISSUES: 180,
    State.FAILED: 365,
}
EFFECT_DAYS = 180
ITSELF = "Navette"
_DAY_SECONDS = 24 * 60 * 60.0


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went; ``expired`` withheld effects are kept but will not leave any more."""

    outcomes: int
    executions: int
    effects: int
    expired: int


def purge(platform: Platform, *, person: str, on_batch: Callable[[int], object] = lambda _count: None) -> Purged:
    """Delete what is older than it is kept. Work goes on meanwhile: each batch is a transaction of its own."""

    def all_of(batch: Callable[[Unit], int]) -> int:
        total = 0
        while count := platform.database.write(batch):
            total += count
            on_batch(count)
        return total

    expired = platform.database.write(withheld.expire)
    old_outcomes = sum(all_of(partial(_old_outcomes, kind, days)) for kind, days in OUTCOME_DAYS.items())
    old_executions = sum(all_of(partial(_old_executions, state, days)) for state, days in EXECUTION_DAYS.items())
    old_effects = all_of(_old_effects)
    purged = Purged(old_outcomes, old_executions, old_effects, expired)
    detail = {"outcomes": old_outcomes, "executions": old_executions, "effects": old_effects, "expired": expired}
    platform.database.write(
        lambda unit: audit.record(unit, person=person, action="purge", subject="history", detail=detail)
    )
    return purged


def _old_outcomes(kind: str, days: int, unit: Unit) -> int:
    return outcomes.purge(unit, before=unit.now - timedelta(days), outcome=kind)


def _old_executions(state: State, days: int, unit: Unit) -> int:
    return history.purge(unit, states=[state], ended_before=unit.now - timedelta(days))


def _old_effects(unit: Unit) -> int:
    return effects.purge(unit, before=unit.now - timedelta(EFFECT_DAYS))


class DailyPurge:
    """A duty of the sweeper: purge once a day, first a while after the start, when there is less to do."""

    def __init__(self, *, first_after_seconds: float = 600.0) -> None:
        """Counts from now."""
        self._next = clock.monotonic() + first_after_seconds

    def __call__(self, platform: Platform) -> None:
        """Purge if a day has gone by."""
        if clock.monotonic() >= self._next:
            self._next = clock.monotonic() + _DAY_SECONDS
            purge(platform, person=ITSELF)
