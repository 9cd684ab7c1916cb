"""The importer: every record saved or explained, nothing doubled, nothing mass-changed."""

from dataclasses import replace as with_changes
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.errors import Cancelled, LeaseLost, NeedsAttention, Unavailable, UnexpectedFormat, UserError
from domain.records import Money, Order, Product, Supplier
from domain.rulebook import Fate, PaymentRule, Rulebook
from engine.runtime.guard import VolumeHeld
from storage.database import Database
from storage.queries import executions, held, records, references, stock
from storage.rows import State
from tests.builders import CANCELLED, SHIPPED, UNPAID, a_level, a_line, a_product, a_variant, an_order
from tests.hub import Hub
from tests.moving import MovableClock


@pytest.fixture
def hub(database: Database) -> Hub:
    return Hub(database, rulebook=Rulebook(shipping_methods={"2": "parcel"}))


def products(count: int, **changes: object) -> list[Product]:
    return [a_product(f"{number:03}", **changes) for number in range(1, count + 1)]


def stored(hub: Hub, kind: str = "product") -> dict[str, records.RecordRow]:
    rows = hub.database.read(lambda unit: records.listed(unit, kind=kind, count=1000))
    return {row.record.remote_id: row for row in rows}


def held_now(hub: Hub) -> list[held.HeldLine]:
    return hub.database.read(held.listed)


# --- products


def test_new_products_are_created_once_and_then_unchanged(hub: Hub) -> None:
    hub.shop.put(*products(25))
    assert hub.run("update_products").created == 25
    again = hub.run("update_products")
    assert (again.created, again.updated, again.unchanged) == (0, 0, 25)
    assert len(stored(hub)) == 25


def test_a_page_with_the_same_bytes_is_not_decoded_again(hub: Hub) -> None:
    hub.shop.put(*products(25))
    hub.run("update_products")
    decoded = hub.shop.pages_decoded
    hub.run("update_products")
    assert hub.shop.pages_decoded == decoded


def test_a_changed_product_is_updated_and_its_outcome_kept(hub: Hub) -> None:
    hub.shop.put(*products(12))
    hub.run("update_products")
    hub.shop.put(a_product("003", name="A better name"))
    tally = hub.run("update_products")
    assert (tally.updated, tally.unchanged) == (1, 11)
    row = stored(hub)["003"]
    assert row.record.name == "A better name"
    history = hub.database.read(
        lambda unit: __import__("storage.queries.outcomes", fromlist=["x"]).of_record(unit, row.id)
    )
    assert [line.outcome for line in history] == ["updated", "created"]


def test_import_of_new_products_leaves_known_ones_to_the_update(hub: Hub) -> None:
    hub.shop.put(a_product("001"))
    assert hub.run("import_new_products").created == 1
    hub.shop.put(a_product("001", name="Changed"), a_product("002"))
    tally = hub.run("import_new_products")
    assert (tally.created, tally.updated, tally.unchanged) == (1, 0, 1)
    assert stored(hub)["001"].record.name == "Product 001"
    assert hub.run("import_new_products").read == 0


def test_variants_have_records_of_their_own_and_go_when_they_are_no_longer_told_of(hub: Hub) -> None:
    first, second = a_variant("001-1"), a_variant("001-2")
    hub.shop.put(a_product("001", variants=(first, second)))
    hub.run("update_products")
    assert set(stored(hub, "variant")) == {"001-1", "001-2"}
    third = a_variant("001-3")
    hub.shop.put(a_product("001", variants=(replace(first, name="Renamed"), third)))
    hub.run("update_products")
    variants = stored(hub, "variant")
    assert variants["001-1"].record.name == "Renamed"
    assert variants["001-2"].state == "gone"
    assert variants["001-3"].state == "active"


def test_one_product_that_cannot_be_read_does_not_stop_the_others_and_is_an_issue(hub: Hub) -> None:
    hub.shop.put(*products(9))
    hub.shop.spoil(Product, "005", NeedsAttention("Its price is no number.", cause="bad_price", remedy="Correct it."))
    tally = hub.run("update_products")
    assert (tally.created, tally.failed) == (8, 1)
    (issue,) = hub.issues()
    assert (issue.message, issue.remedy, issue.records, issue.occurrences) == (
        "Its price is no number.",
        "Correct it.",
        1,
        1,
    )
    hub.shop.put(a_product("005"))
    assert hub.run("update_products").created == 1
    assert hub.issues() == []
    (closed,) = hub.issues("resolved")
    assert closed.resolved_by == "its records passed"


