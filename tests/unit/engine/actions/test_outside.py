"""What leaves: orders shipped, stock corrected, differences repaired, effects decided, going live and back."""

from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import UserError
from engine.actions import (
    backups,
    effects,
    go_live,
    installation,
    mappings,
    orders,
    retention,
    rulebooks,
    stock,
)
from engine.actions.names import integration_named
from engine.runtime.production.readiness import Verdict
from engine.runtime.stock_check.repairs import Direction
from storage.queries import effects as effect_rows
from storage.queries import history
from storage.queries import installation as stored
from storage.queries.differences import DifferenceState
from storage.rows import EffectState, Mode
from storage.tables import installation as installation_table
from storage.tables import records as record_table
from tests.builders import a_level, a_line, a_product, a_variant, an_order
from tests.moving import MovableClock
from tests.unit.engine.actions.desk import NAME, PERSON, Desk

INBOUND = ("import_new_products", "import_suppliers", "import_new_orders", "import_stock")


@pytest.fixture
def stocked(connected: Desk) -> Desk:
    """Two products with stock, and an open order of one piece."""
    mappings.set_entry(connected.platform, NAME, "shipping_method", "2", "standard", person=PERSON)
    connected.fill(
        a_product("1"), a_product("2"), a_level("1", 4), a_level("2", 7), an_order("100", lines=(a_line("1"),))
    )
    for flow in INBOUND:
        connected.run(flow)
    connected.run("check_stock")
    return connected


def listed(desk: Desk, *states: EffectState, of: str = NAME) -> list[effect_rows.Effect]:
    return [line.effect for line in desk.database.read(lambda unit: effects.listed(unit, of=of, states=states))]


def level(desk: Desk, item: str = "1") -> stock.ItemLevel:
    [found] = desk.database.read(lambda unit: stock.show(desk.platform, unit, NAME, item))
    return found


def mode(desk: Desk) -> Mode:
    return desk.database.read(lambda unit: integration_named(unit, NAME)).mode


def start(desk: Desk, *flows: str) -> None:
    """Go live, waiving whatever is in the way."""
    for line in go_live.checks(desk.platform, NAME):
        if line.verdict is Verdict.FAIL:
            go_live.waive(desk.platform, NAME, line.name, reason="this is only a test", person=PERSON)
    go_live.go_live(desk.platform, NAME, person=PERSON, flows=flows)


# --- orders -------------------------------------------------------------------------------------------------------


def test_shipping_an_order_takes_its_stock_and_keeps_who_did_it(stocked: Desk) -> None:
    assert level(stocked).reserved == 1
    number = orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="T1", person=PERSON)
    shown = stocked.database.read(lambda unit: orders.show(unit, "ORDER100"))
    assert number == "ORDER100"
    assert shown.order.fate == "shipped"
    assert [(each.carrier, each.tracking_number) for each in shown.shipments] == [("standard", "T1")]
    assert [event.outcome for event in shown.history] == ["created"]
    assert shown.time_zone == "Europe/Paris"
    assert (level(stocked).reserved, level(stocked).on_hand) == (0, {"main": Decimal(4)})
    assert stocked.audit[0].action == "ship_order"
    with pytest.raises(UserError, match="cannot be shipped"):
        orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="", person=PERSON)


def test_an_order_is_found_by_its_number_or_by_its_id(stocked: Desk) -> None:
    with stocked.database.reading() as unit:
        by_number = orders.find(unit, "ORDER100")
        assert orders.find(unit, str(by_number.id)) == by_number
        assert [row.id for row in orders.listed(unit, of=NAME, state="open")] == [by_number.id]
        with pytest.raises(UserError, match="no order “ORDER9”"):
            orders.find(unit, "ORDER9")
        with pytest.raises(UserError, match="no order “999999”"):
            orders.find(unit, "999999")


def test_a_number_that_two_orders_share_is_asked_back(stocked: Desk) -> None:
    stocked.fill(an_order("101", number="ORDER100"))
    stocked.run("import_new_orders")
    with pytest.raises(UserError, match="Several orders"):
        orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="", person=PERSON)


