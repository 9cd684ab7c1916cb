"""Orders and what they point to: deleted, renamed, doubled, odd – never lost for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.prestashop.simulator import build_sample_shop
from domain.errors import NeedsAttention
from domain.records import Money, Order
from tests.connectors.prestashop.opened import Opened, opened


@pytest.fixture(params=["json", "xml"])
def sample(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The sample shop, in each format."""
    with opened(build_sample_shop(), format=request.param) as shop:
        yield shop


def test_an_order_comes_whole(sample: Opened) -> None:
    """Customer, addresses, carrier, status, payments, lines, in the order's own currency and in UTC."""
    order = sample.by_id(Order, "9")["9"]
    assert (order.number, order.currency, order.payment_method) == ("QOVWCTKJU", "EUR", "ps_wirepayment")
    assert order.placed_at == datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    assert (order.status.name, order.status.is_paid, order.status.is_shipped) == ("Shipped", True, True)
    assert (order.customer.language, order.customer.is_guest) == ("en", False)
    assert (order.delivery.country, order.delivery.city) == ("DE", "Berlin")
    assert (order.shipping_code, order.shipping_name, order.needs_shipping) == ("2", "My carrier", True)
    assert order.totals.total == Decimal("65.52")
    assert order.totals.total_without_tax == Decimal("54.6")
    assert [payment.amount for payment in order.payments] == [Money(Decimal("65.52"), "EUR")]
    line = order.lines[0]
    assert (line.item_remote_id, line.quantity, line.unit_price_with_tax) == ("8", Decimal(4), Decimal("14.28"))
    assert order.remarks == ()


def test_follow_ups_are_read_in_bulk_and_once(sample: Opened) -> None:
    """A later page asks only for what it does not know yet."""
    sample.records(Order, page_size=8)
    lists = [line.partition("?")[0].removeprefix("GET /api/") for line in sample.requests()]
    assert lists.count("countries") <= 2
    assert lists.count("order_states") == 1
    assert lists.count("currencies") == 1
    assert lists.count("customers") <= 2
    assert len(lists) <= 22


def test_never_asks_for_password_hashes(sample: Opened) -> None:
    """Customers carry a hash and a secure key, which only come when asked for."""
    sample.records(Order)
    assert [line for line in sample.requests() if "/api/customers" in line and "display=full" in line] == []


def test_a_carrier_is_known_by_its_reference_after_it_was_edited(sample: Opened) -> None:
    """Editing a carrier makes a new id and deletes the old one; the mapping must go on to fit."""
    new = sample.shop.edit_carrier(2, name="My carrier, edited")
    order = sample.shop.place_order(3, [(6, 1)], carrier=new)
    orders = sample.by_id(Order, "9", str(order))
    assert (orders["9"].shipping_code, orders["9"].shipping_name) == ("2", "My carrier")
    assert (orders[str(order)].shipping_code, orders[str(order)].shipping_name) == ("2", "My carrier, edited")


def test_a_carrier_named_zero_bears_the_name_of_the_shop(sample: Opened) -> None:
    """As PrestaShop shows it."""
    sample.shop.update("carriers", 2, {"name": "0"})
    assert sample.by_id(Order, "9")["9"].shipping_name == sample.account.facts.name != ""


def test_what_no_longer_exists_is_remarked_upon(sample: Opened) -> None:
    """The order is a snapshot and passes."""
    sample.shop.delete("customers", 4)
    sample.shop.delete("addresses", 9)
    sample.shop.delete("carriers", 2)
    order = sample.by_id(Order, "9")["9"]
    assert order.remarks == (
        "The customer 4 no longer exists in the shop.",
        "The delivery address 9 no longer exists in the shop.",
        "The billing address 9 no longer exists in the shop.",
        "The carrier 2 no longer exists in the shop.",
    )
    assert (order.customer.remote_id, order.customer.email, order.delivery, order.shipping_code) == ("4", "", None, "2")


def test_a_customer_marked_deleted_is_still_read(sample: Opened) -> None:
    """Deleting in the back office only marks."""
    sample.shop.delete_customer(4)
    order = sample.by_id(Order, "9")["9"]
    assert order.customer.email
    assert order.remarks == ()


def test_a_deleted_customer_keeps_the_names_of_the_address(sample: Opened) -> None:
    """So that people can still tell whose order it is."""
    sample.shop.delete("customers", 4)
    assert sample.by_id(Order, "9")["9"].customer.last_name == sample.by_id(Order, "9")["9"].billing.last_name != ""


def test_a_virtual_order_needs_no_shipping(sample: Opened) -> None:
    """Its carrier is 0."""
    order = sample.by_id(Order, str(sample.shop.place_order(3, [(12, 1)], carrier=0, state=2)))
    only = next(iter(order.values()))
    assert (only.needs_shipping, only.shipping_code, only.delivery) == (False, "", None)


