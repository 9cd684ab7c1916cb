"""A whole process in one: schedules, rings, works, and stops in order."""

from collections.abc import Callable
from threading import Event, Thread

import pytest

from domain.schedule import Schedule, minutes
from engine.runtime import executions, scheduler
from engine.runtime.platform import Platform
from engine.runtime.service import Role, serve
from storage.database import Database, StorageBusy
from storage.queries import executions as rows
from storage.queries import heartbeats, history
from storage.rows import State, Trigger
from tests import toy

QUICK = {"tick_seconds": 0.02, "sweep_seconds": 0.05, "heartbeat_seconds": 0.1, "grace_seconds": 4, "worker_threads": 2}


def until(condition: Callable[[], object]) -> None:
    """Wait for something another thread does."""
    for _ in range(1000):
        if condition():
            return
        Event().wait(0.02)
    raise AssertionError("It did not happen within twenty seconds.")


class Process:
    """A served platform in a thread."""

    def __init__(self, platform: Platform, *roles: Role, **more: object) -> None:
        self.platform = platform
        ready = Event()
        self.thread = Thread(target=serve, args=(platform, roles), kwargs={"ready": ready.set, **more})
        self.thread.start()
        assert ready.wait(20)

    def stop(self) -> None:
        self.platform.stopping.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def served(database: Database):
    process = Process(toy.a_platform(database, **QUICK), Role.WORKER, Role.SCHEDULER)
    yield process
    process.stop()


def state_of(database: Database, execution_id: int) -> State:
    return database.read(lambda unit: rows.get(unit, execution_id)).state


def test_a_request_by_hand_runs_at_once(served, database):
    (feed,) = toy.an_integration(database)
    requested = executions.request(served.platform, feed.id, trigger=Trigger.MANUAL)
    until(lambda: state_of(database, requested.execution_id) is State.SUCCEEDED)


def test_a_schedule_runs_when_its_moment_comes(served, database, clock):
    (feed,) = toy.an_integration(database)
    database.write(lambda unit: scheduler.set_schedule(unit, feed.id, Schedule(every=minutes(10))))
    clock.advance(minutes=10)
    until(lambda: [row.execution.state for row in database.read(history.listed)] == [State.SUCCEEDED])


def test_what_another_process_requested_is_found_by_the_sweep(served, database):
    (feed,) = toy.an_integration(database)
    requested = database.write(lambda unit: executions.place(unit, feed.id, trigger=Trigger.WEBHOOK))
    until(lambda: state_of(database, requested.execution_id) is State.SUCCEEDED)


def test_a_process_shows_that_it_lives_and_says_goodbye(database):
    process = Process(toy.a_platform(database, **QUICK), Role.WORKER, Role.SCHEDULER)
    until(lambda: {beat.role for beat in database.read(heartbeats.listed)} == {"worker", "scheduler"})
    process.stop()
    assert database.read(heartbeats.listed) == []


def test_a_duty_that_fails_or_breaks_is_done_again(database):
    faults: list[Exception] = [ValueError("broken"), StorageBusy("The database is away.")]
    done = Event()

    def duty(_platform: Platform) -> None:
        if faults:
            raise faults.pop()
        done.set()

    process = Process(toy.a_platform(database, **QUICK), Role.SCHEDULER, sweeps=(duty,))
    assert done.wait(20)
    process.stop()


def test_stopping_drops_the_page_at_hand_and_gives_the_execution_back(database):
    process = Process(toy.a_platform(database, **QUICK), Role.WORKER)
    (feed,) = toy.an_integration(database, at=2, event="wait", pages=2)
    requested = executions.request(process.platform, feed.id, trigger=Trigger.MANUAL)
    until(lambda: toy.pages(database) == ["1/1"])
    process.stop()
    execution = database.read(lambda unit: rows.get(unit, requested.execution_id))
    assert (execution.state, execution.position, execution.tries, execution.lost_leases) == (State.QUEUED, 1, 0, 0)
    assert toy.pages(database) == ["1/1"]


def test_a_goodbye_the_database_does_not_take_does_not_hold_the_process_up(tmp_path):
    path = tmp_path / "gone"
    path.mkdir()
    with Database(f"sqlite:///{path / 'navette.db'}") as database:
        process = Process(toy.a_platform(database, **QUICK), Role.SCHEDULER)
        process.stop()
