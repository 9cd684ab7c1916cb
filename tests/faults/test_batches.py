"""Batches of levels of which the shop takes only some, or of which only some are known: an outcome for each item."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_generated_shop
from engine.simulation.server import serve
from storage.database import Unit
from storage.queries import effects, stock
from storage.queries.effects import Effect
from storage.rows import EffectState, State
from tests.faults.production import live
from tests.faults.spoiling import spoil
from tests.installation import ADMINISTRATOR, Installation, installed

ITEMS = 100


@pytest.fixture
def sample() -> Shop:
    """A hundred products in four requests; one request at a time, so that faults hit the same one each time."""
    return build_generated_shop(products=ITEMS, combinations_share=0, orders=0, customers=1)


@pytest.fixture
def shop(sample: Shop, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """In production, with a new level to tell for each item."""
    for product in sample.tables["products"].ids:
        sample.set_stock(product, 5)
    with (
        serve(PrestashopSimulator(sample)) as server,
        installed(tmp_path, database_url, server, concurrent_reads=1) as installation,
    ):
        for flow in ("update_products", "import_new_orders", "import_stock"):
            assert installation.run(flow).state is State.SUCCEEDED
        live(installation)
        levels = {(row.id, "main"): Decimal(9) for row in installation.records("product").values()}

        def count(unit: Unit) -> None:
            stock.set_levels(unit, levels, reason="counted", person=ADMINISTRATOR)

        installation.platform.database.write(count)
        yield installation


def told(shop: Installation) -> dict[str, Effect]:
    """The effect of each item."""
    feed = shop.feed("export_stock")
    lines = shop.platform.database.read(lambda unit: effects.listed(unit, feed_id=feed.id, count=1000))
    found = {line.effect.target: line.effect for line in lines}
    assert len(found) == len(lines) == ITEMS
    return found


def applied(shop: Installation) -> Counter[str]:
    """How often the shop changed each row for us, by its own ledger."""
    return Counter(change.identity for entry in shop.sent for change in entry.changes)


def managed_elsewhere(shop: Installation, sample: Shop, rows: set[int]) -> None:
    """Right after the connector looked at the first rows, the shop stops taking levels of these."""

    def rewrite(body: bytes) -> bytes:
        for row in rows:
            sample.update("stock_availables", row, {"depends_on_stock": 1})
        return body

    spoil(shop.server, "api/stock_availables.*display", rewrite)


def assert_all_done_once(shop: Installation) -> None:
    """Nothing lost, nothing doubled, nothing left."""
    assert {effect.state for effect in told(shop).values()} == {EffectState.DONE}
    assert all(effect.receipt for effect in told(shop).values())
    assert applied(shop) == Counter(dict.fromkeys(map(str, range(1, ITEMS + 1)), 1))
    assert [issue for issue in shop.issues() if issue.cause.startswith("export_stock")] == []
    assert shop.run("export_stock").updated == 0
    assert applied(shop).total() == ITEMS


def test_of_a_hundred_the_shop_takes_sixty_and_only_the_forty_it_refused_go_again(
    shop: Installation, sample: Shop
) -> None:
    """Some it refuses in the middle of a request, whose rows before that are kept and whose rows behind it are not."""
    refused = {row for row in range(1, ITEMS + 1) if row % 5 in (2, 3)}
    managed_elsewhere(shop, sample, refused)
    execution = shop.run("export_stock")
    assert (execution.state, execution.updated, execution.failed) == (State.SUCCEEDED_WITH_ISSUES, 60, 40)
    states = {item: effect.state for item, effect in told(shop).items()}
    assert {item for item, state in states.items() if state is EffectState.FAILED} == {str(row) for row in refused}
    assert Counter(states.values()) == {EffectState.DONE: 60, EffectState.FAILED: 40}
    assert applied(shop) == Counter({str(row): 1 for row in range(1, ITEMS + 1) if row not in refused})
    (issue,) = [issue for issue in shop.issues() if issue.cause == "export_stock:effect:refused:133"]
    assert issue.occurrences == 40

    shop.server.faults.clear()
    for row in refused:
        sample.update("stock_availables", row, {"depends_on_stock": 0})
    identities = {item: effect.identity for item, effect in told(shop).items()}
    assert shop.run("export_stock").updated == 40
    assert {item: effect.identity for item, effect in told(shop).items()} == identities
    assert_all_done_once(shop)


@pytest.mark.parametrize("fault", ["cut", "cut_after_write", "fatal", "fatal_after_write", "half_body"])
def test_a_request_cut_off_in_the_middle_of_the_run_is_looked_up_and_nothing_is_done_twice(
    shop: Installation, fault: str
) -> None:
    shop.server.faults.add(fault, method="PATCH", after=2)
    execution = shop.run("export_stock")
    assert (execution.state, execution.updated) == (State.SUCCEEDED, ITEMS)
    assert_all_done_once(shop)


def test_a_request_cut_off_after_some_of_its_rows_leaves_receipts_for_those_and_sends_the_others(
    shop: Installation, sample: Shop
) -> None:
    """Row 12 is the fifth of the first request: the shop applies four, stops, and the connection is lost."""
    managed_elsewhere(shop, sample, {12})
    shop.server.faults.add("cut_after_write", method="PATCH")
    execution = shop.run("export_stock")
    assert (execution.updated, execution.failed) == (ITEMS - 1, 1)
    first, *_ = shop.sent
    assert [change.identity for change in first.changes] == ["1", "10", "100", "11"]
    assert told(shop)["12"].state is EffectState.FAILED
    shop.server.faults.clear()
    sample.update("stock_availables", 12, {"depends_on_stock": 0})
    shop.run("export_stock")
    assert_all_done_once(shop)


def test_what_cannot_be_looked_up_stays_unknown_and_is_found_by_the_next_run(shop: Installation) -> None:
    """The answer is lost, and then the shop is down for maintenance: nothing is sent again until it can be looked at."""
    written = shop.server.faults.add("cut_after_write", method="PATCH")
    shop.server.faults.add("html_page", times=None, path="api/stock_availables", after=1)
    shop.run("export_stock")
    assert written.met == 1
    assert {effect.state for effect in told(shop).values()} == {EffectState.UNKNOWN}
    assert applied(shop).total() == 25
    assert [issue.cause for issue in shop.issues() if issue.cause.startswith("export_stock:effect")] == [
        "export_stock:effect:outcome_unknown"
    ]
    shop.server.faults.clear()
    assert shop.run("export_stock").updated == ITEMS
    found = [effect.receipt["was_found"] for effect in told(shop).values()]
    assert Counter(found) == {True: 25, False: 75}
    assert_all_done_once(shop)