def test_a_page_on_which_something_failed_is_read_and_told_again_although_its_bytes_are_the_same(hub: Hub) -> None:
    hub.shop.put(*products(9))
    hub.shop.spoil(Product, "005", NeedsAttention("Bad.", cause="bad"))
    hub.run("update_products")
    again = hub.run("update_products")
    assert (again.unchanged, again.failed) == (8, 1)


def test_an_issue_whose_cause_returns_opens_again_and_not_anew(hub: Hub) -> None:
    problem = NeedsAttention("Bad.", cause="bad")
    for product in (problem, a_product("005"), problem):
        if isinstance(product, Product):
            hub.shop.put(product)
        else:
            hub.shop.spoil(Product, "005", product)
        hub.run("update_products")
    (issue,) = hub.issues()
    assert (issue.reopened, issue.occurrences, issue.records) == (1, 2, 1)


def test_ten_thousand_failures_of_three_causes_are_three_issues(hub: Hub) -> None:
    hub.shop.page_size = 100
    for number in range(300):
        hub.shop.put(a_product(f"{number:03}"))
        if number % 10 < 3:
            hub.shop.spoil(Product, f"{number:03}", NeedsAttention("Bad.", cause=f"cause-{number % 10}"))
    hub.run("update_products")
    hub.run("update_products")
    assert [(issue.records, issue.occurrences) for issue in hub.issues()] == [(30, 30)] * 3


def test_a_page_where_most_records_fail_is_a_broken_answer_and_not_a_page_of_issues(hub: Hub) -> None:
    hub.shop.page_size = 50
    for product in products(50):
        hub.shop.spoil(Product, product.remote_id, NeedsAttention("No price.", cause="no_price"))
    with pytest.raises(UnexpectedFormat, match="50 of 50"):
        hub.run("update_products")
    assert hub.issues() == []


def test_a_product_deleted_in_the_shop_is_marked_gone_and_comes_back(hub: Hub) -> None:
    hub.shop.put(*products(12))
    hub.run("update_products")
    hub.shop.remove(Product, "004")
    assert hub.run("update_products").updated == 1
    assert stored(hub)["004"].state == "gone"
    assert hub.run("update_products").updated == 0
    hub.shop.put(a_product("004"))
    assert hub.run("update_products").updated == 1
    assert stored(hub)["004"].state == "active"


# --- the volume guard


def test_an_empty_answer_where_products_were_changes_nothing_and_names_them(hub: Hub) -> None:
    hub.shop.put(*products(20))
    hub.run("update_products")
    hub.shop.shelves[Product].clear()
    with pytest.raises(VolumeHeld, match=r"lose 20 of 20 known product records"):
        hub.run("update_products")
    assert {row.state for row in stored(hub).values()} == {"active"}


def test_mass_re_pricing_waits_for_a_person_who_may_accept_it_once(hub: Hub) -> None:
    hub.shop.put(*products(40))
    hub.run("update_products")
    free = Money(Decimal(0), "EUR")
    hub.shop.put(*products(40, price=free))
    with pytest.raises(VolumeHeld, match="re-price"):
        hub.run("update_products")
    assert {str(row.record.price) for row in stored(hub).values()} == {"10.00 EUR"}
    assert hub.run("update_products", accepts_volume=True).updated == 40
    assert {row.record.price for row in stored(hub).values()} == {free}


def test_what_the_guard_put_off_is_not_forgotten_when_the_attempt_is_lost(hub: Hub) -> None:
    """Ten changes of the first page are everyday work by themselves; the next attempt does not read that page again."""
    hub.shop.put(*products(40))
    hub.run("update_products")
    hub.shop.put(*products(40, price=Money(Decimal(0), "EUR")))
    hub.shop.break_down(Product, "015")
    run = hub.claim("update_products")
    with pytest.raises(Unavailable):
        hub.work(run)
    hub.shop.put(a_product("015", price=Money(Decimal(0), "EUR")))
    row = hub.database.read(lambda unit: executions.get(unit, run.execution.id))
    assert row is not None
    with pytest.raises(
        VolumeHeld, match=r"20 of 40 known product records at once, for example sku-001: price 10.00 EUR"
    ):
        hub.work(hub.attempt(row, run.feed))
    assert {str(row.record.price) for row in stored(hub).values()} == {"10.00 EUR"}


