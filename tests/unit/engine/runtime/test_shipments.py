"""Shipments: the order is shipped here, the stock goes down, the shop is told once."""

from decimal import Decimal

import pytest

from domain.errors import RequestRefused, UserError
from domain.rulebook import Rulebook
from engine.runtime.outbound import shipments, withheld
from storage.database import Database
from storage.queries import records, stock
from storage.rows import EffectState
from tests.builders import a_level, a_line, an_order
from tests.telling_shop import TellingHub, no_answer


@pytest.fixture
def hub(database: Database) -> TellingHub:
    hub = TellingHub(database, rulebook=Rulebook(shipping_methods={"2": "parcel", "3": "parcel", "9": "truck"}))
    hub.stocked("1")
    hub.shop.put(an_order(lines=(a_line("1", 2),)), a_level("1", 3))
    hub.run("import_new_orders")
    return hub


def order_id(hub: TellingHub, number: str = "ORDER100") -> int:
    [row] = hub.database.read(lambda unit: records.listed(unit, kind="order", text=number))
    return row.id


def ship(hub: TellingHub, *, carrier: str = "parcel", tracking: str = "T1", number: str = "ORDER100") -> int:
    chosen = order_id(hub, number)
    return hub.database.write(
        lambda unit: shipments.ship(
            unit, chosen, carrier=carrier, tracking_number=tracking, warehouses=("main",), person="ada"
        )
    )


def test_shipping_an_order_takes_its_lines_from_the_stock_and_frees_what_was_reserved(hub: TellingHub) -> None:
    ship(hub)
    record_id = hub.record_id("1")
    assert hub.database.read(lambda unit: stock.levels_of(unit, record_id)) == {"main": Decimal(3)}
    assert hub.database.read(lambda unit: stock.own_reservations(unit, hub.integration_id, [record_id])) == {}
    assert hub.database.read(lambda unit: stock.movements(unit, record_id))[0].reason == "order ORDER100 shipped"
    hub.go_live()
    hub.run("export_stock")
    assert hub.shop.level("1") == 3


def test_an_order_is_shipped_once(hub: TellingHub) -> None:
    ship(hub)
    with pytest.raises(UserError, match="is shipped"):
        ship(hub)
    with pytest.raises(UserError, match="no order with the id"):
        hub.database.write(
            lambda unit: shipments.ship(
                unit, 999_999, carrier="parcel", tracking_number="", warehouses=("main",), person="ada"
            )
        )


def test_an_order_that_is_delivered_needs_a_carrier(hub: TellingHub) -> None:
    with pytest.raises(UserError, match="with which carrier"):
        ship(hub, carrier="")


def test_the_shop_is_told_the_method_ordered_when_it_stands_for_the_carrier_used(hub: TellingHub) -> None:
    ship(hub)
    hub.go_live()
    assert hub.run("confirm_shipments").updated == 1
    [change] = hub.shop.ledger
    assert (change.target, change.after["carrier"], change.after["tracking_number"]) == ("100", "2", "T1")
    assert hub.run("confirm_shipments").read == 0
    assert len(hub.shop.ledger) == 1


def test_the_shop_is_told_the_one_method_mapped_to_another_carrier(hub: TellingHub) -> None:
    ship(hub, carrier="truck")
    hub.go_live()
    hub.run("confirm_shipments")
    assert hub.shop.ledger[0].after["carrier"] == "9"


def test_a_carrier_no_method_stands_for_is_an_error_that_is_gone_once_it_is_mapped(hub: TellingHub) -> None:
    ship(hub, carrier="pigeon")
    hub.go_live()
    assert hub.run("confirm_shipments").failed == 1
    [issue] = hub.issues()
    assert "pigeon" in issue.message
    assert hub.effects() == []
    hub.rulebook = Rulebook(shipping_methods={"2": "parcel", "7": "pigeon"})
    assert hub.run("confirm_shipments").updated == 1
    assert hub.issues() == []


