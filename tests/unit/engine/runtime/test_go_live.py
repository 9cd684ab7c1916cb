"""Going live: each check has a failing and a repaired state; refused, waived, allowed, undone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from domain.errors import NeedsAttention, Unavailable, UserError
from domain.records import Product, StockLevel
from domain.rulebook import Fate, PaymentRule, Rulebook
from engine.connector import Check, Choice, Probe
from engine.runtime import issues
from engine.runtime.production import go_live, readiness
from engine.runtime.production.readiness import Line, Verdict
from storage.database import Database, Unit
from storage.queries import audit, feeds, integrations
from storage.rows import EffectState, Mode
from storage.tables import installation
from tests.builders import a_level, a_product, an_order
from tests.moving import MovableClock
from tests.telling_shop import TellingHub

GOOD = Probe(
    title="Corner shop",
    version="1",
    checks=(Check("read", passed=True, message="May read."), Check("write", passed=True, message="May write stock.")),
    clock_offset=timedelta(seconds=2),
    statuses=(Choice("2", "Paid", "import"),),
    shipping_methods=(Choice("2", "My carrier"),),
    payment_methods=(Choice("Bank wire", "Bank wire", "when_paid"),),
)
RULES = Rulebook(
    statuses={"2": Fate.IMPORT},
    shipping_methods={"2": "parcel"},
    payment_methods={"Bank wire": PaymentRule.WHEN_PAID},
)


@pytest.fixture
def hub(database: Database) -> TellingHub:
    """Everything is as it should be."""
    hub = TellingHub(database, rulebook=RULES)
    keep_probe(hub, GOOD)
    hub.stocked(*(f"{number:03}" for number in range(20)))
    hub.shop.put(an_order(lines=()))
    for name in ("import_new_orders", "check_stock", "export_stock"):
        hub.run(name)

    def succeed(unit: Unit) -> None:
        for feed in feeds.listed(unit, integration_id=hub.integration_id):
            feeds.succeeded(unit, feed.id, seconds=1)

    database.write(succeed)
    return hub


def keep_probe(hub: TellingHub, probe: Probe | None) -> None:
    stored = None if probe is None else msgspec.to_builtins(probe)
    hub.database.write(lambda unit: integrations.change(unit, hub.integration_id, probe=stored))


def arguments(hub: TellingHub) -> dict[str, Any]:
    integration = hub.database.read(lambda unit: integrations.get(unit, hub.integration_id))
    return {"integration": integration, "flows": hub.registry.flows, "rulebook": hub.rulebook}


def lines(hub: TellingHub) -> dict[str, Line]:
    known = arguments(hub)
    integration = known.pop("integration")
    found = hub.database.read(lambda unit: readiness.checks(unit, integration, **known))
    return {line.name: line for line in found}


def do(hub: TellingHub, action: Callable[..., Any], **more: Any) -> Any:
    known = arguments(hub)
    integration = known.pop("integration")
    if action is go_live.back_to_test:
        del known["rulebook"]
    if action in (go_live.look_at_withheld, go_live.unwaive):
        known = {}
    return hub.database.write(lambda unit: action(unit, integration, **known, **more, person="ada"))


def change_feed(hub: TellingHub, flow: str, **values: Any) -> None:
    hub.database.write(lambda unit: feeds.change(unit, hub.feed(flow).id, **values))


def test_an_integration_where_all_is_well_passes_every_check(hub: TellingHub) -> None:
    assert {name: line.verdict for name, line in lines(hub).items()} == dict.fromkeys(
        (
            *("installation", "rights", "clock", "inbound", "links", "ambiguous"),
            *("statuses", "shipping_methods", "payment_methods", "errors", "stock", "withheld"),
        ),
        Verdict.PASS,
    )


def unconfirm(hub: TellingHub) -> None:
    hub.database.write(lambda unit: unit.connection.execute(installation.update().values(confirmed_at=None)))


def never_probed(hub: TellingHub) -> None:
    keep_probe(hub, None)


def lacks_the_right_to_write(hub: TellingHub) -> None:
    refused = Check("write", passed=False, message="May not write stock.", remedy="Tick PUT on stock_availables.")
    keep_probe(hub, _with(GOOD, checks=(GOOD.checks[0], refused)))


def _with(probe: Probe, **values: Any) -> Probe:
    return Probe(**{**{name: getattr(probe, name) for name in Probe.__dataclass_fields__}, **values})


def clock_is_wrong(hub: TellingHub) -> None:
    keep_probe(hub, _with(GOOD, clock_offset=timedelta(minutes=-20)))


def never_updated_products(hub: TellingHub) -> None:
    change_feed(hub, "update_products", succeeded_at=None)


def products_held_back(hub: TellingHub) -> None:
    for number in range(900, 910):
        hub.shop.spoil(Product, f"{number}", NeedsAttention("No price.", cause="no_price"))
    hub.run("update_products")


def a_sku_used_twice(hub: TellingHub) -> None:
    hub.shop.put(a_product("998", sku="Twin"), a_product("999", sku="twin "))
    hub.run("update_products")


def an_unmapped_carrier(hub: TellingHub) -> None:
    hub.shop.put(an_order("101", shipping_code="77"))
    hub.run("import_new_orders")


def an_unseen_status(hub: TellingHub) -> None:
    status = msgspec.structs.replace(an_order().status, remote_id="55", is_known=False)
    hub.shop.put(an_order("101", status=status))
    hub.run("import_new_orders")


def an_open_error(hub: TellingHub) -> None:
    hub.database.write(
        lambda unit: issues.raise_issue(unit, integration_id=hub.integration_id, cause="odd", message="Odd.")
    )


def a_level_changed_there(hub: TellingHub) -> None:
    hub.shop.put(a_level("001", 99))
    hub.run("check_stock")


def never_checked(hub: TellingHub) -> None:
    change_feed(hub, "check_stock", succeeded_at=None)


def withheld_since(hub: TellingHub) -> None:
    hub.count("001", 9)
    hub.run("export_stock")


def nothing_tried(hub: TellingHub) -> None:
    change_feed(hub, "export_stock", succeeded_at=None)
    change_feed(hub, "confirm_shipments", succeeded_at=None)


@pytest.mark.parametrize(
    ("spoil", "name", "words"),
    [
        (unconfirm, "installation", "copied or restored"),
        (never_probed, "rights", "never tested"),
        (lacks_the_right_to_write, "rights", "May not write stock."),
        (clock_is_wrong, "clock", "1200 seconds behind"),
        (never_updated_products, "inbound", "(never)"),
        (products_held_back, "links", "66.7% linked (20 of 30)"),
        (a_sku_used_twice, "ambiguous", "Twin"),
        (an_unmapped_carrier, "shipping_methods", "Seen in orders and not mapped: 77."),
        (an_unseen_status, "statuses", "Seen in orders and not mapped: 55."),
        (an_open_error, "errors", "1 open."),
        (a_level_changed_there, "stock", "1 unexplained"),
        (never_checked, "stock", "never run"),
        (withheld_since, "withheld", "1 withheld, some of them newer than the last look."),
        (nothing_tried, "withheld", "No outbound flow was tried yet."),
    ],
)
def test_what_is_wrong_fails_its_check_with_evidence_and_a_remedy(
    hub: TellingHub, clock: MovableClock, spoil: Callable[[TellingHub], None], name: str, words: str
) -> None:
    clock.advance(1)
    spoil(hub)
    line = lines(hub)[name]
    assert line.verdict is Verdict.FAIL
    assert words in line.evidence
    assert line.remedy
    with pytest.raises(UserError, match="not ready"):
        do(hub, go_live.go_live)


def test_a_day_without_success_fails_the_inbound_flows_and_the_stock_check(
    hub: TellingHub, clock: MovableClock
) -> None:
    clock.advance(days=2)
    found = lines(hub)
    assert (found["inbound"].verdict, found["stock"].verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert "import_stock" not in found["inbound"].evidence


def test_a_flow_that_is_switched_off_need_not_be_green(hub: TellingHub) -> None:
    change_feed(hub, "import_suppliers", succeeded_at=None, is_enabled=False)
    assert lines(hub)["inbound"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"clock_offset": None}, "clock"),
        ({"clock_offset": timedelta(minutes=2)}, "clock"),
        ({"statuses": (Choice("2", "Paid"), Choice("8", "Odd"))}, "statuses"),
        ({"shipping_methods": (Choice("2", "My carrier"), Choice("8", "Pigeon"))}, "shipping_methods"),
        ({"payment_methods": (Choice("Cheque", "Cheque"),)}, "payment_methods"),
    ],
)
def test_what_may_be_wrong_warns_and_stands_in_nobodys_way(hub: TellingHub, changes: dict[str, Any], name: str) -> None:
    keep_probe(hub, _with(GOOD, **changes))
    assert lines(hub)[name].verdict is Verdict.WARN
    assert do(hub, go_live.go_live)


def test_an_unruled_payment_method_in_orders_only_warns(hub: TellingHub) -> None:
    hub.shop.put(an_order("101", payment_method="Cheque"))
    hub.run("import_new_orders")
    assert lines(hub)["payment_methods"].verdict is Verdict.WARN


def test_a_wildcard_maps_everything(hub: TellingHub) -> None:
    hub.shop.put(an_order("101", shipping_code="77"))
    hub.rulebook = msgspec.structs.replace(RULES, shipping_methods={"*": "parcel"})
    hub.run("import_new_orders")
    assert lines(hub)["shipping_methods"].verdict is Verdict.PASS


def test_a_level_known_on_one_side_only_warns(hub: TellingHub) -> None:
    hub.shop.remove(StockLevel, "row-001")
    hub.run("check_stock")
    assert lines(hub)["stock"].verdict is Verdict.WARN


def test_before_anything_is_imported_nothing_is_linked(database: Database) -> None:
    assert lines(TellingHub(database))["links"].evidence == "No product is known yet."


def test_looking_at_what_is_withheld_passes_its_check(hub: TellingHub, clock: MovableClock) -> None:
    withheld_since(hub)
    clock.advance(1)
    do(hub, go_live.look_at_withheld)
    assert lines(hub)["withheld"].verdict is Verdict.PASS
    clock.advance(1)
    hub.count("001", 8)
    hub.run("export_stock")
    assert lines(hub)["withheld"].verdict is Verdict.FAIL


def test_a_failing_check_is_waived_with_a_reason_and_kept_in_the_log(hub: TellingHub) -> None:
    an_open_error(hub)
    with pytest.raises(UserError, match="Say why"):
        do(hub, go_live.waive, name="errors", reason=" ")
    with pytest.raises(UserError, match="There is no check"):
        do(hub, go_live.waive, name="weather", reason="It rains today.")
    with pytest.raises(UserError, match="does not fail"):
        do(hub, go_live.waive, name="clock", reason="It rains today.")
    do(hub, go_live.waive, name="errors", reason="Known, and harmless.")
    line = lines(hub)["errors"]
    assert (line.verdict, line.waiver and line.waiver.person) == (Verdict.WAIVED, "ada")
    assert do(hub, go_live.go_live)
    row = hub.database.read(audit.latest)[0]
    assert (row.action, row.detail["waivers"]) == ("go_live", {"errors": "Known, and harmless."})

    do(hub, go_live.unwaive, name="errors")
    assert lines(hub)["errors"].verdict is Verdict.FAIL
    with pytest.raises(UserError, match="No waiver"):
        do(hub, go_live.unwaive, name="errors")


def test_one_flow_goes_live_alone(hub: TellingHub) -> None:
    assert do(hub, go_live.go_live, chosen=["export_stock"]) == ["export_stock"]
    assert hub.feed("export_stock").is_live
    assert not hub.feed("confirm_shipments").is_live
    with pytest.raises(UserError, match="no outbound flow called import_suppliers"):
        do(hub, go_live.go_live, chosen=["import_suppliers"])


def test_going_back_to_test_withholds_at_once_what_waits(hub: TellingHub) -> None:
    do(hub, go_live.go_live)
    hub.count("001", 9)
    hub.shop.refuses = lambda _change: Unavailable("Down.")
    with pytest.raises(Unavailable):
        hub.run("export_stock")
    assert do(hub, go_live.back_to_test) == 1
    assert [effect.state for effect in hub.effects()] == [EffectState.WITHHELD]
    integration = hub.database.read(lambda unit: integrations.get(unit, hub.integration_id))
    assert integration is not None
    assert integration.mode is Mode.TEST
    assert not hub.feed("export_stock").is_live


def test_one_flow_goes_back_to_test_alone(hub: TellingHub) -> None:
    do(hub, go_live.go_live)
    assert do(hub, go_live.back_to_test, chosen=["export_stock"]) == 0
    integration = hub.database.read(lambda unit: integrations.get(unit, hub.integration_id))
    assert integration is not None
    assert integration.mode is Mode.PRODUCTION
    assert hub.feed("confirm_shipments").is_live
    assert not hub.feed("export_stock").is_live