def test_an_order_whose_shop_is_gone_cannot_be_shipped(stocked: Desk) -> None:
    stocked.database.write(lambda unit: unit.connection.execute(record_table.update().values(integration_id=None)))
    with pytest.raises(UserError, match="no integration any more"):
        orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="", person=PERSON)
    assert stocked.database.read(lambda unit: orders.show(unit, "ORDER100")).time_zone == "UTC"


# --- stock --------------------------------------------------------------------------------------------------------


def test_stock_shows_what_is_on_hand_promised_and_available(stocked: Desk) -> None:
    shown = level(stocked)
    assert (shown.on_hand, shown.reserved, shown.available) == ({"main": Decimal(5)}, Decimal(1), Decimal(4))
    assert shown.movements[0].reason == f"imported from {NAME}"


def test_a_correction_is_kept_as_a_movement_with_its_reason(stocked: Desk) -> None:
    stock.adjust(stocked.platform, NAME, "sku-2", to=Decimal(3), reason="counted", person=PERSON)
    after = stock.adjust(stocked.platform, NAME, "sku-2", by=Decimal(-1), reason="broken", person=PERSON)
    assert after.on_hand == {"main": Decimal(2)}
    assert [(move.change, move.reason, move.person) for move in after.movements[:2]] == [
        (Decimal(-1), "broken", PERSON),
        (Decimal(-4), "counted", PERSON),
    ]
    assert stocked.audit[0].detail == {"warehouse": "main", "to": "", "by": "-1", "reason": "broken"}


