"""Answers that are valid and cannot be true: the feed holds, shows before and after, and a person may accept it once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_sample_shop
from engine.actions import feeds
from engine.simulation.server import serve
from storage.database import Unit
from storage.queries import stock
from storage.rows import Execution, State
from tests.installation import ADMINISTRATOR, Installation, installed


@pytest.fixture
def sample() -> Shop:
    """The merchant's shop, to change it from its back office."""
    return build_sample_shop()


@pytest.fixture
def shop(sample: Shop, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """Known to the hub with its products and levels."""
    with serve(PrestashopSimulator(sample)) as server, installed(tmp_path, database_url, server) as installation:
        for flow in ("update_products", "import_new_orders", "import_stock"):
            assert installation.run(flow).ended_at is not None
        yield installation


def catalogue(shop: Installation) -> dict[str, tuple[object, str]]:
    """Products and variants as the hub holds them."""
    rows = {**shop.records("product"), **shop.records("variant")}
    return {remote_id: (row.record, row.state) for remote_id, row in rows.items()}


def levels(shop: Installation) -> dict[str, object]:
    """On hand by item."""
    items = {**shop.records("product"), **shop.records("variant")}

    def read(unit: Unit) -> dict[str, object]:
        return {remote_id: stock.levels_of(unit, row.id) for remote_id, row in items.items()}

    return shop.platform.database.read(read)


def held(shop: Installation, execution: Execution) -> str:
    """It was stopped by the guard, and nothing left; returns what its one open issue says."""
    assert (execution.state, execution.error_code) == (State.FAILED, "volume_held")
    (issue,) = [issue for issue in shop.issues() if issue.cause.endswith(":volume_held")]
    assert issue.message == execution.reason
    assert "--accept-volume" in issue.message
    assert shop.integration.paused_at is None
    assert shop.sent == []
    return issue.message


def assert_held_until_accepted(
    shop: Installation, flow: str, *, hub: Callable[[Installation], object], shown: list[str]
) -> None:
    """However often it is tried, nothing changes; accepted, it happens, and the issue closes."""
    before = hub(shop)
    for _ in range(2):
        message = held(shop, shop.run(flow))
        assert [text for text in shown if text not in message] == []
        assert hub(shop) == before
    accepted = shop.run(flow, accepts_volume=True)
    assert accepted.state in (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES)
    assert hub(shop) != before
    assert [issue for issue in shop.issues() if issue.cause.endswith(":volume_held")] == []


def test_a_shop_without_products_where_there_were_some_holds_and_empties_nothing(shop: Installation) -> None:
    shop.server.faults.add("empty_answer", times=None, path="api/products")
    assert_held_until_accepted(
        shop, "update_products", hub=catalogue, shown=["lose 19 of 19 known product", "#1: known here → gone"]
    )
    assert {row.state for row in shop.records("product").values()} == {"gone"}
    shop.server.faults.clear()
    assert shop.run("update_products").state is State.SUCCEEDED
    shop.server.faults.add("empty_answer", times=None, path="api/products")
    assert "lose 19 of 19" in held(shop, shop.run("update_products")), "it was accepted once, not for ever"


def test_a_shop_that_shows_no_products_among_its_changes_changes_nothing(shop: Installation) -> None:
    before = catalogue(shop)
    shop.server.faults.add("empty_answer", times=None, path="api/(products|combinations|orders)")
    for flow in ("import_new_products", "import_new_orders", "update_orders"):
        assert shop.run(flow).failed == 0
    assert catalogue(shop) == before


def test_prices_that_are_all_zero_hold_and_show_what_they_were(shop: Installation, sample: Shop) -> None:
    for product in sample.tables["products"].ids:
        sample.edit_product(product, price="0.000000")
    assert_held_until_accepted(
        shop,
        "update_products",
        hub=catalogue,
        shown=["deactivate, zero or re-price 19 of 19 known product", "demo_1: price 23.90 EUR → 0.00 EUR"],
    )
    assert {row.record.price.amount for row in shop.records("product").values()} == {0}
    for product in sample.tables["products"].ids:
        sample.edit_product(product, price="5.000000")
    assert shop.run("update_products").updated == 19
    for product in sample.tables["products"].ids:
        sample.edit_product(product, price="0.000000")
    assert "price 5.00 EUR → 0.00 EUR" in held(shop, shop.run("update_products")), "it was accepted once"


def test_products_that_are_all_switched_off_hold(shop: Installation, sample: Shop) -> None:
    for product in sample.tables["products"].ids:
        sample.edit_product(product, active=0)
    assert_held_until_accepted(shop, "update_products", hub=catalogue, shown=["demo_1: active → inactive"])


def test_levels_that_are_all_zero_hold_and_show_what_they_were(shop: Installation, sample: Shop) -> None:
    """Started over by a person who unlocks the import, on the day the shop's stock module is broken."""
    feeds.unlock(shop.platform, "shop/import_stock", person=ADMINISTRATOR, confirmed="shop/import_stock")
    for row in list(sample.tables["stock_availables"]):
        sample.update("stock_availables", int(str(row["id"])), {"quantity": 0})
    assert shop.records("product")["6"].record.sku == "demo_11"
    assert_held_until_accepted(shop, "import_stock", hub=levels, shown=["deactivate, zero or re-price", "→ 0"])
