"""Confirming shipments: number first, status once, mails as chosen."""

from collections.abc import Iterator

import pytest

from connectors.prestashop.simulator import SAMPLE_KEY, build_sample_shop
from domain.errors import NotFound, OutcomeUnknown, RequestRefused, Withheld
from domain.records import Shipment
from engine.connector import Change, Receipt
from engine.http.gate import shut
from tests.connectors.prestashop.opened import Between, Opened, opened


@pytest.fixture(params=["8.2.1 json", "8.2.1 xml", "1.7.8.11 json", "1.6.1.24 xml"])
def sample(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Shops that can change single fields, and shops that need the whole row back."""
    version, _, chosen = request.param.partition(" ")
    with opened(build_sample_shop(version=version), format=chosen) as shop:
        yield shop


def change(order: object, tracking_number: str = "TRACK 1", carrier: str = "") -> Change:
    """As the engine makes them."""
    after = {"remote_id": "1", "order_remote_id": str(order), "tracking_number": tracking_number, "carrier": carrier}
    return Change(identity="shipment:1", target=str(order), before=None, after=after)


def parcels(shop: Opened, order: int) -> list[tuple[str, int]]:
    """Numbers and carriers."""
    rows = shop.shop.tables["order_carriers"].related("id_order", order)
    return [(str(row.get("tracking_number") or ""), int(str(row.get("id_carrier", 0)))) for row in rows]


def writes(shop: Opened) -> list[str]:
    """Methods and resources of what was written."""
    return [line.replace("/api/", "").split("&id_shop")[0] for line in shop.requests() if not line.startswith("GET")]


def paid_order(shop: Opened, **fields: object) -> int:
    """An order that can be sent."""
    return int(shop.shop.place_order(3, [(6, 1)], state=2, **fields))  # type: ignore[arg-type]


def test_the_number_is_written_first_and_then_the_status_with_its_mail(sample: Opened) -> None:
    """So that the mail can show the number; the mail for a package in transit would be a second one."""
    order = paid_order(sample)
    receipt = sample.send(Shipment, change(order, "JJD 0001"))
    assert receipt == [
        Receipt(evidence={"order": str(order), "status": "4", "tracking_numbers": ["JJD 0001"]}),
    ]
    verb = "PATCH" if sample.account.facts.version >= (8,) else "PUT"
    assert writes(sample) == [f"{verb} order_carriers", "POST order_histories?sendemail=1"]
    assert parcels(sample, order) == [("JJD 0001", 2)]
    assert sample.shop.number("orders", order, "current_state") == 4


def test_nothing_else_of_a_parcel_changes(sample: Opened) -> None:
    """Weight and costs would be zeroed by a careless PUT."""
    order = paid_order(sample)
    row = sample.shop.tables["order_carriers"].related("id_order", order)[0]
    before = {name: str(value) for name, value in row.items() if name != "tracking_number"}
    sample.send(Shipment, change(order, "JJD 0001"))
    assert {name: str(value) for name, value in row.items() if name != "tracking_number"} == before


def test_no_mail_is_sent_where_the_shop_shall_send_none() -> None:
    """A setting of the integration."""
    with opened(build_sample_shop(), sends_customer_mails=False) as shop:
        shop.send(Shipment, change(paid_order(shop)))
        assert writes(shop) == ["PATCH order_carriers", "POST order_histories"]


def test_a_shipment_confirmed_twice_is_confirmed_once(sample: Opened) -> None:
    """A status set again would add a row and a mail."""
    order = paid_order(sample)
    assert sample.look_up(Shipment, change(order)) == [None]
    sample.send(Shipment, change(order))
    sample.requests()
    again = sample.send(Shipment, change(order))
    assert isinstance(again[0], Receipt)
    assert again[0].was_found
    assert writes(sample) == []
    found = sample.look_up(Shipment, change(order))
    assert isinstance(found[0], Receipt)


def test_a_further_parcel_gets_a_row_of_its_own(sample: Opened) -> None:
    """Also two in one go; the first parcel's mail comes with the status, the second's with the parcel."""
    order = paid_order(sample)
    receipts = sample.send(Shipment, change(order, "FIRST"), change(order, "SECOND"))
    assert [type(receipt) for receipt in receipts] == [Receipt] * 2
    assert parcels(sample, order) == [("FIRST", 2), ("SECOND", 2)]
    assert writes(sample)[1:] == ["POST order_histories?sendemail=1", "POST order_carriers?sendemail=1"]


def test_the_carrier_used_is_told_by_its_reference(sample: Opened) -> None:
    """What stands behind the reference today, even after the carrier was edited."""
    new = sample.shop.edit_carrier(1, name="Collect, edited")
    order = paid_order(sample)
    sample.send(Shipment, change(order, "FIRST", carrier="1"))
    assert parcels(sample, order) == [("FIRST", new)]


def test_a_carrier_the_shop_no_longer_has_leaves_the_order_s_own(sample: Opened) -> None:
    """The number is worth more than the name of the carrier."""
    order = paid_order(sample)
    sample.send(Shipment, change(order, "FIRST", carrier="77"))
    assert parcels(sample, order) == [("FIRST", 2)]


def test_a_virtual_order_has_no_parcel_and_is_set_to_shipped(sample: Opened) -> None:
    """There is nowhere to write a number."""
    order = int(sample.shop.place_order(3, [(12, 1)], carrier=0, state=2))
    assert isinstance(sample.send(Shipment, change(order))[0], Receipt)
    assert writes(sample) == ["POST order_histories?sendemail=1"]


def test_without_a_number_only_the_status_is_set(sample: Opened) -> None:
    """Collected in the store."""
    order = paid_order(sample, carrier=1)
    sample.send(Shipment, change(order, ""))
    assert writes(sample) == ["POST order_histories?sendemail=1"]


def test_an_order_delivered_meanwhile_is_not_set_back(sample: Opened) -> None:
    """Only its number is added."""
    order = paid_order(sample)
    sample.shop.set_state(order, 5)
    sample.send(Shipment, change(order))
    assert sample.shop.number("orders", order, "current_state") == 5
    assert [line.split("?")[0].split()[1] for line in writes(sample)] == ["order_carriers"]


def test_an_order_cancelled_meanwhile_is_left_alone(sample: Opened) -> None:
    """A person has to look at it."""
    order = paid_order(sample)
    sample.shop.cancel(order)
    outcome = sample.send(Shipment, change(order))[0]
    assert isinstance(outcome, RequestRefused)
    assert "was cancelled or refunded" in outcome.message
    assert writes(sample) == []


def test_the_status_can_be_chosen() -> None:
    """Shops add statuses of their own."""
    with opened(build_sample_shop(), shipped_status=5) as shop:
        order = paid_order(shop)
        shop.send(Shipment, change(order))
        assert shop.shop.number("orders", order, "current_state") == 5


def test_an_order_that_is_gone_is_told(sample: Opened) -> None:
    """And does not keep the others."""
    order = paid_order(sample)
    outcomes = sample.send(Shipment, change(99999), change(order), change("nonsense"))
    assert [type(outcome) for outcome in outcomes] == [NotFound, Receipt, NotFound]
    assert sample.look_up(Shipment, change(99999)) == [None]
    assert sample.look_up(Shipment, change("nonsense")) == [None]


def test_a_number_the_shop_does_not_take_is_refused_and_the_status_is_not_set(sample: Opened) -> None:
    """With the shop's own words."""
    order = paid_order(sample)
    outcomes = sample.send(Shipment, change(order, "<script>"), change(order, "A\x01B"))
    assert [type(outcome) for outcome in outcomes] == [RequestRefused] * 2
    assert sample.shop.number("orders", order, "current_state") == 2


def test_a_confirmation_of_unknown_outcome_is_finished_by_the_next_try(sample: Opened) -> None:
    """Cut off between number and status, or behind both: nothing happens twice."""
    order = paid_order(sample)
    sample.server.faults.add("cut_after_write", method="POST", path="order_histories")
    assert isinstance(sample.send(Shipment, change(order))[0], OutcomeUnknown)
    assert isinstance(sample.look_up(Shipment, change(order))[0], Receipt)
    other = paid_order(sample)
    sample.server.faults.add("cut_after_write", method=["PATCH", "PUT"][sample.account.facts.version < (8,)])
    assert isinstance(sample.send(Shipment, change(other))[0], OutcomeUnknown)
    assert sample.look_up(Shipment, change(other)) == [None]
    assert isinstance(sample.send(Shipment, change(other))[0], Receipt)
    assert parcels(sample, other) == [("TRACK 1", 2)]
    states = [row["id_order_state"] for row in sample.shop.tables["order_histories"].related("id_order", other)]
    assert states.count(4) == 1


def test_a_parcel_that_vanishes_before_it_is_written_back_is_not_found() -> None:
    """Shops that need the whole row read it once more."""
    with opened(build_sample_shop(version="1.7.8.11")) as shop:
        order = paid_order(shop)
        row = int(str(shop.shop.tables["order_carriers"].related("id_order", order)[0]["id"]))
        shop.account.door = Between(
            shop.door, "order_carriers", "full", lambda: shop.shop.delete("order_carriers", row)
        )
        assert [type(outcome) for outcome in shop.send(Shipment, change(order))] == [NotFound]


def test_a_shut_gate_withholds_every_change_and_nothing_leaves() -> None:
    """Test mode."""
    with opened(build_sample_shop(), gate=shut) as shop:
        assert [type(outcome) for outcome in shop.send(Shipment, change(paid_order(shop)))] == [Withheld]
        assert [entry for entry in shop.server.ledger.recent if entry.method != "GET"] == []


def test_a_key_without_the_right_to_patch_writes_the_whole_row() -> None:
    """As before PrestaShop 8."""
    sample = build_sample_shop()
    with opened(sample) as shop:
        rights = dict.fromkeys(("orders", "order_states", "carriers", "configurations"), ("GET",))
        writing = dict.fromkeys(("order_carriers", "order_histories"), ("GET", "PUT", "POST"))
        sample.add_key(SAMPLE_KEY, rights=rights | writing)
        assert isinstance(shop.send(Shipment, change(paid_order(shop)))[0], Receipt)
        assert writes(shop)[0] == "PUT order_carriers"
