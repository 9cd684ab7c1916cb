"""From test mode to production and back on a PrestaShop shop: what is withheld, what is sent, and that it is sent once."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, build_sample_shop
from domain.errors import UserError
from engine.actions import effects, go_live, mappings, orders, stock
from engine.actions.platform import open_platform
from engine.simulation.server import serve
from storage.rows import EffectState, State
from tests.installation import ADMINISTRATOR, Installation, installed, settings_for

INBOUND = (
    "import_suppliers",
    "import_new_products",
    "import_product_suppliers",
    "import_product_images",
    "update_products",
    "import_new_orders",
    "update_orders",
    "import_stock",
    "retry",
    "check_stock",
)


SOLD_SINGLY = "demo_11"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with (
        serve(PrestashopSimulator(build_sample_shop())) as server,
        installed(tmp_path, database_url, server) as installation,
    ):
        yield installation


def imported(shop: Installation) -> Installation:
    for flow in INBOUND:
        shop.run(flow)
    for carrier in ("1", "2"):
        mappings.set_entry(shop.platform, "shop", "shipping_method", carrier, f"method-{carrier}", person=ADMINISTRATOR)
    shop.run_queued()
    return shop


def live(shop: Installation) -> Installation:
    """Into production, whatever the sample shop's catalogue lacks."""
    shop.run("check_stock")
    for check in go_live.checks(shop.platform, "shop", tests=True, person=ADMINISTRATOR):
        if check.verdict == "fail":
            go_live.waive(shop.platform, "shop", check.name, reason="a sample shop", person=ADMINISTRATOR)
    go_live.go_live(shop.platform, "shop", person=ADMINISTRATOR)
    return shop


def test_a_mapped_shipping_method_lets_exactly_the_held_orders_in_and_closes_the_issue(shop: Installation) -> None:
    for flow in ("import_new_products", "import_new_orders"):
        shop.run(flow)
    failed = {row.remote_id for row in shop.held() if row.severity == "error"}
    assert failed
    before = set(shop.records("order"))
    for carrier in ("1", "2"):
        mappings.set_entry(shop.platform, "shop", "shipping_method", carrier, "parcel", person=ADMINISTRATOR)
    shop.run_queued()
    assert set(shop.records("order")) - before == failed
    assert not [issue for issue in shop.issues() if "shipping" in issue.message]


def test_in_test_mode_nothing_leaves_and_what_would_is_kept_with_before_and_after(shop: Installation) -> None:
    imported(shop)
    stock.adjust(shop.platform, "shop", SOLD_SINGLY, to=Decimal(100), reason="counted", person=ADMINISTRATOR)
    order = next(row for row in shop.records("order").values() if row.state == "open")
    orders.ship(shop.platform, order.label, carrier="method-2", tracking_number="XX1", person=ADMINISTRATOR)
    assert shop.run("export_stock").withheld >= 1
    assert shop.run("confirm_shipments").withheld == 1
    assert shop.sent == []
    listed = shop.withheld()
    assert {line.effect.kind for line in listed} == {"stock_level", "shipment"}
    assert all(line.effect.after is not None for line in listed)


def test_go_live_is_refused_while_a_check_fails_and_says_which(shop: Installation) -> None:
    with pytest.raises(UserError, match="check"):
        go_live.go_live(shop.platform, "shop", person=ADMINISTRATOR)
    assert shop.run("export_stock").state in (State.SUCCEEDED, State.QUEUED, State.SKIPPED)
    assert shop.sent == []


def test_in_production_stock_and_shipments_arrive_there_once(shop: Installation) -> None:
    live(imported(shop))
    stock.adjust(shop.platform, "shop", SOLD_SINGLY, to=Decimal(100), reason="counted", person=ADMINISTRATOR)
    order = next(row for row in shop.records("order").values() if row.state == "open")
    orders.ship(shop.platform, order.label, carrier="method-2", tracking_number="XX1", person=ADMINISTRATOR)
    exported = shop.run("export_stock")
    assert exported.updated >= 1, exported
    assert shop.run("confirm_shipments").updated == 1
    sent = len(shop.sent)
    assert sent > 0
    assert shop.run("export_stock").updated == 0
    assert shop.run("confirm_shipments").updated == 0
    assert len(shop.sent) == sent


def test_back_in_test_mode_nothing_leaves_any_more(shop: Installation) -> None:
    live(imported(shop))
    go_live.back_to_test(shop.platform, "shop", person=ADMINISTRATOR)
    stock.adjust(shop.platform, "shop", SOLD_SINGLY, to=Decimal(77), reason="counted", person=ADMINISTRATOR)
    assert shop.run("export_stock").withheld == 1
    assert shop.sent == []


def test_withheld_changes_do_not_leave_by_themselves_after_going_live(shop: Installation) -> None:
    imported(shop)
    order = next(row for row in shop.records("order").values() if row.state == "open")
    orders.ship(shop.platform, order.label, carrier="method-2", tracking_number="XX1", person=ADMINISTRATOR)
    assert shop.run("confirm_shipments").withheld == 1
    go_live.look_at_withheld(shop.platform, "shop", person=ADMINISTRATOR)
    live(shop)
    assert shop.run("confirm_shipments").updated == 0
    assert shop.sent == []
    (waiting,) = [line for line in shop.withheld() if line.effect.kind == "shipment"]
    effects.release(shop.platform, [waiting.effect.id], person=ADMINISTRATOR)
    shop.run_queued()
    shop.run("confirm_shipments")
    assert shop.sent
    assert shop.withheld() == []


def test_a_copied_database_comes_up_in_test_mode(tmp_path: Path, sqlite_template: Path) -> None:
    path = shutil.copyfile(sqlite_template, tmp_path / "navette.db")
    with serve(PrestashopSimulator(build_sample_shop())) as server:
        with installed(tmp_path, f"sqlite:///{path}", server) as original:
            live(imported(original))
            with original.platform.database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = shutil.copyfile(path, tmp_path / "copy.db")
        with open_platform(settings_for(tmp_path, f"sqlite:///{copy}")) as platform:
            copied = Installation(platform, server)
            stock.adjust(platform, "shop", SOLD_SINGLY, to=Decimal(50), reason="x", person=ADMINISTRATOR)
            copied.run("export_stock")
            assert copied.sent == []
            assert {line.effect.state for line in copied.withheld()} == {EffectState.WITHHELD}


def test_levels_that_nothing_accounts_for_are_an_issue_until_they_are_accepted_or_gone(shop: Installation) -> None:
    imported(shop)
    product = next(i for i, row in shop.records("product").items() if row.label == SOLD_SINGLY)
    shop.server.app.shop.set_stock(int(product), 999)  # type: ignore[attr-defined]
    assert shop.run("check_stock").failed == 1
    (issue,) = [issue for issue in shop.issues() if issue.flow == "check_stock"]
    assert "1 stock levels" in issue.message
    stock.adjust(shop.platform, "shop", SOLD_SINGLY, to=Decimal(999), reason="counted", person=ADMINISTRATOR)
    shop.run("check_stock")
    assert not [issue for issue in shop.issues() if issue.flow == "check_stock"]


def test_stock_asked_for_before_the_products_are_there_stays_unlocked(shop: Installation) -> None:
    first = shop.run("import_stock")
    shop.run_queued()
    assert (first.created, shop.feed("import_stock").is_enabled) == (0, True)
    shop.run("import_new_products")
    shop.run("import_stock")
    shop.run_queued()
    assert not shop.feed("import_stock").is_enabled
