"""Orders: what their states do, and what tracking numbers do not do."""

import pytest

from connectors.prestashop.simulator import Line, build_sample_shop
from connectors.prestashop.simulator.refusals import Fatal
from tests.connectors.prestashop.simulator.talking import Talk, codes, talking

HISTORY = "<h><id_order>{}</id_order><id_order_state>{}</id_order_state></h>"


def state_of(talk: Talk, order: int) -> dict:
    return talk.row("orders", **{"filter[id]": str(order)})


def test_an_order_takes_its_stock_and_has_rows_a_parcel_and_a_history(talk: Talk) -> None:
    order = talk.shop.place_order(3, [(6, 2), Line(1, 1, 1)], state=10)

    row = state_of(talk, order)
    lines = row["associations"]["order_rows"]
    assert (talk.shop.stock_of(6), talk.shop.stock_of(1, attribute=1), talk.shop.stock_of(1)) == (16, 11, 1221)
    assert [(one["product_id"], one["product_attribute_id"], one["product_quantity"]) for one in lines] == [
        ("6", "0", "2"),
        ("1", "1", "1"),
    ]
    assert lines[1]["product_name"] == "Hummingbird printed t-shirt (Size : S - Color : White)"
    assert lines[1]["product_reference"] == "demo_1-S-WHT"
    assert (row["total_products"], row["total_products_wt"], row["total_paid"]) == (
        "47.700000",
        "57.240000",
        "65.640000",
    )
    assert len(row["reference"]) == 9
    assert (row["invoice_number"], row["valid"], row["total_paid_real"]) == ("0", "0", "0.000000")
    assert talk.row("order_carriers", **{"filter[id_order]": str(order)})["weight"] == "0.900000"
    assert talk.row("order_histories", **{"filter[id_order]": str(order)})["id_order_state"] == "10"


def test_a_paid_order_has_an_invoice_and_a_payment(talk: Talk) -> None:
    order = talk.shop.place_order(3, [(6, 1)], state=2)

    row = state_of(talk, order)
    payment = talk.row("order_payments", **{"filter[order_reference]": row["reference"]})
    invoice = talk.row("order_invoices", **{"filter[id_order]": str(order)})
    assert (row["valid"], row["invoice_number"], row["total_paid_real"]) == ("1", "8", "22.680000")
    assert payment["amount"] == "22.680000"
    assert invoice["number"] == "8"
    details = talk.row("order_details", **{"filter[id_order]": str(order)})
    assert details["id_order_invoice"] == str(invoice["id"])


def test_a_payment_that_arrives_later_pays_the_rest_once(talk: Talk) -> None:
    order = talk.shop.place_order(3, [(6, 1)], state=10)
    talk.shop.pay(order)
    talk.shop.pay(order)

    reference = state_of(talk, order)["reference"]
    assert len(talk.rows("order_payments", **{"filter[order_reference]": reference})) == 1
    assert len(talk.rows("order_histories", **{"filter[id_order]": str(order)})) == 3


@pytest.mark.parametrize(
    ("states", "left"),
    [
        ([10, 6], 18),
        ([2, 6], 18),
        ([2, 7], 17),
        ([2, 4], 17),
        ([8], 18),
        ([8, 2], 17),
        ([8, 10], 18),
        ([6, 2], 17),
        ([10, 8], 18),
        ([6, 8], 18),
    ],
)
def test_stock_follows_the_states_as_observed(talk: Talk, states: list[int], left: int) -> None:
    order = talk.shop.place_order(3, [(6, 1)], state=states[0])
    for state in states[1:]:
        talk.shop.set_state(order, state)

    assert talk.shop.stock_of(6) == left


def test_posting_a_history_changes_state_date_delivery_and_mails_only_when_asked(talk: Talk) -> None:
    before = state_of(talk, 14)

    talk.send("POST", "order_histories", HISTORY.format(14, 4))
    silent = list(talk.shop.mails)
    talk.send("POST", "order_histories", HISTORY.format(14, 4), sendemail="1")

    after = state_of(talk, 14)
    assert silent == []
    assert [(mail.to, mail.template, mail.order) for mail in talk.shop.mails] == [
        ("anna.nowak@example.com", "shipped", 14)
    ]
    assert after["current_state"] == "4"
    assert after["date_upd"] > before["date_upd"]
    assert (before["delivery_number"], after["delivery_number"]) == ("0", "4")
    assert len(talk.rows("order_histories", **{"filter[id_order]": "14"})) == 4