def test_a_few_re_priced_products_pass_the_guard_by_themselves(hub: Hub) -> None:
    hub.shop.put(*products(40))
    hub.run("update_products")
    hub.shop.put(*products(5, price=Money(Decimal(11), "EUR")))
    tally = hub.run("update_products")
    assert (tally.updated, tally.unchanged) == (5, 35)


# --- linking


def test_the_same_sku_in_a_second_shop_is_the_same_product(database: Database) -> None:
    first, second = Hub(database), Hub(database, name="second")
    first.shop.put(a_product("001", sku="Mug  Blue", name="First"))
    second.shop.put(a_product("901", sku="mug blue", name="Second"))
    first.run("update_products")
    tally = second.run("update_products")
    assert (tally.created, tally.updated) == (0, 1)
    (row,) = stored(first).values()
    assert row.record.name == "First"
    assert len(database.read(lambda unit: references.of_record(unit, row.id))) == 2


def test_a_sku_used_twice_is_never_guessed_and_both_are_named(database: Database) -> None:
    first, second = Hub(database), Hub(database, name="second")
    first.shop.put(a_product("001", sku="mug"), a_product("002", sku=" MUG "))
    first.run("update_products")
    (issue,) = first.issues()
    assert "1 SKU is used by several products of this shop: “mug” (#001, #002)" in issue.message
    second.shop.put(a_product("901", sku="mug"))
    assert second.run("update_products").created == 1
    first.shop.put(a_product("002", sku="mug-2"))
    first.run("update_products")
    assert first.issues() == []
    (closed,) = first.issues("resolved")
    assert closed.resolved_by == "every SKU is used once now"


def test_a_product_may_share_the_sku_of_its_own_variant(hub: Hub) -> None:
    hub.shop.put(a_product("001", sku="mug", variants=(a_variant("001-1", sku="mug"), a_variant("001-2", sku="mug-2"))))
    hub.run("update_products")
    assert hub.issues() == []
    hub.shop.put(a_product("002", sku="mug-2"))
    hub.run("update_products")
    assert ["#001-2, #002" in issue.message for issue in hub.issues()] == [True]


# --- orders


def test_orders_come_in_wait_are_left_out_or_fail_by_their_status_and_carrier(hub: Hub) -> None:
    hub.shop.put(
        an_order("1"),
        an_order("2", status=UNPAID),
        an_order("3", status=CANCELLED),
        an_order("4", shipping_code="99", shipping_name="Drone"),
        an_order("5", status=SHIPPED),
    )
    run = hub.claim("import_new_orders")
    hub.work(run)
    hub.finish(run)
    assert (run.tally.created, run.tally.waiting, run.tally.skipped, run.tally.failed) == (2, 1, 1, 1)
    lines = {line.remote_id: line for line in hub.outcomes(run.execution.id)}
    assert lines["2"].reason == "Order ORDER2 was not imported because it waits for payment."
    assert lines["3"].reason == "Order ORDER3 was not imported because it is cancelled."
    (issue,) = hub.issues()
    assert "Unknown shipping method" in issue.message
    assert "navette mappings set corner shipping_method 99" in issue.remedy
    assert stored(hub, "order")["1"].record.shipping_method == "parcel"
    assert stored(hub, "order")["5"].state == "shipped"


def test_a_waiting_order_comes_in_by_retry_once_it_is_paid(hub: Hub, clock: MovableClock) -> None:
    hub.shop.put(an_order("2", status=UNPAID))
    hub.run("import_new_orders")
    assert hub.run("retry").read == 0
    clock.advance(hours=2)
    assert hub.run("retry").waiting == 1
    hub.shop.shelves[Order]["2"] = an_order("2")
    clock.advance(hours=2)
    assert hub.run("retry").created == 1
    assert held_now(hub) == []


def test_waiting_ends_after_the_give_up_time_and_the_order_is_then_left_out(hub: Hub, clock: MovableClock) -> None:
    hub.shop.put(an_order("2", status=UNPAID))
    hub.run("import_new_orders")
    clock.advance(days=31)
    assert hub.run("retry").skipped == 1
    (row,) = held_now(hub)
    assert (row.severity, row.next_try_at) == ("info", None)
    assert "no longer tried" in row.message
    clock.advance(days=1)
    assert hub.run("retry").read == 0


