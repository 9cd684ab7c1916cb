"""A simulated PrestaShop that the hub knows whole and may write to."""

from decimal import Decimal

from engine.actions import go_live, mappings, orders, stock
from storage.rows import State
from tests.installation import ADMINISTRATOR, Installation

IMPORTS = ("import_new_products", "update_products", "import_new_orders", "update_orders", "import_stock")


def imported(shop: Installation) -> Installation:
    """Its products, orders and levels are in the hub, and its carriers are mapped."""
    for carrier in ("1", "2"):
        mappings.set_entry(shop.platform, "shop", "shipping_method", carrier, f"method-{carrier}", person=ADMINISTRATOR)
    shop.run_queued()
    for flow in IMPORTS:
        assert shop.run(flow).state in (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES)
    return shop


def live(shop: Installation) -> Installation:
    """In production, whatever its catalogue lacks."""
    shop.run("check_stock")
    for check in go_live.checks(shop.platform, "shop", tests=True, person=ADMINISTRATOR):
        if check.verdict == "fail":
            go_live.waive(shop.platform, "shop", check.name, reason="a simulated shop", person=ADMINISTRATOR)
    go_live.go_live(shop.platform, "shop", person=ADMINISTRATOR)
    shop.run_queued()
    return shop


def count(shop: Installation, item: str, quantity: int) -> None:
    """A person counts an item."""
    stock.adjust(shop.platform, "shop", item, to=Decimal(quantity), reason="counted", person=ADMINISTRATOR)


def ship(shop: Installation, *, tracking: str = "XX1") -> str:
    """An open order leaves the house; its id in the shop."""
    row = min((row for row in shop.records("order").values() if row.state == "open"), key=lambda row: row.id)
    orders.ship(shop.platform, row.label, carrier="method-2", tracking_number=tracking, person=ADMINISTRATOR)
    return str(row.record.remote_id)
