"""Workers that are killed, put to sleep, asked to stop, or killed by what they run."""

import signal
import sys
from pathlib import Path
from subprocess import run as run_program

import pytest

from engine.runtime import executions
from storage.database import Database
from storage.queries import feeds
from storage.queries import issues as issue_rows
from storage.rows import State, Trigger
from tests import toy
from tests.faults.processes import ROOT, judge, process, read, until


@pytest.fixture
def present(database_url: str):
    """The database in real time, as the processes see it."""
    with Database(database_url) as database:
        yield database


def request(database: Database, feed) -> int:
    """Ask for an execution and tell nobody: the sweep rings."""
    return database.write(lambda unit: executions.place(unit, feed.id, trigger=Trigger.MANUAL)).execution_id


def test_a_worker_killed_inside_a_page_leaves_nothing_of_it_and_the_next_goes_on_from_the_saved_page(
    present, database_url, tmp_path
):
    (feed,) = toy.an_integration(present, at=2, event="hang")
    execution_id = request(present, feed)
    with process(database_url, "worker", "scheduler", folder=tmp_path) as first:
        first.wait_for(f"inside {execution_id}")
        first.send(signal.SIGKILL)
        first.ended()
    assert toy.pages(present) == [f"{execution_id}/1"]
    with process(database_url, "worker", "scheduler", folder=tmp_path):
        until(lambda: read(present, execution_id).state is State.SUCCEEDED)
    execution = read(present, execution_id)
    assert (execution.attempt, execution.lost_leases) == (2, 1)
    judge(present)


def test_a_worker_asleep_beyond_its_lease_changes_nothing_when_it_wakes(present, database_url, tmp_path):
    (feed,) = toy.an_integration(present, at=2, event="wait")
    execution_id = request(present, feed)
    with process(database_url, "worker", "scheduler", folder=tmp_path) as sleeper:
        sleeper.wait_for(f"waiting {execution_id}")
        sleeper.send(signal.SIGSTOP)
        with process(database_url, "worker", "scheduler", folder=tmp_path) as other:
            until(lambda: read(present, execution_id).state is State.SUCCEEDED)
            sleeper.send(signal.SIGCONT)
            sleeper.send(signal.SIGTERM)
            assert sleeper.ended() == 0
            other.send(signal.SIGTERM)
            assert other.ended() == 0
    assert read(present, execution_id).attempt == 2
    judge(present)


def test_a_worker_asked_to_stop_drops_its_page_gives_the_execution_back_and_counts_nothing(
    present, database_url, tmp_path
):
    (feed,) = toy.an_integration(present, at=2, event="wait")
    execution_id = request(present, feed)
    with process(database_url, "worker", "scheduler", folder=tmp_path) as worker:
        worker.wait_for(f"waiting {execution_id}")
        worker.send(signal.SIGTERM)
        assert worker.ended() == 0
    execution = read(present, execution_id)
    assert (execution.state, execution.position, execution.tries, execution.lost_leases) == (State.QUEUED, 1, 0, 0)
    with process(database_url, "worker", "scheduler", folder=tmp_path):
        until(lambda: read(present, execution_id).state is State.SUCCEEDED)
    judge(present)


def test_an_execution_that_kills_its_worker_every_time_is_stopped_and_others_go_on(present, database_url, tmp_path):
    deadly, _ = toy.an_integration(present, flows=(toy.IMPORT, toy.ORDERS), at=2, event="die", attempts=99)
    (harmless,) = toy.an_integration(present, name="other")
    execution_id = request(present, deadly)
    for _ in range(3):
        with process(database_url, "worker", "scheduler", folder=tmp_path) as worker:
            assert worker.ended() == -signal.SIGKILL
    with process(database_url, "worker", "scheduler", folder=tmp_path):
        until(lambda: read(present, execution_id).state is State.FAILED)
        other_id = request(present, harmless)
        until(lambda: read(present, other_id).state is State.SUCCEEDED)
    assert read(present, execution_id).lost_leases == 3
    assert present.read(lambda unit: feeds.get(unit, deadly.id)).paused_at is not None
    assert [issue.cause for issue in present.read(issue_rows.listed)] == ["import_toys:lease_lost"]
    judge(present)


KILLED_BEFORE_RINGING = """
import os, signal, sys
from engine.runtime import executions
from storage.database import Database
from storage.rows import Trigger

with Database(sys.argv[1]) as database:
    database.write(lambda unit: executions.place(unit, int(sys.argv[2]), trigger=Trigger.SCHEDULE))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_between_commit_and_ring_costs_a_delay_and_one_execution_runs(
    present, database_url, tmp_path: Path
):
    (feed,) = toy.an_integration(present)
    done = run_program([sys.executable, "-c", KILLED_BEFORE_RINGING, database_url, str(feed.id)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert read(present, 1).state is State.QUEUED
    with process(database_url, "worker", "scheduler", folder=tmp_path):
        until(lambda: read(present, 1).state is State.SUCCEEDED)
    assert read(present, 1).attempt == 1
    judge(present)
