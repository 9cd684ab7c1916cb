"""A shop that takes 200 ms for each request for products, read by four requests at once: a page holds 100.

The floor is bare httpx with four threads on the same pages. The engine asks for more than these: the settings of the shop and
the census. Whether something was added meanwhile it sees in the last page, which is open at its end.
"""

from collections.abc import Iterator

from tests.bench import shops
from tests.bench.figure import Aim, Figure, rate
from tests.bench.processes import run_apart
from tests.bench.products import prepare
from tests.bench.rounds import take_turns
from tests.bench.shops import Shop
from tests.bench.terms import Terms

NAME = "slow_shop"
_AT_ONCE = 4
_SECONDS = 0.2


def measure(terms: Terms) -> Iterator[Figure]:
    """Ten thousand products."""
    with shops.opened(terms.size(10_000)) as shop:
        _engine(terms, shop)
        pages = shop.pages("products")
        shop.slow_down(_SECONDS, path="/api/products")

        def floor() -> dict[str, float]:
            requests = [{"method": "GET", "target": page} for page in pages]
            function = "tests.bench.bare_httpx:send_all"
            return run_apart(function, url=shop.url, key=shop.key, requests=requests, at_once=_AT_ONCE).answer

        medians = take_turns({"floor": floor, "engine": lambda: _engine(terms, shop)}, rounds=terms.rounds)
    bare, ours = medians["floor"]["seconds"], medians["engine"]["seconds"]
    yield Figure(
        NAME,
        f"{shop.products:,} products, 200 ms a page of 100, {_AT_ONCE} at once",
        terms.dialect,
        bare / ours,
        "x",
        engine=rate(shop.products, ours),
        floor=rate(shop.products, bare),
        aim=Aim(least=0.9),
    )


def _engine(terms: Terms, shop: Shop) -> dict[str, float]:
    url, feeds = prepare(terms, shop, page_size=100, concurrent_reads=_AT_ONCE)
    done = run_apart("tests.bench.installation:execute", database_url=url, feed_id=feeds["update_products"])
    assert done.answer["created"] == shop.products
    terms.databases.drop(url)
    return {"seconds": done.answer["seconds"]}
