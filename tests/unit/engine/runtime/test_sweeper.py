"""What a crash leaves lying is found; a feed that is not well says so."""

from datetime import timedelta

import pytest

from domain.schedule import Schedule, minutes
from engine.runtime import executions, scheduler, worker
from engine.runtime.platform import Platform
from engine.runtime.sweeper import (
    MOST_LOST_LEASES,
    Sweeper,
    raise_overdue,
    raise_slow,
    ring_waiting,
    take_back_lost,
)
from storage.database import Database, StorageBusy
from storage.queries import executions as rows
from storage.queries import feeds, heartbeats, leases
from storage.queries import issues as issue_rows
from storage.rows import Execution, Feed, State, Trigger
from tests import toy


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


@pytest.fixture
def feed(database: Database) -> Feed:
    return toy.an_integration(database)[0]


def request(platform: Platform, feed: Feed) -> int:
    return executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id


def read(platform: Platform, execution_id: int) -> Execution:
    found = platform.database.read(lambda unit: rows.get(unit, execution_id))
    assert found is not None
    return found


def causes(platform: Platform) -> list[str]:
    return [issue.cause for issue in platform.database.read(issue_rows.listed)]


def test_a_lease_that_still_runs_is_left_alone(platform, feed, clock):
    executions.claim(platform, request(platform, feed))
    clock.advance(30)
    assert take_back_lost(platform) == 0


def test_an_execution_whose_worker_is_gone_is_queued_again_and_runs_to_its_end(platform, feed, clock):
    execution_id = request(platform, feed)
    executions.claim(platform, execution_id)
    clock.advance(31)
    Sweeper(platform).sweep()
    execution = read(platform, execution_id)
    assert (execution.state, execution.lost_leases, execution.attempt) == (State.QUEUED, 1, 1)
    assert platform.dispatcher.backlog() == 2
    worker.run_execution(platform, execution_id)
    assert read(platform, execution_id).state is State.SUCCEEDED


def test_the_third_lost_lease_fails_the_execution_pauses_its_feed_and_opens_one_issue(platform, feed, clock):
    execution_id = request(platform, feed)
    for _ in range(MOST_LOST_LEASES):
        assert executions.claim(platform, execution_id) is not None
        clock.advance(31)
        take_back_lost(platform)
    execution = read(platform, execution_id)
    assert (execution.state, execution.lost_leases, execution.error_code) == (State.FAILED, 3, "lease_lost")
    assert platform.database.read(lambda unit: feeds.get(unit, feed.id)).paused_at is not None
    assert causes(platform) == ["import_toys:lease_lost"]


def test_a_cancelled_execution_whose_worker_is_gone_is_cancelled(platform, feed, clock):
    execution_id = request(platform, feed)
    executions.claim(platform, execution_id)
    executions.cancel(platform, execution_id, person="anna")
    clock.advance(31)
    take_back_lost(platform)
    assert read(platform, execution_id).state is State.CANCELLED


def test_a_worker_that_comes_back_in_time_keeps_its_execution(platform, feed, clock):
    execution_id = request(platform, feed)
    claim = executions.claim(platform, execution_id)
    clock.advance(31)
    (lost,) = platform.database.read(leases.lost)
    renewal = {"worker": platform.worker, "lease_seconds": 30}
    assert platform.database.write(lambda unit: leases.renew(unit, [execution_id], **renewal)) == {execution_id: 1}
    taken = platform.database.write(
        lambda unit: leases.take_back(unit, lost, state=State.QUEUED, reason="Its worker was lost.")
    )
    assert not taken
    assert read(platform, execution_id) == read(platform, claim.execution.id)


def test_a_worker_that_was_asleep_writes_nothing_more(platform, feed, clock):
    execution_id = request(platform, feed)
    claim = executions.claim(platform, execution_id)
    clock.advance(31)
    take_back_lost(platform)
    renewed = platform.database.write(
        lambda unit: rows.progress(unit, execution_id, attempt=claim.execution.attempt, lease_seconds=30, columns={})
    )
    assert renewed is None
    executions.claim(toy.a_platform(platform.database), execution_id)
    for change in (rows.progress, rows.finish, rows.release):
        more = {
            rows.progress: {"lease_seconds": 30, "columns": {}},
            rows.finish: {"state": State.SUCCEEDED},
            rows.release: {"tries": 0},
        }[change]
        assert not platform.database.write(lambda unit, do=change, more=more: do(unit, execution_id, attempt=1, **more))
    assert read(platform, execution_id).attempt == 2


def test_a_clock_set_back_does_not_keep_a_dead_workers_lease_for_an_hour(platform, feed, clock):
    execution_id = request(platform, feed)
    executions.claim(platform, execution_id)
    clock.advance(hours=-1)
    sweeper = Sweeper(platform)
    sweeper.sweep()
    assert read(platform, execution_id).lease_until == clock() + timedelta(seconds=30)
    clock.advance(10)
    sweeper.sweep()
    assert read(platform, execution_id).state is State.RUNNING


