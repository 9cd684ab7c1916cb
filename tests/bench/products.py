"""Importing a catalogue by the whole engine, against the straight stack on the same pages.

The engine's side is ``update_products``: census, pages through the guarded door, mapping, rules, and one transaction a page
for records, references, outcomes, digests and progress. Seconds are those from request to end, in a process of its own;
where start-up counts, those of the whole process. Products are simple ones, without variants. Their pages were rendered
before, so that the simulator, on the other core, has nothing to do but send them.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median
from typing import Any

import sqlalchemy as sa

from storage.database import Database
from storage.tables import outcomes, records, references
from tests.bench import installation, shops
from tests.bench.figure import Aim, Figure, rate
from tests.bench.processes import Finished, run_apart
from tests.bench.rounds import take_turns
from tests.bench.shops import Shop
from tests.bench.terms import Terms

NAME = "products"
_PAGE = 500


def measure(terms: Terms) -> Iterator[Figure]:
    """Ten thousand for start-up and memory, a hundred thousand for speed; as JSON and as XML."""
    few, many = terms.size(10_000), terms.size(100_000)
    peaks: dict[str, float] = {}
    with shops.opened(few) as shop:
        for form in ("json", "xml"):
            yield from _start_up(terms, shop, form, peaks)
    with shops.opened(many) as shop:
        for form in ("json", "xml"):
            yield from _import(terms, shop, form, peaks)


def _start_up(terms: Terms, shop: Shop, form: str, peaks: dict[str, float]) -> Iterator[Figure]:
    _warm_up(terms, shop, form)
    whole = [_engine(terms, shop, form)[0] for _ in range(terms.rounds)]
    peaks[form] = median(one.peak_megabytes for one in whole)
    seconds = median(one.seconds for one in whole)
    what = f"{shop.products:,} products, {form.upper()}, start-up included"
    yield Figure(NAME, what, terms.dialect, seconds, "s", aim=Aim(most=1.5))


def _import(terms: Terms, shop: Shop, form: str, peaks: Mapping[str, float]) -> Iterator[Figure]:
    count, pages = shop.products, _warm_up(terms, shop, form)
    memory: list[float] = []
    written: list[int] = []

    def engine() -> dict[str, float]:
        first, again = _engine(terms, shop, form, written=written)
        assert again is not None
        memory.append(max(first.peak_megabytes, again.peak_megabytes))
        return {"seconds": first.answer["seconds"], "again": again.answer["seconds"], "whole": first.seconds}

    medians = take_turns({"floor": partial(_floor, terms, shop, pages), "engine": engine}, rounds=terms.rounds)
    floor, ours = medians["floor"], medians["engine"]
    what = f"{count:,} products, {form.upper()}"
    yield Figure(
        NAME,
        what,
        terms.dialect,
        floor["seconds"] / ours["seconds"],
        "x",
        engine=rate(count, ours["seconds"]),
        floor=rate(count, floor["seconds"]),
        aim=Aim(least=0.7),
    )
    yield Figure(
        NAME,
        f"{what}, start-up included",
        terms.dialect,
        floor["whole"] / ours["whole"],
        "x",
        engine=rate(count, ours["whole"]),
        floor=rate(count, floor["whole"]),
    )
    yield Figure(
        NAME,
        f"{what}, again, nothing changed",
        terms.dialect,
        ours["again"] / ours["seconds"],
        "x",
        engine=f"{ours['again']:.2f} s",
        floor=f"{ours['seconds']:.2f} s",
        aim=Aim(most=0.7),
    )
    yield Figure(NAME, f"{what}, again: rows written", terms.dialect, max(written), "rows", aim=Aim(most=0))
    peak = median(memory)
    yield Figure(NAME, f"{what}: peak memory", terms.dialect, peak, "MB", aim=Aim(most=120))
    yield Figure(
        NAME,
        f"{what}: peak memory against a tenth",
        terms.dialect,
        peak / peaks[form],
        "x",
        engine=f"{peak:.0f} MB",
        floor=f"{peaks[form]:.0f} MB",
        aim=Aim(least=0.9, most=1.1),
    )
    yield _idle(terms, shop, form)


def _warm_up(terms: Terms, shop: Shop, form: str) -> list[str]:
    """One import, which has the pages rendered; returns their addresses."""
    shop.forget_requests()
    _engine(terms, shop, form)
    return shop.pages("products")


def _engine(
    terms: Terms, shop: Shop, form: str, *, written: list[int] | None = None
) -> tuple[Finished, Finished | None]:
    """A first full import in a new database; with ``written``, a second one too, and the rows it wrote."""
    url, feeds = prepare(terms, shop, form=form)
    first = run_apart("tests.bench.installation:execute", database_url=url, feed_id=feeds["update_products"])
    assert first.answer["created"] == shop.products
    again = None
    if written is not None:
        before = _latest(url)
        again = run_apart("tests.bench.installation:execute", database_url=url, feed_id=feeds["update_products"])
        assert again.answer["unchanged"] == shop.products
        written.append(_written_since(url, before))
    terms.databases.drop(url)
    return first, again


def _floor(terms: Terms, shop: Shop, pages: list[str]) -> dict[str, float]:
    url = terms.databases.fresh()
    done = run_apart(
        "tests.bench.straight_stack:import_pages", url=shop.url, key=shop.key, pages=pages, database_url=url
    )
    assert done.answer["rows"] == shop.products
    terms.databases.drop(url)
    return {"seconds": done.answer["seconds"], "whole": done.seconds}


def _idle(terms: Terms, shop: Shop, form: str) -> Figure:
    """``import_new_products`` when nothing is new: every request it makes, whatever for."""
    url, feeds = prepare(terms, shop, form=form)
    for _ in range(2):
        shop.forget_requests()
        run_apart("tests.bench.installation:execute", database_url=url, feed_id=feeds["import_new_products"])
    terms.databases.drop(url)
    return Figure(
        NAME,
        f"{shop.products:,} products, {form.upper()}, idle, by date: requests in all",
        terms.dialect,
        len(shop.requests()),
        "requests",
        aim=Aim(most=1),
    )


def prepare(terms: Terms, shop: Shop, *, form: str = "json", **settings: Any) -> tuple[str, dict[str, int]]:
    """A new database with the shop connected; its address and the feeds by flow."""
    url = terms.databases.fresh()
    settings = {"page_size": _PAGE, "format": form, **settings}
    feeds = installation.prepare(database_url=url, url=shop.url, key=shop.key, settings=settings)
    terms.databases.settle(url)
    return url, feeds


def _latest(url: str) -> float:
    """When a record, a reference or an outcome was last written."""
    columns = (records.c.updated_at, references.c.changed_at, outcomes.c.at)
    with Database(url) as database, database.reading() as unit:
        times = [unit.connection.execute(sa.select(sa.func.max(column))).scalar_one() for column in columns]
    return float(max(time.timestamp() for time in times))


def _written_since(url: str, moment: float) -> int:
    """Records, references and outcomes written after it."""
    columns = (records.c.updated_at, references.c.changed_at, outcomes.c.at)
    with Database(url) as database, database.reading() as unit:
        times = [time for column in columns for time in unit.connection.execute(sa.select(column)).scalars()]
    return sum(one.timestamp() > moment for one in times)
