"""What an execution costs that finds nothing to do.

One after another, from the request to the saved end, with the worker in the same process: over the embedded dispatcher, and
over Redis. The floor is a row inserted and committed, updated and committed, by SQLAlchemy Core on the same database.
And many at once: executions of as many feeds, queued beforehand, worked off by eight threads over Redis, against a bare
dramatiq worker of eight threads that does nothing.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue
from typing import Any

import dramatiq
import sqlalchemy as sa
from dramatiq.brokers.redis import RedisBroker

from domain import clock
from engine.runtime import executions, worker
from engine.runtime.platform import Platform
from storage.queries import executions as execution_rows
from storage.rows import State, Trigger
from storage.tables import executions as table
from tests.bench import idle_system, installation
from tests.bench.databases import POSTGRESQL
from tests.bench.figure import Aim, Figure
from tests.bench.processes import run_apart
from tests.bench.rounds import take_turns
from tests.bench.terms import Terms
from tests.servers import Redis

NAME = "empty_execution"
THREADS = 8

_bare = sa.Table(
    "bare_jobs",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)


def measure(terms: Terms) -> Iterator[Figure]:
    """Redis only where there are several processes to bring together: with PostgreSQL."""
    yield from _one_by_one(terms, redis_url="")
    if terms.dialect == POSTGRESQL:
        redis = Redis()
        try:
            redis.start()
            yield from _one_by_one(terms, redis_url=redis.url)
            yield from _many(terms, redis)
        finally:
            redis.close()


def _one_by_one(terms: Terms, *, redis_url: str) -> Iterator[Figure]:
    url, count = terms.databases.fresh(), terms.size(400, least=10)
    medians = take_turns(
        {
            "floor": lambda: run_apart("tests.bench.empty_execution:run_bare", database_url=url, count=count).answer,
            "engine": lambda: (
                run_apart(
                    "tests.bench.empty_execution:run_one_by_one", database_url=url, redis_url=redis_url, count=count
                ).answer
            ),
        },
        rounds=terms.rounds,
    )
    floor, ours = medians["floor"]["microseconds"], medians["engine"]["microseconds"]
    yield Figure(
        NAME,
        f"request to end, {'over Redis' if redis_url else 'embedded'}",
        terms.dialect,
        ours / floor,
        "x",
        engine=f"{ours:,.0f} µs",
        floor=f"{floor:,.0f} µs",
        aim=Aim(most=4),
    )


def _many(terms: Terms, redis: Redis) -> Iterator[Figure]:
    count = terms.size(1000, least=20)

    def engine() -> dict[str, float]:
        _empty(redis)
        url = terms.databases.fresh()
        arguments = {"database_url": url, "redis_url": redis.url, "count": count}
        return run_apart("tests.bench.empty_execution:run_many", **arguments).answer

    def floor() -> dict[str, float]:
        _empty(redis)
        return run_apart(
            "tests.bench.empty_execution:run_bare_jobs", redis_url=redis.url, count=terms.size(10_000, least=100)
        ).answer

    medians = take_turns({"floor": floor, "engine": engine}, rounds=terms.rounds)
    floor_rate, our_rate = medians["floor"]["per_second"], medians["engine"]["per_second"]
    yield Figure(
        NAME,
        f"{count:,} at once over Redis, {THREADS} threads, against bare dramatiq",
        terms.dialect,
        our_rate / floor_rate,
        "x",
        engine=f"{our_rate:,.0f}/s",
        floor=f"{floor_rate:,.0f}/s",
        aim=Aim(least=0.25),
    )


def _empty(redis: Redis) -> None:
    with redis.client as client:
        client.flushall()


# --- the sides, each in a process of its own ---------------------------------------------------------------------------


def run_bare(*, database_url: str, count: int) -> dict[str, float]:
    """Insert and commit, update and commit; microseconds a pair."""
    engine = sa.create_engine(database_url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    _bare.create(engine, checkfirst=True)
    insert, update = _bare.insert().returning(_bare.c.id), _bare.update().where(_bare.c.id == sa.bindparam("job"))
    for number in range(count + 10):
        if number == 10:
            started = time.perf_counter()
        now = clock.now()
        with engine.connect() as connection:
            job = connection.execute(insert, {"state": "queued", "at": now}).scalar_one()
            connection.commit()
            connection.execute(update, {"job": job, "state": "succeeded"})
            connection.commit()
    seconds = time.perf_counter() - started
    engine.dispose()
    return {"microseconds": seconds / count * 1e6}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def run_one_by_one(*, database_url: str, redis_url: str, count: int) -> dict[str, float]:
    """Request an execution, wait for its end, and again; microseconds each."""
    ended: SimpleQueue[int] = SimpleQueue()
    with installation.opened(database_url, redis_url=redis_url, registry=idle_system.REGISTRY) as platform:
        [feed_id] = _feeds(platform, 1)
        platform.dispatcher.start(_telling(platform, ended.put), threads=1)
        for number in range(count + 10):
            if number == 10:
                started = time.perf_counter()
            asked = executions.request(platform, feed_id, trigger=Trigger.MANUAL)
            while ended.get() != asked.execution_id:
                continue
        seconds = time.perf_counter() - started
        _demand_succeeded(platform, asked.execution_id)
        platform.dispatcher.stop(grace_seconds=5)
    return {"microseconds": seconds / count * 1e6}


def run_many(*, database_url: str, redis_url: str, count: int) -> dict[str, float]:
    """Work off executions that are queued already, each of a feed of its own; how many a second."""
    ended: SimpleQueue[int] = SimpleQueue()
    with installation.opened(database_url, redis_url=redis_url, registry=idle_system.REGISTRY) as platform:
        feed_ids = _feeds(platform, count)
        queued = [executions.request(platform, feed_id, trigger=Trigger.MANUAL).execution_id for feed_id in feed_ids]
        platform.dispatcher.start(_telling(platform, ended.put), threads=THREADS)
        seconds = _time_to_receive(ended, len(queued))
        _demand_succeeded(platform, *queued)
        platform.dispatcher.stop(grace_seconds=5)
    return {"per_second": (count - THREADS) / seconds}


def run_bare_jobs(*, redis_url: str, count: int) -> dict[str, float]:
    """Work off messages that are queued already; how many a second."""
    ended: SimpleQueue[int] = SimpleQueue()
    make: Any = RedisBroker
    broker: dramatiq.Broker = make(url=redis_url, namespace="bare", middleware=[])
    broker.declare_queue("default")
    actor = dramatiq.actor(broker=broker, actor_name="job", queue_name="default")(ended.put)
    for number in range(count):
        actor.send(number)
    jobs = dramatiq.Worker(broker, worker_threads=THREADS)
    jobs.start()
    seconds = _time_to_receive(ended, count)
    jobs.stop()
    broker.close()
    return {"per_second": (count - THREADS) / seconds}


def _time_to_receive(ended: "SimpleQueue[int]", count: int) -> float:
    """From the first few on, when every thread is at work."""
    for _ in range(THREADS):
        ended.get()
    started = time.perf_counter()
    for _ in range(count - THREADS):
        ended.get()
    return time.perf_counter() - started


def _feeds(platform: Platform, count: int) -> list[int]:
    known = platform.database.read(
        lambda unit: unit.connection.execute(sa.select(sa.func.max(table.c.feed_id))).scalar()
    )
    return [known] if known else platform.database.write(partial(idle_system.add_feeds, count=count))


def _telling(platform: Platform, tell: Callable[[int], None]) -> Callable[[int], None]:
    def work(execution_id: int) -> None:
        worker.run_execution(platform, execution_id)
        tell(execution_id)

    return work


def _demand_succeeded(platform: Platform, *execution_ids: int) -> None:
    for execution_id in execution_ids[-10:]:
        row = platform.database.read(partial(execution_rows.get, execution_id=execution_id))
        if row is None or row.state is not State.SUCCEEDED:
            raise AssertionError(f"An empty execution did not succeed: {row}")