def test_a_clock_set_forward_takes_nothing_from_living_workers(platform, feed, clock):
    execution_id = request(platform, feed)
    executions.claim(platform, execution_id)
    sweeper = Sweeper(platform)
    sweeper.sweep()
    clock.advance(days=1)
    sweeper.sweep()
    sweeper.sweep()
    assert read(platform, execution_id).state is State.RUNNING


def test_an_execution_nobody_was_told_of_is_rung_once(platform, feed):
    """The process that requested it died between commit and ringing."""
    platform.database.write(lambda unit: executions.place(unit, feed.id, trigger=Trigger.WEBHOOK))
    assert ring_waiting(platform) == 1
    assert ring_waiting(platform) == 0
    assert platform.dispatcher.backlog() == 1


def test_messages_that_were_lost_are_sent_again_and_those_that_only_wait_are_not(platform, feed, clock):
    platform.database.write(lambda unit: executions.place(unit, feed.id, trigger=Trigger.WEBHOOK))
    ring_waiting(platform)
    clock.advance(11)
    assert ring_waiting(platform) == 0, "the message still waits for a worker"
    restarted = toy.a_platform(platform.database)
    assert ring_waiting(restarted) == 1


def test_what_cannot_start_is_not_rung(platform, feed, clock):
    first = request(platform, feed)
    executions.claim(platform, first)
    platform.database.write(lambda unit: executions.place(unit, feed.id, trigger=Trigger.WEBHOOK))
    assert ring_waiting(platform) == 0, "its feed runs"
    platform.database.write(lambda unit: rows.finish(unit, first, attempt=1, state=State.SUCCEEDED))
    platform.database.write(lambda unit: feeds.pause(unit, feed.id, reason=""))
    assert ring_waiting(platform) == 0, "its feed is paused"
    platform.database.write(lambda unit: feeds.resume(unit, feed.id))
    assert ring_waiting(platform) == 1


def test_a_run_three_times_slower_than_usual_is_one_issue_however_often_it_is_looked_at(platform, feed, clock):
    platform.database.write(lambda unit: feeds.succeeded(unit, feed.id, seconds=100))
    executions.claim(platform, request(platform, feed))
    clock.advance(299)
    platform.database.write(raise_slow)
    assert causes(platform) == []
    clock.advance(2)
    platform.database.write(raise_slow)
    platform.database.write(raise_slow)
    (issue,) = platform.database.read(issue_rows.listed)
    assert (issue.cause, issue.occurrences) == ("import_toys:slow", 1)


def test_a_feed_without_success_since_twice_its_interval_is_an_issue_until_it_succeeds(platform, feed, clock):
    platform.database.write(lambda unit: scheduler.set_schedule(unit, feed.id, Schedule(every=minutes(60))))
    platform.database.write(lambda unit: feeds.succeeded(unit, feed.id, seconds=1))
    clock.advance(minutes=119)
    platform.database.write(raise_overdue)
    assert causes(platform) == []
    clock.advance(minutes=2)
    platform.database.write(raise_overdue)
    assert causes(platform) == ["import_toys:overdue"]
    worker.run_execution(platform, request(platform, feed))
    assert causes(platform) == []


def test_a_feed_that_never_ran_is_not_overdue_and_one_that_never_succeeded_is(platform, feed, clock):
    platform.database.write(lambda unit: scheduler.set_schedule(unit, feed.id, Schedule(every=minutes(60))))
    clock.advance(days=1)
    platform.database.write(raise_overdue)
    assert causes(platform) == []
    request(platform, feed)
    clock.advance(hours=3)
    platform.database.write(raise_overdue)
    assert causes(platform) == ["import_toys:overdue"]


def test_processes_not_heard_of_are_forgotten(platform, clock):
    platform.database.write(lambda unit: heartbeats.beat(unit, "old", role="worker"))
    clock.advance(minutes=61)
    platform.database.write(lambda unit: heartbeats.beat(unit, "new", role="worker"))
    Sweeper(platform).sweep()
    assert [beat.name for beat in platform.database.read(heartbeats.listed)] == ["new"]


def test_after_a_round_without_database_workers_get_the_time_to_renew_their_leases(database_url, clock):
    outages: list[StorageBusy] = []

    def now():
        if outages:
            raise outages.pop()
        return clock()

    with Database(database_url, now=now) as database:
        platform = toy.a_platform(database)
        (feed,) = toy.an_integration(database)
        execution_id = request(platform, feed)
        executions.claim(platform, execution_id)
        sweeper = Sweeper(platform)
        clock.advance(31)
        outages.append(StorageBusy("The database is away."))
        with pytest.raises(StorageBusy):
            sweeper.sweep()
        sweeper.sweep()
        assert read(platform, execution_id).state is State.RUNNING
        Sweeper(platform).sweep()
        assert read(platform, execution_id).state is State.QUEUED
