"""Export: what is planned, what is withheld, and what takes the place of what."""

from dataclasses import replace as with_changes

import pytest

from domain.errors import Unavailable, UserError
from engine.runtime.guard import VolumeHeld
from engine.runtime.outbound import withheld
from storage.database import Database
from storage.rows import EffectState
from storage.tables import executions as executions_table
from storage.tables import installation
from tests.builders import a_product
from tests.telling_shop import TellingHub


@pytest.fixture
def hub(database: Database) -> TellingHub:
    return TellingHub(database)


def test_in_test_mode_a_change_is_withheld_with_before_after_and_reason(hub: TellingHub) -> None:
    hub.stocked("1", "2")
    hub.count("1", 9)
    tally = hub.run("export_stock")
    assert (tally.withheld, tally.unchanged, tally.read) == (1, 1, 2)
    [effect] = hub.effects()
    assert (effect.state, effect.before["quantity"], effect.after["quantity"]) == (EffectState.WITHHELD, "5", "9")
    assert effect.reason == "The integration is in test mode."
    assert hub.shop.calls == []


def test_in_production_a_change_is_sent_once_and_has_a_receipt(hub: TellingHub) -> None:
    hub.stocked("1", "2")
    hub.go_live()
    hub.count("1", 9)
    assert hub.run("export_stock").updated == 1
    [effect] = hub.effects()
    assert (effect.state, effect.attempts, effect.receipt["evidence"]) == (EffectState.DONE, 1, {"seen": "1"})
    assert hub.shop.level("1") == 9
    again = hub.run("export_stock")
    assert (again.updated, again.unchanged) == (0, 2)
    assert len(hub.shop.ledger) == 1


def test_a_newer_value_takes_the_place_of_a_withheld_one(hub: TellingHub) -> None:
    hub.stocked("1")
    for on_hand in (9, 8, 8):
        hub.count("1", on_hand)
        assert hub.run("export_stock").withheld == 1
    assert [effect.after["quantity"] for effect in hub.effects(EffectState.WITHHELD)] == ["8"]
    assert [effect.after["quantity"] for effect in hub.effects(EffectState.SUPERSEDED)] == ["9"]


def test_a_withheld_value_that_is_no_longer_needed_disappears(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.count("1", 9)
    hub.run("export_stock")
    hub.count("1", 5)
    assert hub.run("export_stock").unchanged == 1
    assert hub.effects(EffectState.WITHHELD) == []


def test_after_going_live_stock_is_computed_afresh(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.count("1", 9)
    hub.run("export_stock")
    hub.count("1", 7)
    hub.go_live()
    assert hub.run("export_stock").updated == 1
    assert [change.after["quantity"] for change in hub.shop.ledger] == ["7"]
    assert hub.effects(EffectState.WITHHELD) == []


def test_after_going_live_an_equal_withheld_value_is_planned_anew(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.count("1", 9)
    hub.run("export_stock")
    hub.go_live()
    assert hub.run("export_stock").updated == 1
    assert [effect.state for effect in hub.effects()] == [EffectState.SUPERSEDED, EffectState.DONE]


def test_a_flow_that_is_not_live_withholds_in_production(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.go_live("confirm_shipments")
    hub.count("1", 9)
    assert hub.run("export_stock").withheld == 1
    assert hub.effects()[0].reason == "This flow is not live yet."


def test_a_copied_database_withholds_until_somebody_confirms_it(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.go_live()
    hub.count("1", 9)
    hub.database.write(lambda unit: unit.connection.execute(installation.update().values(confirmed_at=None)))
    assert hub.run("export_stock").withheld == 1
    assert hub.shop.calls == []


def test_what_was_pending_before_the_switch_to_test_is_withheld(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.go_live()
    hub.count("1", 9)
    hub.shop.refuses = lambda _change: Unavailable("The shop is down.")
    with pytest.raises(Unavailable):
        hub.run("export_stock")
    assert hub.effects()[0].state is EffectState.PENDING
    hub.back_to_test()
    assert hub.run("export_stock").withheld == 1
    assert [effect.state for effect in hub.effects()] == [EffectState.WITHHELD]


def test_a_discarded_value_stays_discarded_in_test_mode_and_is_computed_afresh_in_production(hub: TellingHub) -> None:
    hub.stocked("1")
    hub.count("1", 9)
    hub.run("export_stock")
    [effect] = hub.effects()
    hub.database.write(lambda unit: withheld.discard(unit, [effect.id], person="ada"))
    assert hub.run("export_stock").skipped == 1
    hub.go_live()
    assert hub.run("export_stock").updated == 1


def test_an_item_no_warehouse_holds_a_level_of_is_left_alone(hub: TellingHub) -> None:
    hub.shop.put(a_product("1"))
    hub.run("update_products")
    hub.go_live()
    assert hub.run("export_stock").read == 0
    assert hub.shop.calls == []


def test_one_item_can_be_exported_alone(hub: TellingHub) -> None:
    hub.stocked("1", "2")
    hub.go_live()
    hub.count("1", 9)
    hub.count("2", 9)
    assert hub.run("export_stock", scope={"find": "sku-2"}).updated == 1
    assert hub.run("export_stock", scope={"ids": ["1"]}).updated == 1
    assert [change.target for change in hub.shop.ledger] == ["2", "1"]
    with pytest.raises(UserError, match="no item called “shoe”"):
        hub.run("export_stock", scope={"find": "shoe"})


def test_a_run_that_would_show_too_much_as_sold_out_sends_nothing_until_it_is_accepted(hub: TellingHub) -> None:
    items = [f"{number:02}" for number in range(20)]
    hub.stocked(*items)
    hub.go_live()
    for item in items[:15]:
        hub.count(item, 0)
    with pytest.raises(VolumeHeld, match="15 of 20"):
        hub.run("export_stock")
    assert hub.shop.calls == []
    assert hub.effects(EffectState.PENDING) == []
    assert hub.run("export_stock", accepts_volume=True).updated == 15
    assert hub.shop.level("00") == 0


def test_an_interrupted_attempt_is_not_counted_twice(hub: TellingHub) -> None:
    hub.stocked("1", "2", "3")
    hub.go_live()
    hub.count("1", 9)
    hub.count("2", 9)
    run = hub.claim("export_stock")
    hub.work(run)
    hub.database.write(
        lambda unit: unit.connection.execute(
            executions_table.update().where(executions_table.c.id == run.execution.id).values(attempt=2)
        )
    )
    second = hub.attempt(with_changes(run.execution, attempt=2), run.feed)
    hub.work(second)
    assert (second.tally.updated, second.tally.unchanged, second.tally.read) == (2, 1, 3)
    assert len(hub.shop.ledger) == 2
