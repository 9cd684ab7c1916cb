"""The business rules: a record and the rulebook in, the record or a severity out."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from domain.errors import NeedsAttention, RecordProblem, Skip, Wait
from domain.records import Money, Order
from domain.rulebook import Fate, PaymentRule, Rulebook
from flows.rules.orders import (
    admit_by_payment,
    admit_by_status,
    fate_of,
    follow_status,
    merge_status,
    needs_known_shipping_method,
)
from flows.rules.products import drastic
from flows.rules.stock import emptied
from tests.builders import CANCELLED, PAID, SHIPPED, UNPAID, a_level, a_line, a_product, a_variant, an_order

PLAIN = Rulebook(integration="shop")


def admitted(order: Order, rulebook: Rulebook = PLAIN) -> Order | type[RecordProblem]:
    try:
        return admit_by_payment(admit_by_status(order, rulebook), rulebook)
    except RecordProblem as problem:
        return type(problem)


@pytest.mark.parametrize(
    ("status", "fate"), [(PAID, Fate.IMPORT), (UNPAID, Fate.WAIT), (CANCELLED, Fate.CANCEL), (SHIPPED, Fate.SHIPPED)]
)
def test_without_an_entry_the_flags_of_the_shop_decide(status: object, fate: Fate) -> None:
    assert fate_of(status, PLAIN) is fate  # type: ignore[arg-type]


def test_the_matrix_decides_before_the_flags_and_an_unseen_status_needs_a_person() -> None:
    assert fate_of(PAID, replace(PLAIN, statuses={"2": Fate.SKIP})) is Fate.SKIP
    unseen = replace(PAID, remote_id="99", is_known=False)
    assert fate_of(unseen, PLAIN) is None
    with pytest.raises(NeedsAttention, match="not been seen before") as raised:
        admit_by_status(an_order(status=unseen), PLAIN)
    assert raised.value.cause == "unmapped:status:99"


@pytest.mark.parametrize(
    ("order", "rulebook", "expected"),
    [
        (an_order(), PLAIN, None),
        (an_order(status=UNPAID), PLAIN, Wait),
        (an_order(status=CANCELLED), PLAIN, Skip),
        (an_order(), replace(PLAIN, statuses={"2": Fate.WAIT}), Wait),
        (an_order(), replace(PLAIN, statuses={"2": Fate.SKIP}), Skip),
        (an_order(status=UNPAID), replace(PLAIN, statuses={"10": Fate.IMPORT}), Wait),
        (an_order(status=UNPAID), replace(PLAIN, payment_methods={"*": PaymentRule.ALWAYS}), None),
        (an_order(), replace(PLAIN, payment_methods={"Bank wire": PaymentRule.NEVER, "*": PaymentRule.ALWAYS}), Skip),
    ],
)
def test_orders_are_let_in_by_status_and_payment(
    order: Order, rulebook: Rulebook, expected: type[RecordProblem] | None
) -> None:
    outcome = admitted(order, rulebook)
    assert outcome == (order if expected is None else expected)


def test_a_shipped_order_comes_in_as_shipped() -> None:
    assert admit_by_status(an_order(status=SHIPPED), PLAIN).fate == "shipped"


def test_shipping_methods_are_filled_in_by_name_then_by_wildcard() -> None:
    mapped = replace(PLAIN, shipping_methods={"2": "parcel", "*": "letter"})
    assert needs_known_shipping_method(an_order(), mapped).shipping_method == "parcel"
    assert needs_known_shipping_method(an_order(shipping_code="9"), mapped).shipping_method == "letter"
    assert needs_known_shipping_method(an_order(needs_shipping=False), PLAIN).shipping_method == ""


def test_an_unknown_shipping_method_says_which_and_what_to_type() -> None:
    with pytest.raises(NeedsAttention) as raised:
        needs_known_shipping_method(an_order(), PLAIN)
    assert "“My carrier” (number 2)" in raised.value.message
    assert raised.value.remedy.startswith("Map it with: navette mappings set shop shipping_method 2 ")


def test_the_way_back_from_a_hub_shipping_method_needs_exactly_one_carrier() -> None:
    mapped = replace(PLAIN, shipping_methods={"2": "parcel", "3": "parcel", "4": "letter", "*": "letter"})
    assert mapped.remote_shipping_method("letter") == "4"
    assert mapped.remote_shipping_method("parcel") is None


@pytest.mark.parametrize(("status", "fate"), [(CANCELLED, "cancelled"), (SHIPPED, "shipped"), (PAID, "open")])
def test_an_imported_order_follows_its_status(status: object, fate: str) -> None:
    assert follow_status(an_order(status=status), PLAIN).fate == fate


def test_merging_takes_the_status_and_tells_of_every_other_difference() -> None:
    known = an_order(shipping_method="parcel")
    merged, remark = merge_status(known, an_order(status=CANCELLED, fate="cancelled", lines=(a_line(quantity=3),)))
    assert (merged.fate, merged.lines, merged.shipping_method) == ("cancelled", known.lines, "parcel")
    assert remark == "changed in the shop since it was imported: lines"
    assert merge_status(known, an_order())[1] == ""


def test_an_order_shipped_here_is_not_cancelled_by_the_shop_but_it_is_told() -> None:
    merged, remark = merge_status(an_order(fate="shipped"), an_order(status=CANCELLED, fate="cancelled"))
    assert (merged.fate, remark) == ("shipped", "cancelled in the shop after it was shipped")


def test_drastic_changes_of_products_are_deactivation_and_new_prices() -> None:
    dear, free = Money(Decimal(99), "EUR"), Money(Decimal(0), "EUR")
    assert drastic(a_product(), a_product(is_active=False))
    assert drastic(a_product(), a_product(price=dear))
    assert drastic(a_product(variants=(a_variant(price=dear),)), a_product(variants=(a_variant(price=free),)))
    assert not drastic(a_product(), a_product(name="Other"))
    assert not drastic(a_product(price=free), a_product(price=dear))
    assert not drastic(a_product(price=None), a_product())
    assert not drastic(a_product(), a_product(variants=(a_variant(price=dear),)))


def test_levels_that_fall_to_nothing_are_emptied() -> None:
    assert emptied(a_level(quantity=5), a_level(quantity=0))
    assert not emptied(a_level(quantity=0), a_level(quantity=0))
    assert not emptied(a_level(quantity=5), a_level(quantity=1))