def test_an_order_shipped_there_already_gets_a_receipt_and_nobody_is_told_twice(hub: TellingHub) -> None:
    ship(hub)
    hub.go_live()
    hub.shop.tracking["100"] = "T1"
    assert hub.run("confirm_shipments").updated == 1
    assert hub.shop.calls == []
    assert hub.effects()[0].receipt["was_found"] is True


def test_when_looking_first_tells_nothing_the_shipment_is_sent(hub: TellingHub) -> None:
    ship(hub)
    hub.go_live()
    hub.shop.blind = no_answer
    assert hub.run("confirm_shipments").updated == 1
    assert len(hub.shop.ledger) == 1


def test_withheld_shipments_do_not_leave_by_themselves_after_going_live(hub: TellingHub) -> None:
    ship(hub)
    assert hub.run("confirm_shipments").withheld == 1
    hub.go_live()
    assert hub.run("confirm_shipments").withheld == 1
    assert hub.shop.calls == []
    [effect] = hub.effects()
    hub.database.write(lambda unit: withheld.release(unit, [effect.id], withheld_because="", person="ada"))
    assert hub.run("confirm_shipments").updated == 1
    assert hub.effects()[0].identity == effect.identity


def test_a_discarded_shipment_is_not_planned_again(hub: TellingHub) -> None:
    ship(hub)
    hub.run("confirm_shipments")
    [effect] = hub.effects()
    hub.database.write(lambda unit: withheld.discard(unit, [effect.id], person="ada"))
    hub.go_live()
    assert hub.run("confirm_shipments").skipped == 1
    assert hub.shop.calls == []


def test_a_withheld_shipment_follows_the_mapping(hub: TellingHub) -> None:
    ship(hub, carrier="truck")
    hub.run("confirm_shipments")
    hub.rulebook = Rulebook(shipping_methods={"2": "parcel", "8": "truck"})
    hub.run("confirm_shipments")
    [effect] = hub.effects()
    assert (effect.state, effect.after["carrier"]) == (EffectState.WITHHELD, "8")


def test_a_refused_shipment_is_tried_again_under_the_same_identity(hub: TellingHub) -> None:
    ship(hub)
    hub.go_live()
    hub.shop.refuses = lambda _change: RequestRefused("Not in this status.", status=400)
    assert hub.run("confirm_shipments").failed == 1
    hub.shop.refuses = lambda _change: None
    assert hub.run("confirm_shipments").updated == 1
    assert hub.shop.calls[0] == hub.shop.calls[1]


def test_a_shipment_a_person_says_arrived_is_confirmed(hub: TellingHub) -> None:
    ship(hub)
    hub.go_live()
    hub.shop.forgets = no_answer
    hub.shop.blind = no_answer
    assert hub.run("confirm_shipments").waiting == 1
    [effect] = hub.effects()
    hub.database.write(lambda unit: withheld.decide(unit, [effect.id], has_happened=True, person="ada"))
    assert hub.run("confirm_shipments").unchanged == 1
    assert hub.run("confirm_shipments").read == 0


def test_one_order_can_be_confirmed_alone(hub: TellingHub) -> None:
    hub.shop.put(an_order("101"))
    hub.run("import_new_orders")
    ship(hub)
    ship(hub, number="ORDER101", tracking="T2")
    hub.go_live()
    assert hub.run("confirm_shipments", scope={"find": "ORDER101"}).updated == 1
    assert hub.run("confirm_shipments", scope={"ids": ["100"]}).updated == 1
    assert [change.target for change in hub.shop.ledger] == ["101", "100"]
    with pytest.raises(UserError, match="no order called"):
        hub.run("confirm_shipments", scope={"find": "ORDER999"})


def test_an_order_without_delivery_needs_no_carrier(hub: TellingHub) -> None:
    hub.shop.put(an_order("101", needs_shipping=False, shipping_code=""))
    hub.run("import_new_orders")
    ship(hub, number="ORDER101", carrier="", tracking="")
    hub.go_live()
    assert hub.run("confirm_shipments").updated == 1
    assert "carrier" not in hub.shop.ledger[0].after
