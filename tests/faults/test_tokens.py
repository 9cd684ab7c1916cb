"""Several processes, and a process that dies, around one renewal of a sign-in."""

import multiprocessing
import signal
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from engine.runtime import executions, worker
from engine.simulation.server import serve
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import integrations
from storage.queries import issues as issue_rows
from storage.rows import State, Trigger
from tests import token_shop
from tests.moving import MovableClock
from tests.token_shop import CANARY, TokenShop


def run_apart(url: str, feed_id: int, barrier: Barrier, told: Any) -> None:
    """A worker process of its own."""
    with Database(url) as database:
        platform = token_shop.a_platform(database)
        execution_id = executions.request(platform, feed_id, trigger=Trigger.MANUAL).execution_id
        barrier.wait(60)
        worker.run_execution(platform, execution_id)
        found = database.read(lambda unit: rows.get(unit, execution_id))
        told.put((found.state, found.reason) if found is not None else None)


def die_with_new_tokens(url: str, feed_id: int) -> None:
    """A worker process that is killed once the shop has handed out new tokens; in the time of the test."""
    with Database(url, now=MovableClock()) as database:
        platform = token_shop.a_platform(database)
        execution_id = executions.request(platform, feed_id, trigger=Trigger.MANUAL).execution_id
        worker.run_execution(platform, execution_id)


def test_two_processes_that_find_the_token_expired_at_once_renew_it_once(database_url):
    shop = TokenShop()
    with serve(shop) as server, Database(database_url) as database:
        feeds = token_shop.an_integration(database, shop, base_url=server.url, items=10)
        shop.is_expired = True
        server.faults.add("latency", times=None, path="/token", setting="300")  # both are refused before it is done
        context = multiprocessing.get_context("fork")
        barrier, told = context.Barrier(2), context.Queue()
        processes = [
            context.Process(target=run_apart, args=(database_url, feed.id, barrier, told)) for feed in feeds[:2]
        ]
        database.close()  # no connection is carried into another process
        for process in processes:
            process.start()
        assert [told.get(timeout=90) for _ in processes] == [(State.SUCCEEDED, "")] * 2
        for process in processes:
            process.join()
        assert shop.asked == [200]
        assert shop.used.count(f"{CANARY}-access-2") == 20
        assert token_shop.stored(database, feeds[0].integration_id) == {
            "access_token": f"{CANARY}-access-2",
            "refresh_token": f"{CANARY}-refresh-2",
        }


@pytest.mark.parametrize("accepts_former", [False, True], ids=["the old token is dead", "the old token lives"])
def test_a_renewal_whose_process_died_before_storing(database_url, accepts_former):
    """Where the old token is dead, only a person can sign in again, and is asked to; where it lives, nobody notices."""
    shop, clock = TokenShop(accepts_former=accepts_former), MovableClock()
    with serve(shop) as server, Database(database_url, now=clock) as database:
        feed, other, _ = token_shop.an_integration(database, shop, base_url=server.url, dies=True)
        shop.is_expired = True
        process = multiprocessing.get_context("fork").Process(target=die_with_new_tokens, args=(database_url, feed.id))
        database.close()  # no connection is carried into another process
        process.start()
        process.join(90)
        assert process.exitcode == -signal.SIGKILL
        assert shop.asked == [200]
        assert token_shop.stored(database, feed.integration_id)["access_token"] == f"{CANARY}-access-1"

        settings = {"base_url": server.url, "items": 3}
        database.write(lambda unit: integrations.change(unit, feed.integration_id, settings=settings))
        clock.advance(61)  # the dead process's turn is over
        platform = token_shop.a_platform(database)
        execution_id = executions.request(platform, other.id, trigger=Trigger.MANUAL).execution_id
        worker.run_execution(platform, execution_id)
        found = database.read(lambda unit: rows.get(unit, execution_id))
        integration = database.read(lambda unit: integrations.get(unit, feed.integration_id))
        issues = database.read(issue_rows.listed)
        assert found is not None
        assert integration is not None
        if accepts_former:
            assert (found.state, shop.asked, issues) == (State.SUCCEEDED, [200, 200], [])
            return
        assert (found.state, found.error_code, shop.asked) == (State.FAILED, "credentials_rejected", [200, 400])
        assert integration.paused_at is not None
        assert [(issue.message, issue.remedy) for issue in issues] == [
            (
                "The sign-in of shop has expired, and an earlier renewal was cut off, after the other side may have replaced it.",
                "Sign in to shop again in its settings.",
            )
        ]
