"""Redis is a doorbell: when it is down, emptied or restarted, work is late at most, never lost or doubled."""

import pytest

from engine.runtime import executions
from engine.runtime.sweeper import ring_waiting
from storage.database import Database
from storage.queries import history
from storage.rows import State, Trigger
from tests import toy
from tests.faults.processes import judge, process, read, until
from tests.servers import Redis


@pytest.fixture
def present(database_url: str):
    with Database(database_url) as database:
        yield database


@pytest.fixture
def redis():
    server = Redis()
    server.start()
    yield server
    server.close()


def test_a_request_succeeds_while_redis_is_down_and_runs_once_it_is_back(present, database_url, redis, tmp_path):
    (feed,) = toy.an_integration(present)
    redis.stop()
    requester = toy.a_platform(present, redis_url=redis.url)
    with process(database_url, "worker", "scheduler", folder=tmp_path, NAVETTE_REDIS_URL=redis.url):
        requested = executions.request(requester, feed.id, trigger=Trigger.MANUAL)
        assert requested.joined == "new"
        assert read(present, requested.execution_id).state is State.QUEUED
        redis.start()
        until(lambda: read(present, requested.execution_id).state is State.SUCCEEDED)
    requester.dispatcher.close()
    judge(present)


def test_when_redis_forgets_everything_each_queued_execution_still_runs_once(present, database_url, redis, tmp_path):
    """Five hundred messages lost, and each that is not lost doubled."""
    feeds = toy.an_integration(present, flows=[f"flow_{number}" for number in range(50)], pages=1)
    requester = toy.a_platform(present, redis_url=redis.url)

    def place(unit):
        for feed in feeds:
            for number in range(10):
                executions.place(unit, feed.id, trigger=Trigger.MANUAL, scope={"ids": [str(number)]})

    present.write(place)
    assert ring_waiting(requester) == 500
    with redis.client as client:
        client.flushall()
    everything = [row.execution.id for row in present.read(lambda unit: history.listed(unit, count=1000))]
    requester.dispatcher.ring(everything[::5])
    requester.dispatcher.ring(everything[::5])
    requester.dispatcher.close()
    with process(
        database_url, "worker", "scheduler", folder=tmp_path, NAVETTE_REDIS_URL=redis.url, NAVETTE_WORKER_THREADS="8"
    ):
        until(lambda: not present.read(history.counts_by_state), seconds=100)
    ended = [row.execution for row in present.read(lambda unit: history.listed(unit, count=1000))]
    assert {(execution.state, execution.attempt) for execution in ended} == {(State.FAILED, 1)}


def test_redis_restarted_while_a_page_is_read_changes_nothing(present, database_url, redis, tmp_path):
    (feed,) = toy.an_integration(present, at=2, event="pause_for_file")
    requester = toy.a_platform(present, redis_url=redis.url)
    with process(database_url, "worker", "scheduler", folder=tmp_path, NAVETTE_REDIS_URL=redis.url) as worker:
        execution_id = executions.request(requester, feed.id, trigger=Trigger.MANUAL).execution_id
        worker.wait_for(f"waiting {execution_id}")
        redis.kill()
        redis.start()
        (tmp_path / "go").touch()
        until(lambda: read(present, execution_id).state is State.SUCCEEDED)
        following = executions.request(requester, feed.id, trigger=Trigger.MANUAL).execution_id
        until(lambda: read(present, following).state is State.SUCCEEDED)
    requester.dispatcher.close()
    assert read(present, execution_id).attempt == 1
    judge(present)
