"""Every benchmark runs, and its floor does the work it is a floor for."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from storage.database import Database
from storage.tables import records
from tests.bench import (
    bare_httpx,
    empty_execution,
    installation,
    schedules,
    shops,
    stock_check,
    stock_export,
    straight_stack,
    table,
)
from tests.bench.figure import Aim, Figure, rate
from tests.bench.processes import run_apart
from tests.bench.rounds import take_turns

PRODUCTS = 12


@pytest.fixture(scope="module")
def shop() -> Iterator[shops.Shop]:
    with shops.opened(PRODUCTS) as opened:
        yield opened


def connected(database_url: str, shop: shops.Shop, **settings: Any) -> dict[str, int]:
    return installation.prepare(
        database_url=database_url, url=shop.url, key=shop.key, settings={"page_size": 5, **settings}
    )


def fields(body: bytes) -> dict[str, str]:
    """The plain fields both sides keep of a product, under the names of the straight stack."""
    value = msgspec.json.decode(body)
    if "remote_id" not in value:
        return {name: str(value[name]) for name in ("id", "reference", "name", "ean13")}
    return {"id": value["remote_id"], "reference": value["sku"], "name": value["name"], "ean13": value["barcode"]}


def rows(database_url: str, stored: sa.Table, key: sa.ColumnElement[Any]) -> list[tuple[Any, ...]]:
    columns = [stored.c[name] for name in ("label", "first_key", "second_key", "state", "body")]
    with Database(database_url) as database, database.reading() as unit:
        found = unit.connection.execute(sa.select(*columns).order_by(key)).all()
    return [(*row[:4], fields(bytes(row[4]))) for row in found]


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_straight_stack_keeps_what_the_engine_keeps_of_the_same_pages(
    database_url: str, shop: shops.Shop, form: str
) -> None:
    shop.forget_requests()
    feeds = connected(database_url, shop, format=form)
    told = installation.execute(database_url=database_url, feed_id=feeds["update_products"])
    assert (told["created"], told["read"]) == (PRODUCTS, PRODUCTS)
    pages = shop.pages("products")
    assert len(pages) == 3
    bare = straight_stack.import_pages(url=shop.url, key=shop.key, pages=pages, database_url=database_url)
    assert bare["rows"] == PRODUCTS
    ours = rows(database_url, records, records.c.label)
    floor = rows(database_url, straight_stack.products, straight_stack.products.c.label)
    assert floor == ours


def test_bare_httpx_reads_the_same_bytes_and_feels_the_same_slowness(database_url: str, shop: shops.Shop) -> None:
    shop.forget_requests()
    feeds = connected(database_url, shop)
    installation.execute(database_url=database_url, feed_id=feeds["update_products"])
    requests = [{"method": "GET", "target": page} for page in shop.pages("products")]
    at_once = bare_httpx.send_all(url=shop.url, key=shop.key, requests=requests, at_once=4)
    one_by_one = bare_httpx.send_all(url=shop.url, key=shop.key, requests=requests, at_once=1)
    assert at_once["bytes"] == one_by_one["bytes"] > 0
    shop.slow_down(0.05, path="/api/products")
    slow = bare_httpx.send_all(url=shop.url, key=shop.key, requests=requests, at_once=1)
    shop.hurry_up()
    assert slow["seconds"] >= 0.15


def test_an_export_sends_every_changed_level_and_can_be_sent_again_bare(database_url: str, shop: shops.Shop) -> None:
    where = {"database_url": database_url, "url": shop.url, "key": shop.key}
    by = 1 if database_url.startswith("sqlite") else 2  # the shop is shared, and keeps what it was told
    feed = stock_export.fill(**where, products=PRODUCTS, count=7, at_once=2, by=by)
    shop.forget_requests()
    told = stock_export.export(database_url=database_url, **feed)
    assert (told["updated"], told["receipts"]) == (7, 7)
    written = [one for one in shop.requests() if one["method"] != "GET"]
    single = stock_export.one_each([stock_export.plain(one) for one in written])
    assert len(single) == 7
    bare_httpx.send_all(url=shop.url, key=shop.key, requests=single, at_once=2)


def test_a_check_compares_every_level(database_url: str) -> None:
    feed = stock_check.fill(database_url=database_url, count=1000)
    assert stock_check.check(database_url=database_url, count=1000, **feed)["differences"] == 1


def test_every_schedule_is_planned_and_as_many_rows_inserted_bare(database_url: str) -> None:
    schedules.fill(database_url=database_url, count=5)
    assert schedules.tick(database_url=database_url, count=5)["microseconds"] > 0
    assert schedules.insert_bare(database_url=database_url, count=5)["microseconds"] > 0


def test_empty_executions_end_over_either_dispatcher_as_bare_jobs_do(database_url: str, redis_url: str) -> None:
    where: dict[str, Any] = {"database_url": database_url, "count": 3}
    assert empty_execution.run_bare(**where)["microseconds"] > 0
    assert empty_execution.run_one_by_one(**where, redis_url="")["microseconds"] > 0
    assert empty_execution.run_one_by_one(**where, redis_url=redis_url)["microseconds"] > 0
    assert empty_execution.run_bare_jobs(redis_url=redis_url, count=20)["per_second"] > 0


def test_a_side_runs_in_a_process_of_its_own_and_tells_what_it_cost(tmp_path: Path) -> None:
    answer = run_apart("tests.unit.test_bench:answer", text="ö")
    assert answer.answer == {"text": "ö"}
    assert answer.seconds >= answer.processor_seconds > 0
    assert answer.peak_megabytes > 1


def answer(*, text: str) -> dict[str, str]:
    """What the process above does."""
    return {"text": text}


def test_sides_take_turns_and_the_median_of_each_number_is_told() -> None:
    numbers, order = count(1), []

    def side(name: str) -> dict[str, float]:
        order.append(name)
        return {"number": next(numbers)}

    medians = take_turns({"floor": lambda: side("floor"), "engine": lambda: side("engine")}, rounds=3)
    assert order == ["floor", "engine"] * 3
    assert medians == {"floor": {"number": 3}, "engine": {"number": 4}}


def test_a_figure_shows_its_aim_and_whether_it_is_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missed = Figure("products", "rows", "sqlite", 0.5, "x", floor=rate(10, 2.0), aim=Aim(least=0.7))
    reached = Figure("products", "memory", "sqlite", 100, "MB", aim=Aim(most=120))
    for_orientation = Figure("start_up", "help", "", 500, "ms")
    assert [one.is_reached for one in (missed, reached, for_orientation)] == [False, True, True]
    table.show([missed, reached, for_orientation], notes=["a note"])
    shown = capsys.readouterr().out
    assert "MISS" in shown
    assert "PASS" in shown
    assert "≥ 0.7 x" in shown
    table.save([missed], tmp_path / "figures.json")
    assert msgspec.json.decode((tmp_path / "figures.json").read_bytes())[0]["is_reached"] is False
