"""How long a person waits after a click on "run now": from the request to the execution's start, with an idle worker.

Worker and requester are two processes; Redis brings them together, and both clocks are this machine's. The requester lets
the worker fall idle before each request.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from statistics import median

from domain import clock
from engine.runtime import executions
from engine.runtime.service import Role, serve
from storage.queries import executions as execution_rows
from storage.rows import State, Trigger
from tests.bench import idle_system, installation
from tests.bench.figure import Aim, Figure
from tests.bench.processes import run_apart
from tests.bench.terms import Terms
from tests.servers import Redis

NAME = "run_now"


def measure(terms: Terms) -> Iterator[Figure]:
    """The median of at least twenty requests."""
    redis, url = Redis(), terms.databases.fresh()
    try:
        redis.start()
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench.run_now", url, redis.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
            count = terms.size(30, least=3) * terms.rounds
            arguments = {"database_url": url, "redis_url": redis.url, "count": count}
            waits = run_apart("tests.bench.run_now:ask", **arguments).answer["milliseconds"]
            worker.terminate()
    finally:
        redis.close()
    what = f"from request to running over Redis, {len(waits)} times"
    slowest = f"slowest {max(waits):.0f} ms"
    yield Figure(NAME, what, terms.dialect, median(waits), "ms", engine=slowest, aim=Aim(most=100))


def ask(*, database_url: str, redis_url: str, count: int) -> dict[str, list[float]]:
    """Request executions one by one; how long each took to start."""
    waits = []
    with installation.opened(database_url, redis_url=redis_url, registry=idle_system.REGISTRY) as platform:
        [feed_id] = platform.database.write(partial(idle_system.add_feeds, count=1))
        for _ in range(count + 1):
            time.sleep(random.uniform(0.1, 0.2))
            asked_at = clock.now()
            asked = executions.request(platform, feed_id, trigger=Trigger.MANUAL)
            row = None
            while row is None or row.state in (State.QUEUED, State.RUNNING):
                time.sleep(0.02)
                row = platform.database.read(lambda unit: execution_rows.get(unit, asked.execution_id))  # noqa: B023
            if row.state is not State.SUCCEEDED or row.started_at is None:
                raise AssertionError(f"An empty execution did not succeed: {row.reason}")
            waits.append((row.started_at - asked_at).total_seconds() * 1000)
    return {"milliseconds": waits[1:]}


def work(database_url: str, redis_url: str) -> None:
    """A worker, until it is terminated."""
    with installation.opened(database_url, redis_url=redis_url, registry=idle_system.REGISTRY) as platform:
        serve(platform, [Role.WORKER], ready=_tell_ready)


def _tell_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    work(*sys.argv[1:])
