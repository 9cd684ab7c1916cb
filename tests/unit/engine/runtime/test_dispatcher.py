"""The doorbell: within the process and through Redis, one behaviour."""

from queue import Queue

import pytest

from engine.runtime.dispatcher import Dispatcher
from tests.servers import Redis


@pytest.fixture(params=["within the process", "redis"])
def dispatcher(request: pytest.FixtureRequest):
    found = Dispatcher(request.getfixturevalue("redis_url") if request.param == "redis" else "")
    yield found
    found.stop(grace_seconds=5)
    found.close()


def test_a_ring_reaches_a_worker_with_the_executions_id(dispatcher):
    heard: Queue[int] = Queue()
    dispatcher.start(heard.put, threads=2)
    assert dispatcher.ring([7, 8])
    assert {heard.get(timeout=10), heard.get(timeout=10)} == {7, 8}


def test_a_ring_before_any_worker_waits(dispatcher):
    dispatcher.ring([7])
    assert dispatcher.backlog() == 1
    heard: Queue[int] = Queue()
    dispatcher.start(heard.put, threads=1)
    assert heard.get(timeout=10) == 7


def test_work_that_raises_is_not_rung_again_by_the_broker(dispatcher):
    heard: Queue[int] = Queue()

    def work(execution_id: int) -> None:
        heard.put(execution_id)
        if execution_id == 1:
            raise ValueError("broken")

    dispatcher.start(work, threads=1)
    dispatcher.ring([1, 2])
    assert [heard.get(timeout=10), heard.get(timeout=10)] == [1, 2]
    assert heard.empty()


def test_a_busy_worker_leaves_further_messages_to_others(redis_url):
    """A message fetched ahead would wait behind long work while other workers are idle."""
    busy, idle = Dispatcher(redis_url), Dispatcher(redis_url)
    heard: Queue[tuple[str, int]] = Queue()
    release: Queue[None] = Queue()

    def work_long(execution_id: int) -> None:
        heard.put(("busy", execution_id))
        release.get(timeout=20)

    busy.start(work_long, threads=1)
    busy.ring([1])
    assert heard.get(timeout=10) == ("busy", 1)
    busy.ring([2, 3])
    idle.start(lambda execution_id: heard.put(("idle", execution_id)), threads=1)
    assert {heard.get(timeout=10), heard.get(timeout=10)} == {("idle", 2), ("idle", 3)}
    release.put(None)
    for dispatcher in (busy, idle):
        dispatcher.stop(grace_seconds=5)
        dispatcher.close()


def test_when_redis_is_down_ringing_fails_quietly_and_works_again_afterwards():
    server = Redis()
    try:
        dispatcher = Dispatcher(server.url)
        assert not dispatcher.ring([1])
        assert dispatcher.backlog() is None
        server.start()
        assert dispatcher.ring([1])
        assert dispatcher.backlog() == 1
        dispatcher.close()
    finally:
        server.close()


def test_a_worker_that_stops_leaves_what_it_has_not_begun(dispatcher):
    heard: Queue[int] = Queue()
    release: Queue[None] = Queue()

    def work_long(execution_id: int) -> None:
        heard.put(execution_id)
        release.get(timeout=20)

    dispatcher.start(work_long, threads=1)
    dispatcher.ring([1, 2])
    assert heard.get(timeout=10) == 1
    dispatcher.stop(grace_seconds=0.3)
    release.put(None)
    assert dispatcher.backlog() == 1
    assert heard.empty()


def test_a_worker_that_waits_while_redis_is_down_hears_what_is_rung_once_it_is_back():
    server = Redis()
    dispatcher = Dispatcher(server.url)
    heard: Queue[int] = Queue()
    try:
        dispatcher.start(heard.put, threads=1)
        server.start()
        assert dispatcher.ring([7])
        assert heard.get(timeout=20) == 7
    finally:
        dispatcher.stop(grace_seconds=5)
        dispatcher.close()
        server.close()


def test_to_ring_for_nobody_is_nothing(dispatcher):
    assert dispatcher.ring([])
    assert dispatcher.backlog() == 0
