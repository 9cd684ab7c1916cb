"""The stock check: both sides compared, each difference explained, nothing changed."""

import pytest
from msgspec.structs import replace

from domain.errors import NeedsAttention, RemoteContractError, UserError
from domain.records import StockLevel
from domain.rulebook import Rulebook
from engine.connector import StockMeaning
from engine.runtime.guard import VolumeHeld
from storage.database import Database
from storage.queries import differences
from storage.queries.differences import Difference, DifferenceState, Explanation
from tests.builders import CANCELLED, UNPAID, a_level, a_line, a_product, a_variant, an_order
from tests.telling_shop import TellingHub

ITEMS = [f"{number:03}" for number in range(30)]


@pytest.fixture
def hub(database: Database) -> TellingHub:
    hub = TellingHub(database, rulebook=Rulebook(shipping_methods={"2": "parcel"}))
    hub.stocked(*ITEMS)
    return hub


def found(hub: TellingHub, *states: DifferenceState) -> dict[str, Difference]:
    lines = hub.database.read(
        lambda unit: differences.listed(unit, states=states or (DifferenceState.OPEN,), count=1000)
    )
    return {line.difference.target: line.difference for line in lines}


def only(hub: TellingHub) -> Difference:
    [difference] = found(hub).values()
    return difference


def test_equal_levels_are_no_difference_and_every_level_is_counted(hub: TellingHub) -> None:
    tally = hub.run("check_stock")
    assert (tally.unchanged, tally.read) == (30, 30)
    assert found(hub) == {}
    assert hub.issues() == []


def test_a_level_changed_in_the_shop_is_named_and_rings(hub: TellingHub) -> None:
    hub.shop.put(a_level("001", 17))
    tally = hub.run("check_stock")
    assert (tally.failed, tally.unchanged, tally.read) == (1, 29, 30)
    difference = only(hub)
    assert (difference.explanation, difference.hub, difference.remote) == (Explanation.CHANGED_REMOTELY, 5, 17)
    [issue] = hub.issues()
    assert issue.cause == "check_stock:levels:differ"

    hub.shop.put(a_level("001", 5))
    hub.run("check_stock")
    assert found(hub) == {}
    assert set(found(hub, DifferenceState.GONE)) == {"001"}
    assert hub.issues() == []


@pytest.mark.parametrize("order", [an_order(), an_order(status=UNPAID)])
def test_an_order_the_hub_has_not_seen_accounts_for_what_the_shop_sold(hub: TellingHub, order: object) -> None:
    hub.run("import_new_orders")
    hub.shop.put(replace(order, lines=(a_line("001", 2),)))  # type: ignore[type-var]
    hub.shop.put(a_level("001", 3))
    assert hub.run("check_stock").waiting == 1
    assert only(hub).explanation is Explanation.IN_FLIGHT
    assert hub.issues() == []


def test_a_cancelled_order_accounts_for_nothing(hub: TellingHub) -> None:
    hub.shop.put(an_order(status=CANCELLED, lines=(a_line("001", 2),)), a_level("001", 3))
    hub.run("check_stock")
    assert only(hub).explanation is Explanation.CHANGED_REMOTELY


def test_an_order_that_cannot_be_read_accounts_for_nothing(hub: TellingHub) -> None:
    hub.shop.spoil(type(an_order()), "100", NeedsAttention("Broken.", cause="odd"))
    hub.shop.put(a_level("001", 3))
    hub.run("check_stock")
    assert only(hub).explanation is Explanation.CHANGED_REMOTELY


def test_an_imported_order_of_the_shop_makes_no_difference(hub: TellingHub) -> None:
    hub.shop.put(an_order(lines=(a_line("001", 2),)), a_level("001", 3))
    hub.run("import_new_orders")
    assert hub.run("check_stock").unchanged == 30
    hub.go_live()
    assert hub.run("export_stock").updated == 0


def test_a_level_the_shop_was_not_told_yet_is_a_pending_export(hub: TellingHub) -> None:
    hub.count("001", 9)
    hub.run("check_stock")
    assert only(hub).explanation is Explanation.PENDING_EXPORT
    assert only(hub).detail == "The shop shows the 5 it was last told. The new level goes with the next export."
    hub.run("export_stock")
    hub.run("check_stock")
    assert only(hub).detail.endswith("It is withheld.")


def test_an_order_and_a_level_not_told_yet_add_up(hub: TellingHub) -> None:
    hub.shop.put(an_order(lines=(a_line("001", 2),)), a_level("001", 3))
    hub.run("import_new_orders")
    hub.count("001", 9)
    hub.run("check_stock")
    assert only(hub).explanation is Explanation.PENDING_EXPORT
    assert only(hub).detail.startswith("2 sold there by orders of this shop, which are counted here too.")


def test_a_level_changed_on_both_sides_says_so(hub: TellingHub) -> None:
    hub.count("001", 9)
    hub.shop.put(a_level("001", 17))
    hub.run("check_stock")
    assert only(hub).explanation is Explanation.PENDING_EXPORT
    assert "it changed there too" in only(hub).detail