def test_a_state_without_a_template_sends_no_mail(talk: Talk) -> None:
    talk.send("POST", "order_histories", HISTORY.format(14, 5), sendemail="1")

    assert talk.shop.mails == []


def test_mails_are_changes_in_the_ledger(talk: Talk) -> None:
    talk.send("POST", "order_histories", HISTORY.format(14, 4), sendemail="1")

    assert ("mails", "sent") in [(one.kind, one.action) for one in talk.server.ledger.writes[-1].changes]


def test_a_template_per_language_is_chosen_by_the_orders_language(talk: Talk) -> None:
    talk.shop.update("order_states", 4, {"template": {1: "shipped_en", 2: "shipped_fr"}})

    talk.shop.set_state(6, 4, sends_mail=True)

    assert talk.shop.mails[-1].template == "shipped_fr"


def test_an_unknown_state_is_fatal_and_a_deleted_one_is_taken(talk: Talk) -> None:
    talk.shop.update("order_states", 5, {"deleted": 1})

    unknown = talk.send("POST", "order_histories", HISTORY.format(8, 99))
    deleted = talk.send("POST", "order_histories", HISTORY.format(8, 5))

    assert (unknown.status_code, unknown.content) == (500, b"")
    assert deleted.status_code == 201


def test_a_history_row_can_be_corrected_without_changing_the_order(talk: Talk) -> None:
    talk.send("PATCH", "order_histories", "<h><id>16</id><id_employee>1</id_employee></h>")

    assert state_of(talk, 9)["current_state"] == "4"


def test_patching_the_state_of_an_order_always_mails_and_repeats_nothing(talk: Talk) -> None:
    patch = "<o><id>14</id><current_state>4</current_state></o>"
    talk.send("PATCH", "orders", patch)
    talk.send("PATCH", "orders", patch)

    assert len(talk.shop.mails) == 1
    assert len(talk.rows("order_histories", **{"filter[id_order]": "14"})) == 3


def test_older_shops_repeat_row_and_mail_with_every_put_of_an_order() -> None:
    with talking(build_sample_shop(version="1.7.5.0")) as talk:
        whole = talk.get("orders/14").text.partition("<order>")[2].partition("<associations>")[0]
        for _ in range(2):
            assert talk.send("PUT", "orders", f"<order>{whole}</order>").status_code == 200

        assert len(talk.shop.mails) == 2
        assert len(talk.rows("order_histories", **{"filter[id_order]": "14"})) == 4


def test_a_tracking_number_shows_on_the_order_without_touching_its_date(talk: Talk) -> None:
    before = state_of(talk, 14)

    talk.send("PATCH", "order_carriers", "<c><id>14</id><tracking_number>TRK 1/2</tracking_number></c>")

    after = state_of(talk, 14)
    assert after["shipping_number"] == "TRK 1/2"
    assert after["date_upd"] == before["date_upd"]


def test_the_tracking_mail_carries_the_carriers_link(talk: Talk) -> None:
    patch = "<c><id>8</id><tracking_number>TRK1</tracking_number></c>"
    talk.send("PATCH", "order_carriers", patch, sendemail="1")

    mail = talk.shop.mails[-1]
    assert (mail.template, mail.text) == ("in_transit", "https://track.example.com/?id=TRK1")


def test_a_further_parcel_leaves_the_first_number_shown(talk: Talk) -> None:
    parcel = "<c><id_order>9</id_order><id_carrier>2</id_carrier><tracking_number>SECOND</tracking_number></c>"

    assert talk.send("POST", "order_carriers", parcel).status_code == 201
    assert state_of(talk, 9)["shipping_number"] == "JJD000390007882"
    assert len(talk.rows("order_carriers", **{"filter[id_order]": "9"})) == 2


