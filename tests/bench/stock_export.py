"""Exporting changed stock levels to a shop that takes 50 ms for each request, with 1, 4 and 8 requests at once.

The engine plans the effects, marks them, sends them in the connector's batches, reads back, and keeps each receipt. The
floor is bare httpx sending the very requests the engine sent, bodies and all, as many at once. To keep the run short, fewer
levels change where fewer requests go at once. A further line shows what batches gain over a request for each level.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.registry import Registry
from flows.export_stock import export_stock
from storage.queries import feeds, integrations
from storage.rows import Mode
from storage.tables import effects
from tests.bench import installation, shops, stocked_hub
from tests.bench.figure import Aim, Figure, rate
from tests.bench.processes import run_apart
from tests.bench.rounds import take_turns
from tests.bench.shops import Shop
from tests.bench.terms import Terms

NAME = "stock_export"
_SECONDS = 0.05
_LEVELS = {1: 1_250, 4: 5_000, 8: 10_000}
_FILL = "tests.bench.stock_export:fill"
_ROW = re.compile("<stock_available>.*?</stock_available>", re.DOTALL)
_SINGLE = 50
"""Levels sent one by one, per request at once, to see what that costs."""


def measure(terms: Terms) -> Iterator[Figure]:
    """Each number of requests at once in turn."""
    with shops.opened(terms.size(max(_LEVELS.values()), least=200)) as shop:
        changes = itertools.count(1)
        for at_once, full in _LEVELS.items():
            yield from _export(terms, shop, at_once=at_once, count=terms.size(full, least=10), changes=changes)


def _export(terms: Terms, shop: Shop, *, at_once: int, count: int, changes: Iterator[int]) -> Iterator[Figure]:
    """``changes`` never gives a number twice, so that the shop never shows a level before it is told."""
    sent: list[dict[str, str]] = []

    def engine() -> dict[str, float]:
        shop.hurry_up()
        url = terms.databases.fresh()
        arguments = {"database_url": url, "url": shop.url, "key": shop.key, "products": shop.products, "count": count}
        feed_id = run_apart(_FILL, at_once=at_once, by=next(changes), **arguments).answer["feed_id"]
        terms.databases.settle(url)
        shop.slow_down(_SECONDS, path="/api/stock_availables", method="")
        shop.forget_requests()
        done = run_apart("tests.bench.stock_export:export", database_url=url, feed_id=feed_id).answer
        assert done["updated"] == done["receipts"] == count
        sent[:] = [plain(one) for one in shop.requests() if "/api/stock_availables" in str(one["target"])]
        terms.databases.drop(url)
        return {"seconds": done["seconds"]}

    def floor(requests: list[dict[str, str]] = sent) -> dict[str, float]:
        function = "tests.bench.bare_httpx:send_all"
        return run_apart(function, url=shop.url, key=shop.key, requests=requests, at_once=at_once).answer

    def single() -> dict[str, float]:
        return floor(list(itertools.islice(itertools.cycle(one_each(sent)), _SINGLE * at_once)))

    medians = take_turns({"engine": engine, "floor": floor, "single": single}, rounds=terms.rounds)
    ours, bare = medians["engine"]["seconds"], medians["floor"]["seconds"]
    one_by_one = medians["single"]["seconds"] / (_SINGLE * at_once)
    what = f"{count:,} levels, 50 ms a request, {at_once} at once"
    yield Figure(
        NAME,
        what,
        terms.dialect,
        bare / ours,
        "x",
        engine=rate(count, ours),
        floor=rate(count, bare),
        aim=Aim(least=0.9),
    )
    yield Figure(
        NAME,
        f"{what}: gain over a bare request a level",
        terms.dialect,
        one_by_one / (ours / count),
        "x",
        engine=rate(count, ours),
        floor=f"{1 / one_by_one:,.0f}/s",
    )


def one_each(requests: list[dict[str, str]]) -> list[dict[str, str]]:
    """A request for each row of the requests that write."""
    rows = [(one, row) for one in requests if one["method"] != "GET" for row in _ROW.findall(one["body"])]
    return [{**one, "body": f"<prestashop>{row}</prestashop>"} for one, row in rows]


def plain(request: dict[str, Any]) -> dict[str, str]:
    """A request of the ledger, as bare httpx takes it."""
    return {name: str(request[name]) for name in ("method", "target", "body")}


# --- the engine's side, in processes of its own --------------------------------------------------------------------------


def fill(*, database_url: str, url: str, key: str, products: int, count: int, at_once: int, by: int) -> dict[str, int]:
    """A shop in production whose first ``count`` levels have to be told."""
    with installation.opened(database_url, registry=_registry()) as platform:
        integration_id = installation.connect(platform, url=url, key=key, concurrent_reads=at_once)
        known = stocked_hub.fill(platform.database, integration_id, products=products)
        stocked_hub.change(platform.database, known, count=count, by=by)

        def go_live(unit: Any) -> int:
            integrations.change(unit, integration_id, mode=Mode.PRODUCTION)
            feed = feeds.find(unit, integration_id, flow=export_stock.name)
            assert feed is not None
            feeds.change(unit, feed.id, is_live=True)
            return feed.id

        return {"feed_id": platform.database.write(go_live)}


def export(*, database_url: str, feed_id: int) -> dict[str, Any]:
    """Work on one execution in this process."""
    told = installation.execute(database_url=database_url, feed_id=feed_id, registry=_registry())
    with installation.opened(database_url, registry=_registry()) as platform:
        query = sa.select(sa.func.count()).where(effects.c.receipt.is_not(None))
        receipts = platform.database.read(lambda unit: unit.connection.execute(query).scalar_one())
    return {**told, "receipts": receipts}


def _registry() -> Registry:
    """The declared export, which here runs behind nothing."""
    return Registry.of(connectors=[Registry.find().connector("prestashop")], flows=[replace(export_stock, behind=None)])