def test_a_correction_may_be_in_another_warehouse(stocked: Desk) -> None:
    after = stock.adjust(stocked.platform, NAME, "2", to=Decimal(1), warehouse="north", reason="moved", person=PERSON)
    assert after.on_hand["north"] == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reason": "x"}, "one of the two"),
        ({"to": Decimal(1), "by": Decimal(1), "reason": "x"}, "one of the two"),
        ({"to": Decimal(-1), "reason": "x"}, "0 or more"),
        ({"to": Decimal(1), "reason": " "}, "Say why"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(stocked: Desk, given: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        stock.adjust(stocked.platform, NAME, "1", person=PERSON, **given)


def test_a_product_with_variants_sends_on_to_them_and_a_shared_sku_is_asked_back(stocked: Desk) -> None:
    variants = (a_variant("3-1", sku="red"), a_variant("3-2", sku="blue"))
    stocked.fill(a_product("3", sku="shirt", variants=variants), a_product("4", sku="twin"), a_product("5", sku="twin"))
    stocked.run("import_new_products")
    with stocked.database.reading() as unit:
        assert stock.show(stocked.platform, unit, NAME, "red")[0].available is None
        with pytest.raises(UserError, match="sold in variants"):
            stock.show(stocked.platform, unit, NAME, "shirt")
        with pytest.raises(UserError, match="has no item"):
            stock.show(stocked.platform, unit, NAME, "nothing")
    with pytest.raises(UserError, match="Several items"):
        stock.adjust(stocked.platform, NAME, "twin", to=Decimal(1), reason="counted", person=PERSON)


def the_differences(desk: Desk, *states: DifferenceState) -> list[int]:
    lines = desk.database.read(
        lambda unit: stock.listed_differences(unit, of=NAME, states=states or (DifferenceState.OPEN,))
    )
    return [line.difference.id for line in lines]


def test_differences_are_taken_over_sent_accepted_and_taken_back(stocked: Desk) -> None:
    stocked.fill(a_level("2", 99))
    stocked.run("check_stock")
    [number] = the_differences(stocked)
    assert stock.repair(stocked.platform, [number], direction=Direction.ADOPT, person=PERSON) == 1
    assert level(stocked, "2").available == 99
    assert stock.undo(stocked.platform, [number], person=PERSON) == 1
    assert level(stocked, "2").available == 7
    assert stock.accept(stocked.platform, [number], person=PERSON) == 1
    assert the_differences(stocked, DifferenceState.ACCEPTED) == [number]
    assert stock.repair(stocked.platform, [number], direction=Direction.SEND, person=PERSON) == 1
    [effect] = listed(stocked, EffectState.WITHHELD)
    assert effect.after["quantity"] == "7"
    assert set(stocked.actions) >= {"repair_adopt", "undo_repair", "accept_differences", "repair_send"}


def test_differences_that_are_not_there_are_told(stocked: Desk) -> None:
    for ask in (
        lambda: stock.accept(stocked.platform, [4711], person=PERSON),
        lambda: stock.repair(stocked.platform, [4711], direction=Direction.SEND, person=PERSON),
    ):
        with pytest.raises(UserError, match="no difference 4711"):
            ask()


# --- effects and going live ---------------------------------------------------------------------------------------


def test_in_test_mode_changes_are_kept_and_cannot_be_released(stocked: Desk) -> None:
    stock.adjust(stocked.platform, NAME, "2", to=Decimal(1), reason="counted", person=PERSON)
    assert stocked.run("export_stock").withheld == 1
    [effect] = listed(stocked, EffectState.WITHHELD, of=f"{NAME}/export_stock")
    assert (effect.before["quantity"], effect.after["quantity"]) == ("7", "1")
    with pytest.raises(UserError, match="Go live first"):
        effects.release(stocked.platform, [effect.id], person=PERSON)
    assert stocked.shop.level("2") == 7


def test_going_live_is_refused_while_a_check_fails_and_waived_with_a_reason(stocked: Desk) -> None:
    with pytest.raises(UserError, match="is not ready"):
        go_live.go_live(stocked.platform, NAME, person=PERSON)
    failed = [line.name for line in go_live.checks(stocked.platform, NAME) if line.verdict is Verdict.FAIL]
    with pytest.raises(UserError, match="Say why"):
        go_live.waive(stocked.platform, NAME, failed[0], reason="", person=PERSON)
    go_live.waive(stocked.platform, NAME, failed[0], reason="looked at it", person=PERSON)
    waived = {line.name: line.waiver for line in go_live.checks(stocked.platform, NAME) if line.waiver}
    assert waived[failed[0]].person == PERSON
    go_live.unwaive(stocked.platform, NAME, failed[0], person=PERSON)
    assert not any(line.waiver for line in go_live.checks(stocked.platform, NAME))


def test_checks_can_test_the_connection_first(stocked: Desk) -> None:
    asked = len(stocked.shop.keys_seen)
    go_live.checks(stocked.platform, NAME, tests=True, person=PERSON)
    assert len(stocked.shop.keys_seen) == asked + 1


def test_live_flows_change_the_shop_and_going_back_stops_that_at_once(stocked: Desk) -> None:
    start(stocked)
    stock.adjust(stocked.platform, NAME, "2", to=Decimal(1), reason="counted", person=PERSON)
    stocked.run("export_stock")
    assert stocked.shop.level("2") == 1
    assert mode(stocked) is Mode.PRODUCTION
    go_live.back_to_test(stocked.platform, NAME, person=PERSON)
    stock.adjust(stocked.platform, NAME, "2", to=Decimal(2), reason="counted", person=PERSON)
    assert stocked.run("export_stock").withheld == 1
    assert (stocked.shop.level("2"), mode(stocked)) == (1, Mode.TEST)


def test_one_outbound_flow_goes_live_alone(stocked: Desk) -> None:
    start(stocked, "confirm_shipments")
    stock.adjust(stocked.platform, NAME, "2", to=Decimal(1), reason="counted", person=PERSON)
    orders.ship(stocked.platform, "ORDER100", carrier="standard", tracking_number="T9", person=PERSON)
    stocked.run("export_stock")
    stocked.run("confirm_shipments")
    assert stocked.shop.level("2") == 7
    assert stocked.shop.tracking == {"100": "T9"}


def test_a_withheld_shipment_leaves_only_when_a_person_releases_it(stocked: Desk) -> None:
    orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="T1", person=PERSON)
    stocked.run("confirm_shipments")
    go_live.look_at_withheld(stocked.platform, NAME, person=PERSON)
    start(stocked)
    stocked.run("confirm_shipments")
    assert stocked.shop.tracking == {}
    [effect] = listed(stocked, EffectState.WITHHELD)
    assert effects.release(stocked.platform, [effect.id], person=PERSON) == 1
    stocked.run("confirm_shipments")
    assert stocked.shop.tracking == {"100": "T1"}


def test_a_discarded_change_does_not_leave(stocked: Desk) -> None:
    orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="T1", person=PERSON)
    stocked.run("confirm_shipments")
    [effect] = listed(stocked)
    assert effects.discard(stocked.platform, [effect.id], person=PERSON) == 1
    start(stocked)
    stocked.run("confirm_shipments")
    assert stocked.shop.tracking == {}


