"""Repairs of chosen differences: both directions, logged, and undone."""

from decimal import Decimal

import pytest

from domain.errors import UserError
from domain.records import StockLevel
from domain.rulebook import Rulebook
from engine.runtime.stock_check import repairs
from engine.runtime.stock_check.repairs import Direction
from storage.database import Database
from storage.queries import audit, differences, stock
from storage.queries.differences import Difference, DifferenceState
from storage.rows import EffectState
from tests.builders import a_level, a_line, a_product, an_order
from tests.telling_shop import TellingHub

ITEMS = [f"{number:02}" for number in range(12)]


@pytest.fixture
def hub(database: Database) -> TellingHub:
    hub = TellingHub(database, rulebook=Rulebook(shipping_methods={"2": "parcel"}))
    hub.stocked(*ITEMS)
    return hub


def check(hub: TellingHub) -> list[Difference]:
    hub.run("check_stock")
    lines = hub.database.read(differences.listed)
    return [line.difference for line in lines]


def repair(hub: TellingHub, *chosen: Difference, direction: Direction, withheld_because: str = "") -> int:
    return hub.database.write(
        lambda unit: repairs.repair(
            unit,
            [row.id for row in chosen],
            direction=direction,
            feed=hub.feed("export_stock"),
            connector=hub.shop.connector(),
            rulebook=hub.rulebook,
            withheld_because=withheld_because,
            person="ada",
        )
    )


def undo(hub: TellingHub, *chosen: Difference) -> int:
    return hub.database.write(
        lambda unit: repairs.undo(
            unit,
            [row.id for row in chosen],
            feed=hub.feed("export_stock"),
            connector=hub.shop.connector(),
            rulebook=hub.rulebook,
            person="ada",
        )
    )


def on_hand(hub: TellingHub, item: str) -> Decimal:
    record_id = hub.record_id(item)
    return hub.database.read(lambda unit: stock.levels_of(unit, record_id))["main"]


def test_sending_the_hubs_level_leaves_no_difference(hub: TellingHub) -> None:
    hub.go_live()
    hub.shop.put(a_level("00", 17), a_level("01", 18))
    assert repair(hub, *check(hub), direction=Direction.SEND) == 2
    assert hub.run("export_stock").updated == 2
    assert (hub.shop.level("00"), hub.shop.level("01")) == (5, 5)
    assert check(hub) == []


def test_in_test_mode_a_repair_is_withheld(hub: TellingHub) -> None:
    hub.shop.put(a_level("00", 17))
    repair(hub, *check(hub), direction=Direction.SEND, withheld_because="Test mode.")
    [effect] = hub.effects()
    assert (effect.state, effect.before["quantity"], effect.after["quantity"]) == (EffectState.WITHHELD, "17", "5")
    assert hub.run("export_stock").withheld == 1
    assert hub.shop.calls == []


def test_taking_over_the_shops_level_leaves_no_difference_and_is_undone(hub: TellingHub) -> None:
    hub.go_live()
    hub.shop.put(a_level("00", 17))
    found = check(hub)
    repair(hub, *found, direction=Direction.ADOPT)
    assert on_hand(hub, "00") == 17
    assert check(hub) == []
    assert hub.run("export_stock").unchanged == len(ITEMS)

    assert undo(hub, *found) == 1
    assert on_hand(hub, "00") == 5
    [again] = check(hub)
    assert (again.id, again.hub, again.remote) == (found[0].id, 5, 17)


def test_taking_over_counts_what_is_promised_on_top(hub: TellingHub) -> None:
    hub.shop.put(an_order(lines=(a_line("00", 2),)), a_level("00", 3))
    hub.run("import_new_orders")
    hub.shop.put(a_level("00", 17))
    repair(hub, *check(hub), direction=Direction.ADOPT)
    assert on_hand(hub, "00") == 19
    assert check(hub) == []


def test_taking_over_a_level_the_hub_does_not_hold_starts_it(hub: TellingHub) -> None:
    hub.shop.put(a_product("99"), a_level("99", 4))
    hub.run("update_products")
    found = check(hub)
    with pytest.raises(UserError, match="no level of it to send"):
        repair(hub, *found, direction=Direction.SEND)
    repair(hub, *found, direction=Direction.ADOPT)
    assert on_hand(hub, "99") == 4
    assert check(hub) == []


def test_a_repair_that_was_not_sent_yet_is_undone_without_a_trace_in_the_shop(hub: TellingHub) -> None:
    hub.go_live()
    hub.shop.put(a_level("00", 17))
    found = check(hub)
    repair(hub, *found, direction=Direction.SEND)
    undo(hub, *found)
    assert hub.run("export_stock").updated == 0
    assert hub.shop.level("00") == 17
    assert [row.id for row in check(hub)] == [found[0].id]


def test_a_repair_that_was_sent_is_undone_by_restoring_what_the_shop_showed(hub: TellingHub) -> None:
    hub.go_live()
    hub.shop.put(a_level("00", 17))
    found = check(hub)
    repair(hub, *found, direction=Direction.SEND)
    hub.run("export_stock")
    assert hub.shop.level("00") == 5
    undo(hub, *found)
    hub.run("export_stock")
    assert hub.shop.level("00") == 17
    assert check(hub) == []


def test_accepted_differences_ring_no_more_and_can_be_opened_again(hub: TellingHub) -> None:
    hub.shop.put(a_level("00", 17))
    found = check(hub)
    hub.database.write(lambda unit: repairs.accept(unit, [found[0].id], person="ada"))
    assert check(hub) == []
    assert hub.issues() == []
    undo(hub, *found)
    assert [row.id for row in check(hub)] == [found[0].id]


def test_what_settles_by_itself_or_is_not_linked_is_not_repaired(hub: TellingHub) -> None:
    hub.shop.remove(StockLevel, "row-01")
    hub.run("import_new_orders")
    hub.shop.put(an_order(lines=(a_line("00", 2),)), a_level("00", 3))
    in_flight, unlinked = check(hub)
    with pytest.raises(UserError, match="settles by itself"):
        repair(hub, in_flight, direction=Direction.SEND)
    with pytest.raises(UserError, match="one side only"):
        repair(hub, unlinked, direction=Direction.ADOPT)
    assert hub.effects() == []


def test_a_repair_supersedes_what_waited_and_every_step_is_logged(hub: TellingHub) -> None:
    hub.count("00", 9)
    hub.run("export_stock")
    hub.shop.put(a_level("00", 17))
    found = check(hub)
    repair(hub, *found, direction=Direction.SEND, withheld_because="Test mode.")
    assert [effect.state for effect in hub.effects()] == [EffectState.SUPERSEDED, EffectState.WITHHELD]
    undo(hub, *found)
    with pytest.raises(UserError, match="Nothing was done"):
        undo(hub, *found)
    actions = [row.action for row in hub.database.read(audit.latest)]
    assert actions[:2] == ["undo_repair", "repair_send"]


def test_nothing_is_done_about_differences_that_are_gone(hub: TellingHub) -> None:
    hub.shop.put(a_level("00", 17))
    found = check(hub)
    hub.shop.put(a_level("00", 5))
    check(hub)
    assert hub.database.read(lambda unit: differences.get(unit, [found[0].id]))[0].state is DifferenceState.GONE
    with pytest.raises(UserError, match="open any more"):
        repair(hub, *found, direction=Direction.ADOPT)
