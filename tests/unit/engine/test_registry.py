"""The registry finds what exists by walking the packages, and says in a sentence what does not."""

import pytest

from domain.errors import BrokenInvariant, UserError
from engine.flow import Direction, Flow, Retry
from engine.registry import Registry
from tests.corner_shop import CornerShop

FLOWS = {
    "import_new_products",
    "update_products",
    "import_product_images",
    "import_new_orders",
    "update_orders",
    "import_stock",
    "import_suppliers",
    "import_product_suppliers",
    "retry",
    "check_stock",
    "export_stock",
    "confirm_shipments",
}


def test_all_twelve_flows_and_the_connectors_are_found() -> None:
    registry = Registry.find()
    assert set(registry.flows) == FLOWS
    assert "prestashop" in registry.connector_names
    assert registry.connector("prestashop") is registry.connector("prestashop")


def test_prestashop_serves_every_flow() -> None:
    registry = Registry.find()
    assert {flow.name for flow in registry.flows_of(registry.connector("prestashop"))} == FLOWS


def test_which_flows_a_system_has_follows_from_what_it_reads_and_writes() -> None:
    registry = Registry.of(connectors=[CornerShop().connector()])
    names = {flow.name for flow in registry.flows_of(registry.connector("corner_shop"))}
    assert FLOWS - names == {"import_product_images", "import_product_suppliers", "export_stock", "confirm_shipments"}


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    registry = Registry.find()
    with pytest.raises(UserError, match=r"no connector called “magento”\. Connectors: prestashop"):
        registry.connector("magento")
    with pytest.raises(UserError, match=r"no flow called “nope”\. Flows: check_stock"):
        registry.flow("nope")


def test_two_flows_of_one_name_are_refused() -> None:
    flow = Flow(name="twice", title="Twice", direction=Direction.INBOUND, work=Retry())
    with pytest.raises(BrokenInvariant, match="Two flows are called twice"):
        Registry.of(connectors=[], flows=[flow, flow])


def test_outbound_flows_are_exactly_those_that_export() -> None:
    outbound = {flow.name for flow in Registry.find().flows.values() if flow.direction is Direction.OUTBOUND}
    assert outbound == {"export_stock", "confirm_shipments"}
