"""How often an integration may be called, shared by all who call it: spacing, pauses asked for, and the circuit.

The rules are pure functions over a ``BudgetState``, so that the same state can live in memory or in a database row. All
moments are seconds on one clock of the holder's choice.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from domain import clock
from domain.errors import RateLimited, TransientError, Unavailable

OPENS_AT = 3
"""Failures in a row after which only one request at a time is let through, after growing pauses."""
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 90.0


class Budget(Protocol):
    """Asked before every request and told how it ended; shared by all doors to one integration. Thread-safe."""

    def acquire(self) -> None:
        """Wait for a place. Raises ``RateLimited`` or ``Unavailable`` with ``retry_after`` when that would take long."""
        ...

    def penalise(self, retry_after: timedelta | None) -> None:
        """The other side asked for a pause; None: without saying how long."""
        ...

    def failed(self) -> None:
        """The other side, or the way to it, was down."""
        ...

    def succeeded(self) -> None:
        """The other side gave a sensible answer, be it a refusal."""
        ...


@dataclass(frozen=True, slots=True)
class BudgetState:
    """``slot_at``: when the next request may start; ``blocked_until``: none before that; ``failures``: in a row."""

    slot_at: float = 0.0
    blocked_until: float = 0.0
    failures: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: requests are let through one by one, to see whether the other side is back."""
        return self.failures >= OPENS_AT


@dataclass(frozen=True, slots=True)
class Place:
    """``starts_at``: when the first of the reserved requests may start. ``count``: how many were reserved."""

    starts_at: float
    count: int


def reserve(
    state: BudgetState, at: float, *, per_second: float | None, patience: float, count: int = 1, spread: float = 1.0
) -> tuple[BudgetState, Place | TransientError]:
    """Take ``count`` places, or tell how long to stay away.

    While the circuit is open, one place is given and the next only after a pause, whatever ``count``. Nobody waits for a
    pause longer than ``patience`` seconds. ``spread`` (1 to 2) lengthens pauses, so that integrations do not come back together.
    """
    wait = state.blocked_until - at
    if wait > patience or (wait > 0 and state.is_open):
        return state, _stay_away(state, wait)
    if state.is_open:
        return replace(state, blocked_until=at + _pause(state.failures) * spread), Place(starts_at=at, count=1)
    starts_at = max(at, state.slot_at, state.blocked_until)
    interval = count / per_second if per_second else 0.0
    return replace(state, slot_at=starts_at + interval), Place(starts_at=starts_at, count=count)


def after_failure(state: BudgetState, at: float, *, spread: float = 1.0) -> BudgetState:
    """The other side was down once more. From the third time on, a pause that doubles each time."""
    failures = state.failures + 1
    if failures < OPENS_AT:
        return replace(state, failures=failures)
    return replace(state, failures=failures, blocked_until=max(state.blocked_until, at + _pause(failures) * spread))


def after_penalty(state: BudgetState, at: float, *, retry_after: float | None, spread: float = 1.0) -> BudgetState:
    """The other side asked for a pause: as long as it said, else one that doubles each time."""
    if retry_after is not None:
        return replace(state, blocked_until=max(state.blocked_until, at + retry_after))
    failures = state.failures + 1
    pause = min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE) * spread
    return replace(state, failures=failures, blocked_until=max(state.blocked_until, at + pause))


def after_success(state: BudgetState, at: float) -> BudgetState:
    """The other side answers: an open circuit closes; a pause it asked for stays."""
    if state.failures == 0:
        return state
    return replace(state, failures=0, blocked_until=at if state.is_open else state.blocked_until)


def _pause(failures: int) -> float:
    return min(_FIRST_PAUSE * 2.0 ** min(failures - OPENS_AT, 10), _LONGEST_PAUSE)


def _stay_away(state: BudgetState, wait: float) -> TransientError:
    pause = timedelta(seconds=wait)
    if state.is_open:
        return Unavailable(
            "The other side has been down for a while; it is tried again after a pause.", retry_after=pause
        )
    return RateLimited("The other side asked for a pause.", retry_after=pause)


class MemoryBudget:
    """A budget kept in this process."""

    def __init__(
        self,
        per_second: float | None = None,
        *,
        patience: float = 5.0,
        now: Callable[[], float] = clock.monotonic,
        sleep: Callable[[float], None] = clock.sleep,
    ) -> None:
        """``patience``: the longest pause, in seconds, that is waited for in place; waiting for one's turn has no such limit."""
        self._per_second = per_second
        self._patience = patience
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._spread = random.Random()  # noqa: S311 - spreads pauses, guards nothing
        self.state = BudgetState()

    def acquire(self) -> None:
        """Wait for a place. Raises ``RateLimited`` or ``Unavailable`` with ``retry_after`` when that would take long."""
        while (wait := self._reserve()) > 0:
            self._sleep(wait)
            if self.state.blocked_until <= self._now():  # else a pause was asked for meanwhile, which holds for us too
                return

    def _reserve(self) -> float:
        """Seconds until the place just taken."""
        with self._lock:
            at = self._now()
            self.state, place = reserve(
                self.state,
                at,
                per_second=self._per_second,
                patience=self._patience,
                spread=self._spread.uniform(1, 1.5),
            )
        if isinstance(place, TransientError):
            raise place
        return place.starts_at - at

    def penalise(self, retry_after: timedelta | None) -> None:
        """The other side asked for a pause."""
        seconds = retry_after.total_seconds() if retry_after is not None else None
        with self._lock:
            self.state = after_penalty(
                self.state, self._now(), retry_after=seconds, spread=self._spread.uniform(1, 1.5)
            )

    def failed(self) -> None:
        """The other side, or the way to it, was down."""
        with self._lock:
            self.state = after_failure(self.state, self._now(), spread=self._spread.uniform(1, 1.5))

    def succeeded(self) -> None:
        """The other side gave a sensible answer."""
        with self._lock:
            self.state = after_success(self.state, self._now())
