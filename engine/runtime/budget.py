"""A budget in the database, shared by every process that calls an integration."""

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from random import Random
from threading import Lock
from typing import TypeVar

from domain import clock
from domain.errors import TransientError
from engine.http.budget import BudgetState, Place, after_failure, after_penalty, after_success, reserve
from storage.database import Database, Unit
from storage.queries import budgets
from storage.queries.budgets import BudgetRow

T = TypeVar("T")

_LOOK_AGAIN_SECONDS = 1.0
"""How long an integration without a limit of its own is trusted to be well, without asking the database again."""
_MOST_AT_ONCE = 20
"""Places reserved in one transaction, never more than one second of the limit: what is not used is lost to the others."""


class DatabaseBudget:
    """Asked before every request and told how it ended. Safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        integration_id: int,
        *,
        per_second: float | None = None,
        patience: float = 5.0,
        sleep: Callable[[float], None] = clock.sleep,
    ) -> None:
        """``patience``: the longest pause asked for, in seconds, that is waited for in place."""
        self._database = database
        self._integration_id = integration_id
        self._per_second = per_second
        self._patience = patience
        self._sleep = sleep
        self._random = Random()  # noqa: S311 - spreads pauses, not a secret
        self._lock = Lock()
        self._places: deque[float] = deque()
        self._wanted = 1
        self._well_until = 0.0

    def acquire(self) -> None:
        """Wait for a place. Raises ``RateLimited`` or ``Unavailable`` with ``retry_after`` when that would take long."""
        with self._lock:
            starts_at = self._next_place()
        wait = starts_at - clock.monotonic()
        if wait > 0:
            self._sleep(wait)

    def penalise(self, retry_after: timedelta | None) -> None:
        """The other side asked for a pause."""
        seconds = retry_after.total_seconds() if retry_after is not None else None
        self._tell(lambda state, at: after_penalty(state, at, retry_after=seconds, spread=self._spread()))

    def failed(self) -> None:
        """The other side, or the way to it, was down."""
        self._tell(lambda state, at: after_failure(state, at, spread=self._spread()))

    def succeeded(self) -> None:
        """The other side gave a sensible answer. Costs nothing while all is well."""
        with self._lock:
            if clock.monotonic() < self._well_until:
                return
        self._tell(after_success)

    def _next_place(self) -> float:
        """The moment, on the monotonic clock, at which the next request may start."""
        now = clock.monotonic()
        if self._places:
            return self._places.popleft()
        if self._per_second is None and now < self._well_until:
            return now
        place, state, at = self._reserve()
        self._well_until = now + _LOOK_AGAIN_SECONDS if state.failures == 0 else 0.0
        first = now + max(0.0, place.starts_at - at)
        if self._per_second is not None:
            self._places.extend(first + number / self._per_second for number in range(1, place.count))
            self._wanted = min(2 * self._wanted, _MOST_AT_ONCE, max(1, ceil(self._per_second)))
        return first

    def _reserve(self) -> tuple[Place, BudgetState, float]:
        def decide(state: BudgetState, at: float) -> tuple[BudgetState, Place | TransientError]:
            return reserve(
                state,
                at,
                per_second=self._per_second,
                patience=self._patience,
                count=self._wanted,
                spread=self._spread(),
            )

        place, state, at = self._change(decide)
        if isinstance(place, TransientError):
            self._wanted = 1
            raise place
        return place, state, at

    def _tell(self, change: Callable[[BudgetState, float], BudgetState]) -> None:
        """Places reserved before a pause was asked for are given up."""
        _, state, at = self._change(lambda state, at: (change(state, at), None))
        with self._lock:
            well = state.failures == 0 and state.blocked_until <= at
            self._well_until = clock.monotonic() + _LOOK_AGAIN_SECONDS if well else 0.0
            if not well:
                self._places.clear()
                self._wanted = 1

    def _change(self, decide: Callable[[BudgetState, float], tuple[BudgetState, T]]) -> tuple[T, BudgetState, float]:
        def work(unit: Unit) -> tuple[T, BudgetState, float]:
            row = budgets.lock(unit, self._integration_id)
            at = unit.now.timestamp()
            state, answer = decide(BudgetState(row.slot_at, row.blocked_until, row.failures), at)
            if (state.slot_at, state.blocked_until, state.failures) != (row.slot_at, row.blocked_until, row.failures):
                budgets.save(unit, self._integration_id, BudgetRow(state.slot_at, state.blocked_until, state.failures))
            return answer, state, at

        return self._database.write(work)

    def _spread(self) -> float:
        return self._random.uniform(1, 1.5)