def test_orders_that_share_a_reference_are_orders_of_their_own(sample: Opened) -> None:
    """Split from one cart: same number, other id. What was paid for both shows on each, with a remark."""
    first = sample.shop.place_order(3, [(6, 1)], state=2, reference="SPLITCART")
    second = sample.shop.place_order(3, [(7, 1)], state=2, reference="SPLITCART")
    orders = sample.by_id(Order, str(first), str(second))
    assert [order.number for order in orders.values()] == ["SPLITCART"] * 2
    assert all("another order may share this reference" in order.remarks[0] for order in orders.values())
    assert sample.find(Order, "SPLITCART") == [str(first), str(second)]


def test_a_status_that_is_not_listed_is_unknown(sample: Opened) -> None:
    """The rules set such an order aside."""
    sample.shop.update("orders", 9, {"current_state": 99})
    status = sample.by_id(Order, "9")["9"].status
    assert (status.remote_id, status.is_known, status.is_paid) == ("99", False, False)


def test_canceled_and_refunded_are_cancelled_and_a_payment_error_is_not(sample: Opened) -> None:
    """By the shop's own configuration, not by fixed numbers."""
    sample.shop.configure("PS_OS_CANCELED", "14")
    sample.account = sample.reopened()
    for state, is_cancelled in ((6, False), (14, True), (7, True), (8, False)):
        sample.shop.update("orders", 9, {"current_state": state})
        assert sample.by_id(Order, "9")["9"].status.is_cancelled is is_cancelled


def test_odd_totals_are_told_and_pass(sample: Opened) -> None:
    """Demo orders have them too."""
    sample.shop.update("orders", 9, {"total_paid_tax_incl": "99.990000", "total_products_wt": "57.000000"})
    remarks = sample.by_id(Order, "9")["9"].remarks
    assert remarks == (
        "Totals differ by 34.59 EUR: products, shipping, wrapping and discounts give 65.40 EUR, the order says 99.99 EUR.",
        "The lines add up to 57.12 EUR, the order says 57.00 EUR.",
    )


def test_rounding_of_a_cent_a_line_is_no_oddity(sample: Opened) -> None:
    """As PrestaShop rounds."""
    sample.shop.update("orders", 9, {"total_paid_tax_incl": "65.530000"})
    assert sample.by_id(Order, "9")["9"].remarks == ()


def test_an_unknown_currency_is_never_guessed(sample: Opened) -> None:
    """The order waits for a person."""
    sample.shop.update("orders", 9, {"id_currency": 77})
    problem = sample.by_id(Order, "9")["9"]
    assert isinstance(problem, NeedsAttention)
    assert problem.cause == "unknown_currency:77"


def test_a_payment_in_a_currency_the_shop_lacks_is_left_out_and_told(sample: Opened) -> None:
    """The order's own money is untouched."""
    payment = next(row for row in sample.shop.tables["order_payments"] if row["order_reference"] == "QOVWCTKJU")
    sample.shop.update("order_payments", int(str(payment["id"])), {"id_currency": 77})
    order = sample.by_id(Order, "9")["9"]
    assert order.payments == ()
    assert "in a currency the shop does not have" in order.remarks[0]


def test_a_product_deleted_since_stays_on_the_order(sample: Opened) -> None:
    """Lines are a snapshot."""
    sample.shop.delete_product(8)
    assert sample.by_id(Order, "9")["9"].lines[0].name == "Mug Today is a good day"


def test_a_gift_message_comes_only_with_gifts(sample: Opened) -> None:
    """The text may be left over from a change of mind."""
    sample.shop.update("orders", 9, {"gift": 0, "gift_message": "For you"})
    assert sample.by_id(Order, "9")["9"].gift_message == ""
    sample.shop.update("orders", 9, {"gift": 1})
    assert sample.by_id(Order, "9")["9"].gift_message == "For you"


def test_a_country_the_shop_lacks_is_told(sample: Opened) -> None:
    """The address is of little use then."""
    sample.shop.update("addresses", 9, {"id_country": 9999})
    order = sample.by_id(Order, "9")["9"]
    assert order.delivery.country == ""
    assert order.remarks == (
        "The country of the delivery address is not one of the shop's countries.",
        "The country of the billing address is not one of the shop's countries.",
    )


def test_the_digest_is_that_of_the_whole_order(sample: Opened) -> None:
    """An address edited later changes the page, whatever was asked for before."""
    first = [page.digest for page in sample.pages(Order)]
    assert [page.digest for page in sample.pages(Order)] == first
    sample.account = sample.reopened()
    assert [page.digest for page in sample.pages(Order)] == first
    sample.shop.update("addresses", 9, {"city": "Potsdam"})
    sample.account = sample.reopened()
    assert [page.digest for page in sample.pages(Order)] != first