@pytest.mark.parametrize(("happened", "state"), [(True, EffectState.DONE), (False, EffectState.PENDING)])
def test_a_person_decides_what_became_of_an_unknown_change(
    stocked: Desk, *, happened: bool, state: EffectState
) -> None:
    orders.ship(stocked.platform, "ORDER100", carrier="", tracking_number="T1", person=PERSON)
    stocked.run("confirm_shipments")
    [effect] = listed(stocked)
    stocked.database.write(
        lambda unit: effect_rows.move(
            unit, [effect.id], to=EffectState.UNKNOWN, reason="", among=(EffectState.WITHHELD,)
        )
    )
    assert effects.decide(stocked.platform, [effect.id], has_happened=happened, person=PERSON) == 1
    assert [each.state for each in listed(stocked)] == [state]


def test_effects_that_are_not_there_are_told(connected: Desk) -> None:
    with pytest.raises(UserError, match="no effect 4711"):
        effects.discard(connected.platform, [4711], person=PERSON)
    with pytest.raises(UserError, match="no effect"):
        effects.decide(connected.platform, [], has_happened=True, person=PERSON)


# --- the installation ---------------------------------------------------------------------------------------------


def test_a_copied_database_is_confirmed_by_a_person(connected: Desk) -> None:
    assert installation.standing(connected.platform).is_confirmed
    connected.database.write(stored.doubt)
    assert not installation.standing(connected.platform).is_confirmed
    assert installation.confirm(connected.platform, person=PERSON) == 0
    assert installation.standing(connected.platform).confirmed_by == PERSON
    with pytest.raises(UserError, match="confirmed already"):
        installation.confirm(connected.platform, person=PERSON)


def test_a_database_nobody_started_on_is_not_confirmed(connected: Desk) -> None:
    connected.database.write(lambda unit: unit.connection.execute(installation_table.delete()))
    assert not installation.standing(connected.platform).is_confirmed


def test_history_goes_by_its_age_and_what_is_younger_stays(stocked: Desk, clock: MovableClock) -> None:
    before = len(stocked.database.read(history.listed))
    batches: list[int] = []
    clock.advance(days=100)
    stocked.run("import_new_orders")
    first = retention.purge(stocked.platform, person=PERSON, on_batch=batches.append)
    assert first.outcomes == sum(batches) > 0
    assert (first.executions, first.effects, first.expired) == (0, 0, 0)
    clock.advance(days=100)
    second = retention.purge(stocked.platform, person=PERSON)
    assert second.executions == before
    assert stocked.audit[0].action == "purge"


def test_the_sweepers_purge_comes_once_a_day(stocked: Desk, clock: MovableClock) -> None:
    clock.advance(days=400)
    idle, due = retention.DailyPurge(), retention.DailyPurge(first_after_seconds=0)
    idle(stocked.platform)
    assert "purge" not in stocked.actions
    due(stocked.platform)
    due(stocked.platform)
    assert stocked.actions.count("purge") == 1
    assert stocked.audit[0].person == retention.ITSELF


def test_the_database_tells_its_step_and_size_and_is_copied(stocked: Desk, tmp_path: Path) -> None:
    status = backups.status(stocked.platform)
    assert status.bytes > 0
    assert status.rows["records"] > 0
    if stocked.database.dialect == "postgresql":
        assert status.kind == "PostgreSQL"
        with pytest.raises(UserError, match="pg_dump"):
            backups.backup(stocked.platform, tmp_path / "copy.db")
        return
    copy = tmp_path / "copy.db"
    assert backups.backup(stocked.platform, copy) == copy.stat().st_size > 0
    assert copy.stat().st_mode & 0o077 == 0
    with pytest.raises(UserError, match="exists already"):
        backups.backup(stocked.platform, copy)
    with pytest.raises(UserError, match="no folder"):
        backups.backup(stocked.platform, tmp_path / "nowhere" / "copy.db")


def test_a_rule_of_the_shop_counts_for_what_is_offered(stocked: Desk) -> None:
    rulebooks.change(stocked.platform, NAME, values={"safety_buffer": "3"}, person=PERSON)
    assert level(stocked).available == 1
