"""A PrestaShop shop, through the whole engine: every inbound flow, test mode, go-live, stock and shipments there once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_generated_shop, build_sample_shop
from engine.simulation.server import serve
from storage.rows import State
from tests.installation import Installation, installed

INBOUND = (
    "import_suppliers",
    "import_new_products",
    "update_products",
    "import_product_suppliers",
    "import_product_images",
    "import_new_orders",
    "update_orders",
    "import_stock",
    "retry",
    "check_stock",
)


def odd_shop() -> Shop:
    return build_generated_shop(products=120, seed=7, odd=True)


@pytest.fixture(params=[build_sample_shop, odd_shop], ids=["sample", "odd"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with (
        serve(PrestashopSimulator(request.param())) as server,
        installed(tmp_path, database_url, server) as installation,
    ):
        yield installation


def test_every_inbound_flow_saves_or_explains_every_record_and_a_second_run_changes_nothing(shop: Installation) -> None:
    for flow in INBOUND:
        execution = shop.run(flow)
        assert execution.state in (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES), (flow, execution.reason)
        lines = Counter(line.outcome for line in shop.outcomes(execution))
        for outcome in ("created", "updated", "skipped", "waiting", "failed"):
            assert lines[outcome] == getattr(execution, outcome), (flow, outcome)
        assert all(line.reason for line in shop.outcomes(execution) if line.outcome in ("skipped", "waiting", "failed"))
    assert shop.sent == []
    held_back = Counter(row.severity for row in shop.held())
    orders = shop.run("import_new_orders", scope={"since": "2000-01-01T00:00:00+00:00"})
    assert (held_back["retry"], held_back["error"]) == (orders.waiting, orders.failed)
    assert any("Unknown shipping method" in issue.message for issue in shop.issues())
    for flow in INBOUND:
        if flow not in ("import_stock", "check_stock"):
            again = shop.run(flow)
            assert (again.created, again.updated) == (0, 0), (flow, shop.outcomes(again)[:5])
    assert shop.sent == []
