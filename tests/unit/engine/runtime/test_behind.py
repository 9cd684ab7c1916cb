"""Stock is exported behind a fresh import of orders."""

from datetime import timedelta

import pytest

from engine.runtime import executions, worker
from engine.runtime.platform import Platform
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, history
from storage.rows import Execution, State, Trigger
from tests import toy


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


def pair(database: Database, **script):
    return toy.an_integration(database, flows=(toy.ORDERS, toy.EXPORT), **script)


def request(platform: Platform, feed) -> int:
    return executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id


def run(platform: Platform, execution_id: int) -> Execution:
    worker.run_execution(platform, execution_id)
    found = platform.database.read(lambda unit: rows.get(unit, execution_id))
    assert found is not None
    return found


def listed(platform: Platform) -> list[tuple[str, Trigger, State]]:
    found = platform.database.read(history.listed)
    return [(row.flow, row.execution.trigger, row.execution.state) for row in found]


def test_an_export_starts_the_import_it_runs_behind_and_goes_on_when_that_is_done(platform, database):
    _, export = pair(database)
    waiting = run(platform, request(platform, export))
    assert (waiting.state, waiting.tries) == (State.QUEUED, 0)
    assert "Import new orders" in waiting.reason
    assert listed(platform)[0] == (toy.ORDERS, Trigger.BEHIND, State.QUEUED)
    rung = platform.dispatcher.backlog()
    assert run(platform, waiting.id + 1).state is State.SUCCEEDED
    assert platform.dispatcher.backlog() == rung + 1, "the end of the import rings for the export"
    assert run(platform, waiting.id).state is State.SUCCEEDED


def test_an_import_that_is_fresh_enough_is_not_run_again(platform, database, clock):
    orders, export = pair(database)
    run(platform, request(platform, orders))
    clock.advance(minutes=29)
    assert run(platform, request(platform, export)).state is State.SUCCEEDED
    clock.advance(minutes=2)
    assert run(platform, request(platform, export)).state is State.QUEUED


def test_an_import_that_runs_already_is_waited_for_not_doubled(platform, database):
    orders, export = pair(database)
    running = request(platform, orders)
    executions.claim(platform, running)
    assert run(platform, request(platform, export)).state is State.QUEUED
    assert [flow for flow, _, _ in listed(platform)] == [toy.EXPORT, toy.ORDERS]


def test_when_the_import_fails_the_export_is_skipped_with_the_reason(platform, database):
    _, export = pair(database, at=1, event="UnexpectedFormat")
    waiting = run(platform, request(platform, export))
    assert run(platform, waiting.id + 1).state is State.FAILED
    skipped = run(platform, waiting.id)
    assert skipped.state is State.SKIPPED
    assert f"failed (execution {waiting.id + 1})" in skipped.reason


def test_when_the_import_cannot_run_the_export_is_skipped_with_the_reason(platform, database):
    orders, export = pair(database)
    database.write(lambda unit: feeds.pause(unit, orders.id, reason="Too wild."))
    skipped = run(platform, request(platform, export))
    assert skipped.state is State.SKIPPED
    assert "Too wild." in skipped.reason


def test_nobody_waits_longer_than_an_hour(platform, database, clock):
    _, export = pair(database, at=1, event="RateLimited", attempts=99)
    waiting = run(platform, request(platform, export))
    run(platform, waiting.id + 1)
    clock.advance(minutes=30)
    assert run(platform, waiting.id).state is State.QUEUED
    clock.advance(minutes=31)
    assert run(platform, waiting.id).state is State.SKIPPED


def test_an_integration_without_that_import_exports_right_away(platform, database):
    (export,) = toy.an_integration(database, flows=(toy.EXPORT,))
    assert run(platform, request(platform, export)).state is State.SUCCEEDED


def test_while_it_waits_it_looks_again_by_itself(platform, database, clock):
    _, export = pair(database)
    waiting = run(platform, request(platform, export))
    assert waiting.available_at == clock() + timedelta(seconds=30)
