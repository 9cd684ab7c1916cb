"""The stock check without the fetch: both sides compared, and the few differences explained and kept.

The shop's side is a connector whose levels lie in memory, so that what is measured is the comparison: the hub's levels,
reservations and deliveries looked up, every level compared, the differences saved. One level in a thousand differs.
"""

import time
from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from domain.records import Order, Record, StockLevel
from engine.connector import Page, Reading, Stream
from engine.registry import Registry
from engine.runtime import executions, worker
from flows.check_stock import check_stock
from storage.queries import executions as execution_rows
from storage.queries import feeds, integrations
from storage.rows import State, Trigger
from tests.bench import idle_system, installation, stocked_hub
from tests.bench.figure import Aim, Figure
from tests.bench.processes import run_apart
from tests.bench.rounds import take_turns
from tests.bench.terms import Terms

NAME = "stock_check"
_PAGE = 500


def measure(terms: Terms) -> "Generator[Figure, None, None]":
    """A hundred thousand levels."""
    count, url = terms.size(100_000), terms.databases.fresh()
    feed_id = run_apart("tests.bench.stock_check:fill", database_url=url, count=count).answer["feed_id"]
    terms.databases.settle(url)
    arguments = {"database_url": url, "count": count, "feed_id": feed_id}
    medians = take_turns(
        {"engine": lambda: run_apart("tests.bench.stock_check:check", **arguments).answer}, rounds=terms.rounds
    )
    ours = medians["engine"]
    what = f"{count:,} levels compared, without the fetch"
    yield Figure(
        NAME, what, terms.dialect, ours["seconds"], "s", engine=f"{ours['differences']:.0f} differ", aim=Aim(most=1)
    )


def fill(*, database_url: str, count: int) -> dict[str, int]:
    """The hub's side."""
    with installation.opened(database_url, registry=_registry([])) as platform:

        def connect(unit: Any) -> int:
            integration_id = integrations.insert(
                unit, name="shop", connector="idle", time_zone="Europe/Paris", settings={}, rulebook={}
            )
            feeds.insert(unit, integration_id, flows={check_stock.name: True})
            return integration_id

        integration_id = platform.database.write(connect)
        known = stocked_hub.fill(platform.database, integration_id, products=count)
        stocked_hub.change(platform.database, known, count=count // 1000, by=1)
        [feed] = platform.database.read(lambda unit: feeds.listed(unit, integration_id=integration_id))
    return {"feed_id": feed.id}


def check(*, database_url: str, count: int, feed_id: int) -> dict[str, float]:
    """Compare; the seconds are those from request to end."""
    levels = [
        StockLevel(
            remote_id=f"row-{number}", item_remote_id=str(number), quantity=Decimal(stocked_hub.level(str(number)))
        )
        for number in range(1, count + 1)
    ]
    with installation.opened(database_url, registry=_registry(levels)) as platform:
        started = time.perf_counter()
        asked = executions.request(platform, feed_id, trigger=Trigger.MANUAL)
        worker.run_execution(platform, asked.execution_id)
        seconds = time.perf_counter() - started
        row = platform.database.read(lambda unit: execution_rows.get(unit, asked.execution_id))
    assert row is not None
    if row.state not in (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES) or row.read != count:
        raise AssertionError(f"The check ended as {row.state} after {row.read}: {row.reason}")
    return {"seconds": seconds, "differences": row.read - row.unchanged}


def _registry(levels: list[StockLevel]) -> Registry:
    def pages(_account: object, reading: Reading) -> Generator[Page, None, None]:
        size = reading.page_size
        for start in range(0, len(levels), size):
            portion = levels[start : start + size]
            yield Page(raws=lambda portion=portion: portion, digest=b"")  # type: ignore[misc]

    def nothing(_account: object, _reading: Reading) -> Generator[Page, None, None]:
        yield from ()

    def record(raw: StockLevel, _account: object) -> Record:
        return raw

    def identify(raw: StockLevel) -> tuple[str, str]:
        return raw.remote_id, raw.remote_id

    reads: dict[type[Record], Stream] = {
        StockLevel: Stream(pages=pages, record=record, identify=identify),
        Order: Stream(pages=nothing, record=record, identify=identify),
    }
    return Registry.of(connectors=[replace(idle_system.CONNECTOR, reads=reads)], flows=[check_stock])
