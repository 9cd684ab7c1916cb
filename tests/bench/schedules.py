"""Ten thousand schedules: a tick with nothing due, and a tick with everything due in the same second.

What a due schedule costs is taken beyond the floor, which inserts the same rows bare, in batches as large, and commits each.
A tick works out the moment, plans the execution, sets the next moment and tells a worker.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

import msgspec
import sqlalchemy as sa

from domain import clock
from domain.schedule import Schedule
from engine.runtime import scheduler
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.tables import executions, feeds
from tests.bench import idle_system, installation
from tests.bench.figure import Aim, Figure
from tests.bench.processes import run_apart
from tests.bench.rounds import take_turns
from tests.bench.terms import Terms

NAME = "schedules"
_AT_ONCE = 2000


def measure(terms: Terms) -> Iterator[Figure]:
    """Every schedule belongs to an integration of its own."""
    count, url = terms.size(10_000), terms.databases.fresh()
    run_apart("tests.bench.schedules:fill", database_url=url, count=count)
    medians = take_turns(
        {
            "floor": lambda: run_apart("tests.bench.schedules:insert_bare", database_url=url, count=count).answer,
            "engine": lambda: run_apart("tests.bench.schedules:tick", database_url=url, count=count).answer,
        },
        rounds=terms.rounds,
    )
    floor, ours = medians["floor"]["microseconds"], medians["engine"]["microseconds"]
    idle = medians["engine"]["idle_milliseconds"]
    yield Figure(NAME, f"{count:,} schedules, idle tick", terms.dialect, idle, "ms", aim=Aim(most=5))
    yield Figure(
        NAME,
        f"{count:,} schedules due at once, each beyond a bare insert",
        terms.dialect,
        ours - floor,
        "µs",
        engine=f"{ours:.0f} µs",
        floor=f"{floor:.0f} µs",
        aim=Aim(most=50),
    )


def fill(*, database_url: str, count: int) -> dict[str, int]:
    """Feeds that run every half an hour, none of them due."""
    with installation.opened(database_url, registry=idle_system.REGISTRY) as platform:
        platform.database.write(lambda unit: idle_system.add_feeds(unit, count))
        schedule = msgspec.to_builtins(Schedule(every=timedelta(minutes=30)))
        later = clock.now() + timedelta(hours=1)
        _set_all(platform, schedule=schedule, due_at=later)
    return {"feeds": count}


def tick(*, database_url: str, count: int) -> dict[str, float]:
    """Ticks with nothing due, then the ticks that work off everything."""
    with installation.opened(database_url, registry=idle_system.REGISTRY) as platform:
        idle = []
        for _ in range(100):
            started = time.perf_counter()
            assert scheduler.tick(platform) == 0
            idle.append(time.perf_counter() - started)
        _set_all(platform, due_at=platform.database.now())
        planned, started = 0, time.perf_counter()
        while found := scheduler.tick(platform):
            planned += found
        seconds = time.perf_counter() - started
        assert planned == count
        platform.database.write(lambda unit: unit.connection.execute(executions.delete()))
    return {"idle_milliseconds": median(idle) * 1000, "microseconds": seconds / count * 1e6}


def insert_bare(*, database_url: str, count: int) -> dict[str, float]:
    """The executions of one moment, inserted by SQLAlchemy Core and nothing else."""
    now = clock.now()
    with installation.opened(database_url, registry=idle_system.REGISTRY) as platform:
        ids = platform.database.read(lambda unit: list(unit.connection.execute(sa.select(feeds.c.id)).scalars()))
        rows = [
            {
                "feed_id": feed,
                "trigger": "schedule",
                "state": "queued",
                "due_at": now,
                "requested_at": now,
                "available_at": now,
            }
            for feed in ids
        ]
        started = time.perf_counter()
        for start in range(0, count, _AT_ONCE):
            batch = rows[start : start + _AT_ONCE]
            platform.database.write(partial(_insert, rows=batch))
        seconds = time.perf_counter() - started
        platform.database.write(lambda unit: unit.connection.execute(executions.delete()))
    return {"microseconds": seconds / count * 1e6}


def _insert(unit: Unit, rows: list[dict[str, Any]]) -> None:
    unit.connection.execute(executions.insert(), rows)


def _set_all(platform: Platform, **values: Any) -> None:
    platform.database.write(lambda unit: unit.connection.execute(feeds.update().values(**values)))
