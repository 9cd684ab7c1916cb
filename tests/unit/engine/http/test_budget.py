"""The budget of an integration: spacing, pauses, and the circuit that keeps an outage cheap."""

import heapq
import random
import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import RateLimited, TransientError, Unavailable
from engine.http.budget import (
    OPENS_AT,
    BudgetState,
    MemoryBudget,
    Place,
    after_failure,
    after_penalty,
    after_success,
    reserve,
)


class Time:
    """A clock that moves only when slept on."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def budget_in(time: Time, per_second: float | None = None) -> MemoryBudget:
    return MemoryBudget(per_second, now=time.now, sleep=time.sleep)


def test_requests_are_spaced_evenly():
    time = Time()
    budget = budget_in(time, per_second=4)
    starts = []
    for _ in range(5):
        budget.acquire()
        starts.append(time.at)
    assert starts == [1000.0, 1000.25, 1000.5, 1000.75, 1001.0]


def test_unused_time_is_not_saved_up():
    time = Time()
    budget = budget_in(time, per_second=2)
    budget.acquire()
    time.sleep(100)
    budget.acquire()
    before = time.at
    budget.acquire()
    assert time.at == before + 0.5


def test_without_a_rate_nobody_waits():
    time = Time()
    budget = budget_in(time)
    for _ in range(100):
        budget.acquire()
    assert time.at == 1000.0


def test_places_can_be_reserved_in_blocks():
    state, place = reserve(BudgetState(), 10.0, per_second=5, patience=1, count=10)
    assert place == Place(starts_at=10.0, count=10)
    _, following = reserve(state, 10.0, per_second=5, patience=1, count=10)
    assert following == Place(starts_at=12.0, count=10)


def test_threads_get_each_place_once():
    waits: list[float] = []
    budget = MemoryBudget(per_second=1, now=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=lambda: [budget.acquire() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == list(range(1, 200))


def test_a_short_pause_is_waited_for_and_a_long_one_is_not():
    time = Time()
    budget = budget_in(time)
    budget.penalise(timedelta(seconds=3))
    budget.acquire()
    assert time.at == 1003.0
    budget.penalise(timedelta(minutes=10))
    with pytest.raises(RateLimited) as caught:
        budget.acquire()
    assert caught.value.retry_after == timedelta(minutes=10)
    assert time.at == 1003.0


def test_a_pause_asked_for_while_one_waits_for_a_place_holds_for_him_too():
    time = Time()

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        budget.penalise(timedelta(hours=1))

    budget = MemoryBudget(1, now=time.now, sleep=sleep)
    budget.acquire()
    with pytest.raises(RateLimited):
        budget.acquire()


def test_pauses_of_unknown_length_double():
    state, lengths = BudgetState(), []
    for _ in range(9):
        before = state.blocked_until
        state = after_penalty(state, before, retry_after=None)
        lengths.append(state.blocked_until - before)
    assert lengths == [1, 2, 4, 8, 16, 32, 64, 90, 90]


def test_a_success_forgets_failures_but_not_a_pause_that_was_asked_for():
    paused = after_penalty(BudgetState(), 100.0, retry_after=60.0)
    assert after_success(after_failure(paused, 101.0), 102.0) == paused


def test_the_circuit_opens_after_some_failures_and_lets_one_through_at_a_time():
    state = BudgetState()
    for _ in range(OPENS_AT):
        state, place = reserve(state, 0.0, per_second=None, patience=5)
        assert isinstance(place, Place)
        state = after_failure(state, 0.0)
    assert isinstance(reserve(state, 4.9, per_second=None, patience=5)[1], Unavailable)
    state, place = reserve(state, 5.0, per_second=None, patience=5, count=10)
    assert place == Place(starts_at=5.0, count=1)
    assert isinstance(reserve(state, 5.0, per_second=None, patience=5)[1], Unavailable)
    closed = after_success(state, 6.0)
    assert not closed.is_open
    assert isinstance(reserve(closed, 6.0, per_second=None, patience=5)[1], Place)


@pytest.mark.parametrize("workers", [1, 4, 8])
@pytest.mark.parametrize("takes", [0.01, 5.0, 30.0])
@pytest.mark.parametrize("seed", range(5))
def test_an_outage_of_ten_minutes_costs_at_most_twenty_requests(workers, takes, seed):
    """Several workers, each trying three times in place and coming back at once when told how long to stay away."""
    spread, state, sent = random.Random(seed), BudgetState(), 0
    queue = [(spread.uniform(0, 1), worker, "ask", 1) for worker in range(workers)]
    heapq.heapify(queue)
    while queue and queue[0][0] < 600:
        at, worker, step, attempt = heapq.heappop(queue)
        if step == "fail":
            state = after_failure(state, at, spread=spread.uniform(1, 1.5))
            pause = spread.uniform(0, 0.5 * 2 ** (attempt - 1)) if attempt < 3 else 0.001
            heapq.heappush(queue, (at + pause, worker, "ask", attempt % 3 + 1))
            continue
        state, place = reserve(state, at, per_second=None, patience=5, spread=spread.uniform(1, 1.5))
        if isinstance(place, Place):
            sent += 1
            heapq.heappush(queue, (place.starts_at + takes, worker, "fail", attempt))
        else:
            heapq.heappush(queue, (at + place.retry_after.total_seconds() + 0.001, worker, "ask", 1))
    assert 2 <= sent <= 20


steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "failed", "penalty", "asked", "succeeded"]), st.floats(0, 100)), max_size=60
)


@given(steps)
def test_whatever_happens_nobody_starts_within_a_pause_and_waits_are_honest(history):
    state, at = BudgetState(), 0.0
    for step, passed in history:
        at += passed
        before = state
        match step:
            case "reserve":
                state, place = reserve(state, at, per_second=10, patience=5)
                if isinstance(place, Place):
                    assert place.starts_at >= max(at, before.blocked_until)
                else:
                    assert isinstance(place, TransientError)
                    assert state == before
                    assert place.retry_after is not None
                    assert place.retry_after > timedelta(0)
            case "failed":
                state = after_failure(state, at)
                assert state.failures == before.failures + 1
            case "penalty":
                state = after_penalty(state, at, retry_after=None)
                assert state.blocked_until > at
            case "asked":
                state = after_penalty(state, at, retry_after=30.0)
                assert state.blocked_until >= at + 30.0
            case "succeeded":
                state = after_success(state, at)
                assert state.failures == 0
        assert state.blocked_until <= max(before.blocked_until, at + 90)