def test_a_parcel_of_an_unknown_order_is_kept_and_mails_nobody(talk: Talk) -> None:
    parcel = "<c><id_order>999</id_order><id_carrier>2</id_carrier></c>"

    assert talk.send("POST", "order_carriers", parcel, sendemail="1").status_code == 201
    assert talk.shop.mails == []


def test_the_number_can_be_set_through_the_order_unless_nothing_is_sent(talk: Talk) -> None:
    virtual = talk.shop.place_order(3, [(12, 1)], state=2, carrier=0)
    for order in (14, virtual):
        talk.send("PATCH", "orders", f"<o><id>{order}</id><shipping_number>SET</shipping_number></o>")

    assert state_of(talk, 14)["shipping_number"] == "SET"
    assert state_of(talk, virtual)["shipping_number"] == ""
    assert talk.rows("order_carriers", **{"filter[id_order]": str(virtual)}) == []
    assert state_of(talk, virtual)["total_shipping"] == "0.000000"


def test_shipping_writes_the_number_first_and_the_state_then(talk: Talk) -> None:
    talk.shop.ship(14, "TRK9")
    talk.shop.ship(15)
    virtual = talk.shop.place_order(3, [(12, 1)], state=2, carrier=0)
    talk.shop.ship(virtual, "NOWHERE")

    assert (state_of(talk, 14)["shipping_number"], state_of(talk, 14)["current_state"]) == ("TRK9", "4")
    assert (state_of(talk, 15)["shipping_number"], state_of(talk, 15)["current_state"]) == ("", "4")
    assert state_of(talk, virtual)["shipping_number"] == ""


def test_a_refund_leaves_a_slip_and_a_refunded_quantity(talk: Talk) -> None:
    slip = talk.shop.refund(9, {12: 2})
    talk.shop.refund(9, {12: 1})

    row = talk.row("order_slip", **{"filter[id]": str(slip)})
    assert row["amount"] == "28.560000"
    assert row["associations"]["order_slip_details"][0]["id_order_detail"] == "12"
    assert talk.row("order_details", **{"filter[id]": "12"})["product_quantity_refunded"] == "3"
    assert "<order_slips>" in talk.get("order_slip", display="full").text


def test_deleting_an_order_takes_all_that_belongs_to_it(talk: Talk) -> None:
    talk.client.delete("/api/orders/9")

    for name in ("order_details", "order_histories", "order_carriers", "order_invoices"):
        assert talk.rows(name, **{"filter[id_order]": "9"}) == []


def test_an_edited_carrier_gets_a_new_id_and_keeps_its_reference(talk: Talk) -> None:
    new = talk.shop.edit_carrier(2, name="Faster carrier")

    old_row, new_row = talk.shop.row("carriers", 2), talk.shop.row("carriers", new)
    assert (old_row["deleted"], new_row.get("deleted", 0)) == (1, 0)
    assert old_row["id_reference"] == new_row["id_reference"] == 2


def test_a_deleted_customer_stays_readable(talk: Talk) -> None:
    talk.shop.delete_customer(3)

    assert talk.row("customers", **{"filter[id]": "3"})["deleted"] == "1"
    assert {row["deleted"] for row in talk.rows("addresses", **{"filter[id_customer]": "3"})} == {"1"}


def test_cash_on_delivery_has_its_own_payment_text(talk: Talk) -> None:
    order = talk.shop.place_order(3, [(6, 1)], state=13, module="ps_cashondelivery", address=8, carrier=1)

    row = state_of(talk, order)
    assert (row["payment"], row["id_address_delivery"], row["total_shipping"]) == ("Cash on delivery", "8", "0.000000")


def test_a_customer_without_an_address_orders_to_nowhere(talk: Talk) -> None:
    customer = talk.shop.add_customer(firstname="No", lastname="Where", email="nowhere@example.com")

    assert state_of(talk, talk.shop.place_order(customer, [(6, 1)]))["id_address_delivery"] == "0"


def make(talk: Talk, resource: str, inner: str) -> int:
    answer = talk.send("POST", resource, f"<e>{inner}</e>")
    assert answer.status_code == 201, answer.text
    return int(talk.node(answer).findtext("id"))