def test_a_waiting_order_deleted_in_the_shop_is_forgotten(hub: Hub, clock: MovableClock) -> None:
    hub.shop.put(an_order("2", status=UNPAID))
    hub.run("import_new_orders")
    hub.shop.remove(Order, "2")
    clock.advance(hours=2)
    assert hub.run("retry").skipped == 1
    assert held_now(hub) == []


def test_a_held_order_passes_once_its_carrier_is_mapped_and_the_issue_closes(hub: Hub) -> None:
    hub.shop.put(an_order("4", shipping_code="99"))
    hub.run("import_new_orders")
    hub.rulebook = replace(hub.rulebook, shipping_methods={"99": "drone"})
    assert hub.run("import_new_orders", scope={"ids": ["4"]}).created == 1
    assert hub.issues() == []
    assert held_now(hub) == []


def test_only_the_status_of_a_known_order_follows_the_shop(hub: Hub) -> None:
    hub.shop.put(an_order("1"))
    hub.run("import_new_orders")
    hub.shop.put(an_order("1", status=CANCELLED, lines=(a_line(quantity=9),)), an_order("7"))
    run = hub.claim("update_orders")
    hub.work(run)
    hub.finish(run)
    assert (run.tally.updated, run.tally.unchanged, run.tally.created) == (1, 1, 0)
    row = stored(hub, "order")["1"]
    assert row.state == "cancelled"
    assert row.record.lines[0].quantity == 1
    assert hub.outcomes(run.execution.id)[0].reason == "changed in the shop since it was imported: lines"


def test_following_known_orders_leaves_those_held_back_where_they_are(hub: Hub) -> None:
    hub.shop.put(an_order("1", status=UNPAID), an_order("2", shipping_code="99"))
    hub.shop.spoil(Order, "3", NeedsAttention("No lines.", cause="no_lines"))
    hub.run("import_new_orders")
    before = {(row.remote_id, row.flow, row.tries) for row in held_now(hub)}
    assert hub.run("update_orders").unchanged == 3
    assert {(row.remote_id, row.flow, row.tries) for row in held_now(hub)} == before
    assert len(hub.issues()) == 2


def test_rules_of_the_administrator_decide_before_the_shops_flags(hub: Hub) -> None:
    hub.rulebook = replace(
        hub.rulebook,
        statuses={"10": Fate.WAIT, "4": Fate.SKIP},
        payment_methods={"Cash on delivery": PaymentRule.ALWAYS, "Barter": PaymentRule.NEVER},
    )
    hub.shop.put(
        an_order("1", status=UNPAID, payment_method="Cash on delivery"),
        an_order("2", payment_method="Barter"),
        an_order("3", status=SHIPPED),
        an_order("4", status=replace(UNPAID, remote_id="77", name="Odd", is_known=False)),
    )
    tally = hub.run("import_new_orders")
    assert (tally.created, tally.skipped, tally.failed) == (1, 2, 1)
    assert "“Odd” has not been seen before" in hub.issues()[0].message


def test_an_unpaid_order_whose_status_is_let_in_still_waits_for_its_payment(hub: Hub) -> None:
    hub.rulebook = replace(hub.rulebook, statuses={"10": Fate.IMPORT})
    hub.shop.put(an_order("1", status=UNPAID))
    assert hub.run("import_new_orders").waiting == 1


# --- stock


def test_stock_starts_from_the_shop_and_orders_take_from_it_until_they_are_shipped(hub: Hub) -> None:
    hub.shop.put(
        a_product("1"), a_product("2"), an_order("1"), an_order("2", status=UNPAID, lines=(a_line(quantity=2),))
    )
    hub.shop.put(a_level("1", 5), a_level("2", 0), a_level("9", 3))
    hub.run("update_products")
    hub.run("import_new_orders")
    tally = hub.run("import_stock")
    assert (tally.created, tally.skipped) == (2, 1)
    product = stored(hub)["1"].id
    assert hub.database.read(lambda unit: stock.levels_of(unit, product)) == {"main": Decimal(8)}
    hub.shop.put(an_order("1", status=SHIPPED))
    hub.run("update_orders")
    assert hub.database.read(lambda unit: stock.levels_of(unit, product)) == {"main": Decimal(7)}
    assert hub.run("import_stock").unchanged == 2