def test_a_backorder_below_zero_is_accounted_for_by_its_order(hub: TellingHub) -> None:
    hub.count("001", 0)
    hub.shop.put(a_level("001", 0))
    hub.run("check_stock")
    hub.shop.put(an_order(lines=(a_line("001", 2),)), a_level("001", -2))
    hub.run("import_new_orders")
    hub.run("check_stock")
    assert only(hub).explanation is Explanation.IN_FLIGHT


def test_items_known_on_one_side_only_are_unlinked(hub: TellingHub) -> None:
    hub.shop.put(a_level("999", 4))
    hub.shop.remove(StockLevel, "row-001")
    tally = hub.run("check_stock")
    assert (tally.skipped, tally.read) == (2, 31)
    differing = found(hub)
    assert {target: (item.hub, item.remote) for target, item in differing.items()} == {
        "999": (None, 4),
        "001": (5, None),
    }
    assert {item.explanation for item in differing.values()} == {Explanation.UNLINKED}


def test_an_item_shown_twice_does_not_stand_in_for_one_not_shown(hub: TellingHub) -> None:
    hub.shop.put(a_level("002", remote_id="row-999"))
    hub.shop.remove(StockLevel, "row-001")
    hub.run("check_stock")
    assert found(hub)["001"].remote is None


def test_an_item_the_hub_holds_no_level_of_is_unknown(hub: TellingHub) -> None:
    hub.shop.put(a_product("999"), a_level("999", 4))
    hub.run("update_products")
    hub.run("check_stock")
    assert (only(hub).explanation, only(hub).hub) == (Explanation.UNKNOWN, None)


def test_a_product_sold_as_variants_has_no_level_of_its_own(hub: TellingHub) -> None:
    hub.shop.put(a_product("999", variants=(a_variant("999-1"),)), a_level("999", 4))
    hub.run("update_products")
    assert hub.run("check_stock").unchanged == 31


def test_a_shop_that_shows_what_is_on_hand_subtracts_its_own_orders_itself(hub: TellingHub) -> None:
    hub.shop.meaning = StockMeaning.ON_HAND
    hub.reconnect()
    hub.shop.put(an_order(lines=(a_line("001", 2),)))
    hub.run("import_new_orders")
    assert hub.run("check_stock").unchanged == 30
    hub.shop.put(a_level("001", 4))
    hub.run("check_stock")
    assert only(hub).explanation in (Explanation.CHANGED_REMOTELY, Explanation.IN_FLIGHT)


@pytest.mark.parametrize("left", [0, 15])
def test_an_answer_with_too_little_in_it_is_not_compared(hub: TellingHub, left: int) -> None:
    for item in ITEMS[left:]:
        hub.shop.remove(StockLevel, f"row-{item}")
    with pytest.raises(VolumeHeld if left else RemoteContractError):
        hub.run("check_stock")
    assert found(hub) == {}


def test_a_level_that_cannot_be_read_fails_alone(hub: TellingHub) -> None:
    hub.shop.spoil(StockLevel, "row-001", NeedsAttention("Not a number.", cause="quantity"))
    hub.shop.put(a_level("002", 17))
    tally = hub.run("check_stock")
    assert (tally.failed, tally.unchanged) == (2, 28)


def test_one_item_can_be_checked_alone(hub: TellingHub) -> None:
    hub.shop.put(a_level("001", 17), a_level("002", 17))
    assert hub.run("check_stock", scope={"ids": ["row-001"]}).failed == 1
    assert set(found(hub)) == {"001"}
    assert hub.run("check_stock", scope={"find": "row-002"}).failed == 1
    assert set(found(hub)) == {"001", "002"}
    with pytest.raises(UserError):
        hub.run("check_stock", scope={"find": "shoe"})


def test_an_accepted_difference_stays_accepted_until_a_level_changes(hub: TellingHub) -> None:
    hub.shop.put(a_level("001", 17))
    hub.run("check_stock")
    hub.database.write(
        lambda unit: (
            differences.change_state(unit, [only_id], to=DifferenceState.ACCEPTED)
            if (only_id := only(hub).id)
            else None
        )
    )
    hub.run("check_stock")
    assert set(found(hub, DifferenceState.ACCEPTED)) == {"001"}
    assert hub.issues() == []
    hub.shop.put(a_level("001", 18))
    hub.run("check_stock")
    assert set(found(hub)) == {"001"}


def test_labelled_gaps_are_all_named(hub: TellingHub) -> None:
    """Thirty gaps of three sorts, each made the way it comes about."""
    hub.run("import_new_orders")
    for number, item in enumerate(ITEMS):
        if number % 3 == 0:
            hub.shop.put(an_order(f"1{item}", lines=(a_line(item, 1 + number % 4),)))
            hub.shop.put(a_level(item, 5 - (1 + number % 4)))
        elif number % 3 == 1:
            hub.count(item, 6 + number % 4)
        else:
            hub.shop.put(a_level(item, 6 + number % 4))
    hub.run("check_stock")
    sorts = (Explanation.IN_FLIGHT, Explanation.PENDING_EXPORT, Explanation.CHANGED_REMOTELY)
    assert {item: row.explanation for item, row in found(hub).items()} == {
        item: sorts[number % 3] for number, item in enumerate(ITEMS)
    }
