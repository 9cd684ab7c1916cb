"""A budget shared by processes through the database."""

from datetime import timedelta

import pytest

from domain.errors import RateLimited, Unavailable
from engine.runtime.budget import DatabaseBudget
from storage.database import Database
from storage.queries import budgets


def a_budget(database: Database, waits: list[float], **more) -> DatabaseBudget:
    return DatabaseBudget(database, 7, sleep=waits.append, **more)


def row(database: Database) -> budgets.BudgetRow:
    return database.read(lambda unit: budgets.read(unit, 7))


def test_without_a_limit_nobody_waits_and_the_database_is_asked_once(database, clock):
    waits: list[float] = []
    budget = a_budget(database, waits)
    for _ in range(50):
        budget.acquire()
        budget.succeeded()
    assert waits == []
    assert row(database).failures == 0


def test_two_processes_share_one_limit(database, clock):
    waits: list[float] = []
    here, there = (a_budget(database, waits, per_second=2.0) for _ in range(2))
    for _ in range(3):
        here.acquire()
        there.acquire()
    assert row(database).slot_at >= clock().timestamp() + 3
    assert max(waits) > 2


def test_a_pause_that_was_asked_for_holds_for_all(database, clock):
    here, there = (a_budget(database, []) for _ in range(2))
    here.penalise(timedelta(seconds=90))
    with pytest.raises(RateLimited) as refusal:
        there.acquire()
    assert refusal.value.retry_after == timedelta(seconds=90)
    clock.advance(91)
    there.acquire()


def test_a_pause_takes_back_the_places_reserved_before_it(database, clock):
    budget = a_budget(database, [], per_second=10.0)
    for _ in range(4):
        budget.acquire()
    budget.penalise(timedelta(seconds=60))
    with pytest.raises(RateLimited):
        budget.acquire()


def test_failures_in_a_row_open_the_circuit_for_all_and_a_success_closes_it(database, clock):
    here, there = (a_budget(database, []) for _ in range(2))
    for _ in range(3):
        here.failed()
    with pytest.raises(Unavailable):
        there.acquire()
    clock.advance(10)
    there.acquire()
    with pytest.raises(Unavailable):
        here.acquire()
    there.succeeded()
    assert row(database).failures == 0
    here.acquire()


def test_another_integration_is_not_concerned(database):
    a_budget(database, []).penalise(timedelta(seconds=60))
    DatabaseBudget(database, 8).acquire()
