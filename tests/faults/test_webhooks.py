"""Webhooks over real HTTP and from several processes: what a sender sees, and what is left in the database."""

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from domain.clock import now
from engine.runtime import sweeper, worker
from engine.runtime.webhooks import DELIVERIES, LARGEST_BODY, Received, receive
from engine.simulation.server import serve
from storage.database import Database
from storage.queries import webhooks
from storage.tables import executions, webhook_deliveries
from tests import ringing_shop
from tests.builders import a_product
from tests.corner_shop import CornerShop
from tests.ringing_shop import Frame, a_note, stamped


def count(database: Database, table: sa.Table) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    return database.read(lambda unit: int(unit.connection.execute(query).scalar_one()))


def receive_apart(url: str, barrier: Barrier, told: Any) -> None:
    """A process of its own that receives the same delivery as all others, at once."""
    with Database(url) as database:
        platform = ringing_shop.a_platform(database, CornerShop())
        body = a_note()
        headers = stamped(body, at=now())
        barrier.wait(60)
        told.put(receive(platform, "corner", headers, body).status)


def die_while_receiving(url: str, *, after_commit: bool) -> None:
    """A process that is killed in the transaction, or when it was about to ring."""
    with Database(url) as database:
        platform = ringing_shop.a_platform(database, CornerShop())

        def die(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        if after_commit:
            sa.event.listen(database.engine, "checkin", lambda *_: die() if count_of_rows(url) else None)
        else:
            sa.event.listen(
                database.engine,
                "before_cursor_execute",
                lambda *given: die() if given[2].startswith("UPDATE webhook_deliveries") else None,
            )
        body = a_note()
        receive(platform, "corner", stamped(body, at=now()), body)


def count_of_rows(url: str) -> int:
    """Deliveries that are committed, as another connection sees them."""
    with Database(url) as database:
        return count(database, webhook_deliveries)


def test_what_a_sender_sees_over_http(database, clock):
    shop = CornerShop()
    shop.put(a_product("1"))
    ringing_shop.an_integration(database)
    frame = Frame(ringing_shop.a_platform(database, shop))
    with serve(frame) as server, httpx.Client(base_url=server.url) as client:

        def post(body: bytes, headers: dict[str, str], name: str = "corner") -> httpx.Response:
            return client.post(f"/webhooks/{name}", content=body, headers=headers)

        body = a_note()
        answers = [
            post(body, stamped(body)),
            post(body, stamped(body)),
            post(body + b" ", stamped(body)),
            post(body, {}),
            post(body, stamped(body, at=clock() - timedelta(hours=1))),
            post(body, stamped(body, keys=("wrong",))),
            post(body, stamped(body), name="nobody"),
            post(b"x" * (LARGEST_BODY + 1), stamped(body)),
        ]
    assert [answer.status_code for answer in answers] == [202, 200, 401, 401, 401, 401, 401, 413]
    refusals = [(answer.content, {**answer.headers, "date": ""}) for answer in answers[2:7]]
    assert all(refusal == refusals[0] for refusal in refusals), "nothing tells one refusal from another"
    assert count(database, webhook_deliveries) == count(database, executions) == 1
    (execution_id,) = frame.received[0].executions
    worker.run_execution(frame.platform, execution_id)
    assert count(database, executions) == 1


def test_five_processes_receive_one_delivery_at_once(database_url):
    with Database(database_url) as database:
        ringing_shop.an_integration(database)
    context = multiprocessing.get_context("fork")
    barrier, told = context.Barrier(5), context.Queue()
    processes = [context.Process(target=receive_apart, args=(database_url, barrier, told)) for _ in range(5)]
    for process in processes:
        process.start()
    statuses = sorted(told.get(timeout=90) for _ in processes)
    for process in processes:
        process.join()
    assert statuses == [200, 200, 200, 200, 202]
    with Database(database_url) as database:
        assert count(database, webhook_deliveries) == count(database, executions) == 1


@pytest.mark.parametrize("after_commit", [False, True], ids=["in the transaction", "before ringing"])
def test_a_process_killed_while_receiving_leaves_one_delivery_after_the_repeat(database_url, after_commit):
    with Database(database_url) as database:
        ringing_shop.an_integration(database)
    process = multiprocessing.get_context("fork").Process(
        target=die_while_receiving, args=(database_url,), kwargs={"after_commit": after_commit}
    )
    process.start()
    process.join(90)
    assert process.exitcode == -signal.SIGKILL
    with Database(database_url) as database:
        assert count(database, webhook_deliveries) == count(database, executions) == int(after_commit)
        platform = ringing_shop.a_platform(database, CornerShop())
        body = a_note()
        repeated = receive(platform, "corner", stamped(body, at=now()), body)
        assert repeated.status == (200 if after_commit else 202)
        assert count(database, webhook_deliveries) == count(database, executions) == 1
        assert platform.dispatcher.backlog() == int(not after_commit)
        sweeper.ring_waiting(platform)
        assert platform.dispatcher.backlog() == 1 + int(not after_commit), (
            "what was not rung for is rung for by the sweeper"
        )


def test_a_flood_from_many_threads_leaves_only_what_the_budget_lets_in(database, clock):
    """Also when senders come all at once, the budget of an integration is one."""
    ringing_shop.an_integration(database)
    platform = ringing_shop.a_platform(database, CornerShop())
    full_at = clock().timestamp() + DELIVERIES.seconds * DELIVERIES.burst
    database.write(lambda unit: (webhooks.spent_until(unit, 1), webhooks.spend(unit, 1, until=full_at - 1.0)))

    def one(number: int) -> Received:
        body = a_note(f"evt-{number}", str(number))
        return receive(platform, "corner", stamped(body), body)

    with ThreadPoolExecutor(8) as threads:
        statuses = [received.status for received in threads.map(one, range(40))]
    assert (statuses.count(202), statuses.count(429)) == (10, 30)
    assert count(database, webhook_deliveries) == 10
    assert count(database, executions) == 1, "their hints gathered"