def test_levels_that_would_all_fall_to_zero_wait_for_a_person(hub: Hub) -> None:
    hub.shop.put(*products(20), *(a_level(f"{number:03}", 5) for number in range(1, 21)))
    hub.run("update_products")
    hub.run("import_stock")
    hub.shop.put(*(a_level(f"{number:03}", 0) for number in range(1, 21)))
    with pytest.raises(VolumeHeld):
        hub.run("import_stock")
    assert hub.run("import_stock", accepts_volume=True).updated == 20


# --- single records, windows, attempts


def test_one_order_is_imported_by_its_number(hub: Hub) -> None:
    hub.shop.put(*(an_order(str(number)) for number in range(1, 6)))
    assert hub.run("import_new_orders", scope={"find": "ORDER3"}).created == 1
    assert set(stored(hub, "order")) == {"3"}
    with pytest.raises(UserError, match="no order called “NOPE”"):
        hub.run("import_new_orders", scope={"find": "NOPE"})


def test_the_mark_moves_with_the_page_and_the_next_run_reads_only_what_changed(hub: Hub) -> None:
    hub.shop.put(*(an_order(str(number)) for number in range(1, 26)))
    assert hub.run("import_new_orders").read == 25
    assert hub.run("import_new_orders").read == 0
    hub.shop.put(an_order("77"))
    assert hub.run("import_new_orders").read == 1


def test_an_attempt_goes_on_where_the_last_one_stopped(hub: Hub) -> None:
    hub.shop.put(*products(30))
    run = hub.claim("update_products")
    hub.shop.break_down(Product, "015")
    with pytest.raises(Unavailable):
        hub.work(run)
    assert len(stored(hub)) == 10
    hub.shop.put(a_product("015"))
    decoded = hub.shop.pages_decoded
    row = hub.database.read(lambda unit: executions.get(unit, run.execution.id))
    assert row is not None
    again = hub.attempt(row, run.feed)
    again.tally = run.tally
    hub.work(again)
    assert hub.shop.pages_decoded == decoded + 2
    assert again.tally.created == 30


def test_cancelling_keeps_what_is_saved_and_drops_the_page_at_work(hub: Hub) -> None:
    hub.shop.put(*products(10))
    run = hub.claim("update_products")
    hub.database.write(lambda unit: executions.cancel(unit, run.execution.id, reason="asked"))
    with pytest.raises(Cancelled):
        hub.work(run)
    assert stored(hub) == {}


def test_a_worker_that_lost_its_lease_saves_nothing(hub: Hub) -> None:
    hub.shop.put(*products(10))
    run = hub.claim("update_products")
    run.execution = with_changes(run.execution, attempt=99)
    with pytest.raises(LeaseLost):
        hub.work(run)
    assert stored(hub) == {}


def test_fields_of_which_the_hub_is_the_system_of_record_are_left_alone(hub: Hub) -> None:
    hub.shop.put(a_product("001"))
    hub.run("update_products")
    hub.rulebook = replace(hub.rulebook, hub_fields=("name",))
    hub.shop.put(a_product("001", name="Shop's name", sku="new-sku"))
    hub.run("update_products")
    row = stored(hub)["001"]
    assert (row.record.name, row.record.sku) == ("Product 001", "new-sku")


def test_suppliers_are_read_whole_each_time(hub: Hub) -> None:
    hub.shop.put(Supplier(remote_id="1", name="Mill"), Supplier(remote_id="2", name="Farm"))
    assert hub.run("import_suppliers").created == 2
    hub.shop.put(Supplier(remote_id="1", name="Old mill"))
    tally = hub.run("import_suppliers")
    assert (tally.updated, tally.unchanged) == (1, 1)


def test_finished_executions_say_so(hub: Hub) -> None:
    run = hub.claim("update_products")
    hub.work(run)
    hub.finish(run)
    row = hub.database.read(lambda unit: executions.get(unit, run.execution.id))
    assert row is not None
    assert (row.state, row.read) == (State.SUCCEEDED, 0)
    assert timedelta(0) <= (row.ended_at or row.requested_at) - row.requested_at