def cart_of(talk: Talk, rows: str) -> tuple[int, int, int]:
    customer = make(
        talk,
        "customers",
        "<lastname>Doe</lastname><firstname>Jane</firstname><email>jane@example.com</email><passwd>secret</passwd>",
    )
    address = make(
        talk,
        "addresses",
        f"<id_customer>{customer}</id_customer><id_country>8</id_country><alias>Home</alias><lastname>Doe</lastname>"
        "<firstname>Jane</firstname><address1>1 rue du Port</address1><city>Brest</city>",
    )
    cart = make(
        talk,
        "carts",
        f"<id_currency>1</id_currency><id_lang>1</id_lang><id_customer>{customer}</id_customer>"
        f"<id_address_delivery>{address}</id_address_delivery><id_carrier>2</id_carrier>"
        f"<associations><cart_rows>{rows}</cart_rows></associations>",
    )
    return customer, address, cart


CART_ROW = (
    "<cart_row><id_product>{}</id_product><id_product_attribute>{}</id_product_attribute>"
    "<id_address_delivery>1</id_address_delivery><quantity>{}</quantity></cart_row>"
)


def order_body(customer: int, address: int, cart: int, *, paid: str, module: str = "ps_wirepayment") -> str:
    return (
        f"<o><id_address_delivery>{address}</id_address_delivery><id_address_invoice>{address}</id_address_invoice>"
        f"<id_cart>{cart}</id_cart><id_currency>1</id_currency><id_lang>1</id_lang><id_customer>{customer}</id_customer>"
        f"<id_carrier>2</id_carrier><module>{module}</module><payment>Bank wire</payment><total_paid>{paid}</total_paid>"
        f"<total_paid_real>{paid}</total_paid_real><total_products>1</total_products>"
        "<total_products_wt>1</total_products_wt><conversion_rate>1</conversion_rate></o>"
    )


@pytest.mark.parametrize(("paid", "state", "real"), [("36.96", "11", "36.960000"), ("36.95", "8", "0.000000")])
def test_an_order_made_from_a_cart_is_paid_when_the_total_is_right_to_the_cent(
    talk: Talk, paid: str, state: str, real: str
) -> None:
    who = cart_of(talk, CART_ROW.format(6, 0, 2))

    answer = talk.send("POST", "orders", order_body(*who, paid=paid))

    node = talk.node(answer)
    row = state_of(talk, int(node.findtext("id")))
    assert answer.status_code == 201
    assert (node.findtext("total_products"), node.findtext("current_state")) == ("1", "")
    assert (row["current_state"], row["total_paid_real"], row["total_products"]) == (state, real, "23.800000")
    assert row["id_cart"] == str(who[2])
    payment = talk.row("order_payments", **{"filter[order_reference]": row["reference"]})
    assert payment["amount"] == real


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        ("", {}),
        (CART_ROW.format(6, 0, 1), {"module": "ps_missing"}),
        (CART_ROW.format(999, 0, 1), {}),
        (CART_ROW.format(6, 999, 1), {}),
    ],
    ids=["empty cart", "module not installed", "unknown product", "unknown combination"],
)
def test_an_order_that_cannot_be_made_is_fatal(talk: Talk, rows: str, changes: dict[str, str]) -> None:
    who = cart_of(talk, rows)

    answer = talk.send("POST", "orders", order_body(*who, paid="1", **changes))

    assert (answer.status_code, answer.content) == (500, b"")
    assert len(talk.shop.table("orders")) == 16


def test_an_order_without_a_cart_is_fatal_and_one_with_a_strange_total_unpaid(talk: Talk) -> None:
    who = cart_of(talk, CART_ROW.format(6, 0, 1))

    assert talk.send("POST", "orders", order_body(*who[:2], 999, paid="1")).status_code == 500
    assert codes(talk.send("POST", "orders", order_body(*who, paid="1,5"))) == [85]


def test_what_does_not_exist_cannot_be_ordered(talk: Talk) -> None:
    with pytest.raises(Fatal):
        talk.shop.place_order(3, [(999, 1)])
    with pytest.raises(Fatal):
        talk.shop.place_order(3, [(6, 1)], state=99)
