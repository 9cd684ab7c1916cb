"""PUT clears, PATCH keeps, POST echoes, and nothing is taken back."""

import pytest

from connectors.prestashop.simulator import build_sample_shop
from tests.connectors.prestashop.simulator.talking import Talk, codes, errors, talking


def test_put_empties_everything_that_is_not_sent(talk: Talk) -> None:
    answer = talk.send("PUT", "products", "<product><id>6</id><price>7</price></product>")

    stored = talk.row("products", **{"filter[id]": "6"})
    assert answer.status_code == 200
    assert (stored["price"], stored["reference"], stored["active"], stored["state"]) == ("7.000000", "", "0", "0")
    assert [one["value"] for one in stored["name"]] == ["", ""]
    assert stored["associations"]["categories"] == [{"id": "2"}, {"id": "6"}, {"id": "8"}]


def test_patch_touches_only_what_is_sent_and_the_time_of_the_change(talk: Talk) -> None:
    before = talk.row("products", **{"filter[id]": "1"})

    talk.send("PATCH", "products", "<product><id>1</id><price>7</price></product>")

    after = talk.row("products", **{"filter[id]": "1"})
    assert {name for name in after if after[name] != before[name]} == {"price", "date_upd"}


def test_the_id_in_the_body_counts_and_the_one_in_the_address_is_ignored(talk: Talk) -> None:
    talk.send("PATCH", "products/1", "<product><id>6</id><price>7</price></product>")

    assert talk.shop.row("products", 1)["price"] == "23.900000"
    assert talk.shop.row("products", 6)["price"] == "7.000000"


def test_a_patch_of_one_language_blanks_the_others_and_plain_text_goes_to_all(talk: Talk) -> None:
    talk.send("PATCH", "products", '<product><id>1</id><name><language id="1">Shirt</language></name></product>')
    blanked = talk.row("products", display="[name]", **{"filter[id]": "1"})["name"]
    talk.send("PATCH", "products", "<product><id>1</id><name>Everywhere</name></product>")
    plain = talk.row("products", display="[name]", **{"filter[id]": "1"})["name"]

    assert [one["value"] for one in blanked] == ["Shirt", ""]
    assert [one["value"] for one in plain] == ["Everywhere", "Everywhere"]


def test_a_required_translated_field_is_not_blanked(talk: Talk) -> None:
    talk.send("PATCH", "order_states", '<s><id>2</id><name><language id="1">Paid</language></name></s>')

    name = talk.row("order_states", display="[name]", **{"filter[id]": "2"})["name"]
    assert [one["value"] for one in name] == ["Paid", "Paid"]


def test_associations_that_are_sent_replace_the_old_set(talk: Talk) -> None:
    inner = (
        "<product><id>6</id><associations><categories><category><id>2</id></category></categories>"
        "<stock_availables><stock_available><id>999</id></stock_available></stock_availables></associations></product>"
    )
    answer = talk.send("PATCH", "products", inner)

    shown = talk.row("products", **{"filter[id]": "6"})["associations"]
    assert answer.status_code == 200
    assert shown["categories"] == [{"id": "2"}]
    assert shown["stock_availables"] == [{"id": "6", "id_product_attribute": "0"}]


def test_an_unknown_association_is_86(talk: Talk) -> None:
    inner = "<product><id>6</id><associations><wishes/></associations></product>"

    assert codes(talk.send("PATCH", "products", inner)) == [86]


def test_a_product_needs_a_name_although_php_only_warns(talk: Talk) -> None:
    count = len(talk.shop.table("products"))

    answer = talk.send("POST", "products", "<product><price>5</price></product>")

    assert (answer.status_code, codes(answer)) == (500, [3])
    assert len(talk.shop.table("products")) == count


def test_a_new_product_is_an_invisible_draft_with_a_stock_row_unless_more_is_said(talk: Talk) -> None:
    inner = (
        '<product><id/><price>5</price><name><language id="1">Tea pot</language><language id="2">Théière</language>'
        "</name></product>"
    )
    answer = talk.send("POST", "products", inner)

    identity = int(talk.node(answer).findtext("id"))
    stored = talk.row("products", **{"filter[id]": str(identity)})
    assert answer.status_code == 201
    assert talk.node(answer).findtext("price") == "5"
    assert (stored["price"], stored["active"], stored["state"]) == ("5.000000", "0", "0")
    assert [one["value"] for one in stored["link_rewrite"]] == ["tea-pot", "theiere"]
    assert talk.shop.stock_of(identity) == 0


def test_a_product_made_in_the_second_shop_is_there_only(talk: Talk) -> None:
    second = talk.shop.add_shop("Second", folder="second/")

    answer = talk.send(
        "POST", "products", "<product><price>5</price><name>Elsewhere</name></product>", id_shop=str(second)
    )

    identity = talk.node(answer).findtext("id")
    assert codes(talk.get(f"products/{identity}")) == [131]
    assert talk.get(f"products/{identity}", id_shop=str(second)).status_code == 200
    assert talk.shop.stock_of(int(identity), shop=second) == 0


def test_a_change_in_one_shop_keeps_shared_fields_shared(talk: Talk) -> None:
    second = talk.shop.add_shop("Second", folder="second/")
    inner = "<product><id>6</id><price>9</price><reference>SHARED</reference></product>"

    talk.send("PATCH", "products", inner, id_shop=str(second))

    first, other = talk.shop.row("products", 6), talk.row("products", id_shop="2", **{"filter[id]": "6"})
    assert (first["price"], first["reference"]) == ("11.900000", "SHARED")
    assert (other["price"], other["reference"]) == ("9.000000", "SHARED")


def test_several_entities_are_saved_in_order_and_none_is_taken_back(talk: Talk) -> None:
    inner = (
        "<product><id>6</id><price>1</price></product><product><id>7</id><price>x</price></product>"
        "<product><id>8</id><price>3</price></product>"
    )
    answer = talk.send("PATCH", "products", inner)

    prices = [talk.shop.row("products", one)["price"] for one in (6, 7, 8)]
    assert codes(answer) == [85]
    assert prices == ["1.000000", "11.900000", "11.900000"]
    assert [change.identity for change in talk.server.ledger.writes[-1].changes] == ["6"]


def test_only_the_last_of_several_entities_appears_in_json(talk: Talk) -> None:
    inner = "<product><id>6</id><price>1</price></product><product><id>7</id><price>2</price></product>"

    answer = talk.send("PATCH", "products", inner, output_format="JSON").json()

    assert answer["product"]["id"] == "7"
    assert "active" in answer["product"]
    assert "on_sale" not in answer["product"]


def test_a_body_without_entities_changes_nothing_in_either_format(talk: Talk) -> None:
    assert talk.send("PUT", "products", "", output_format="JSON").text == "[]"
    assert talk.send("POST", "products", "").status_code == 200
    assert talk.server.ledger.writes == ()


@pytest.mark.parametrize("prefix", [b"xml=", b"xml=%3C"], ids=["plain", "encoded"])
def test_the_prefix_of_a_form_is_tolerated(talk: Talk, prefix: bytes) -> None:
    rest = b"<prestashop><product><id>6</id><price>8</price></product></prestashop>"
    body = prefix + rest if prefix == b"xml=" else prefix + rest[1:].replace(b" ", b"+")

    assert talk.client.patch("/api/products/6", content=body).status_code == 200
    assert talk.shop.row("products", 6)["price"] == "8.000000"


def test_comments_in_a_body_are_no_entities(talk: Talk) -> None:
    answer = talk.send("PATCH", "products", "<!-- a note --><product><!-- here --><id>6</id></product>")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("resource", "inner", "code", "message"),
    [
        ("products", "<p><id>6</id><ean13>12x</ean13></p>", 85, "Product-&gt;ean13 is not valid"),
        ("products", "<p><id>6</id><price/></p>", 85, "Product-&gt;price is not valid"),
        ("products", "<p><id>6</id><visibility>here</visibility></p>", 85, "Product-&gt;visibility is not valid"),
        (
            "products",
            "<p><id>6</id><description>&lt;script&gt;</description></p>",
            84,
            "Product-&gt;description is not valid",
        ),
        ("products", "<p><id>6</id><manufacturer_name>x</manufacturer_name></p>", 93, "manufacturer_name"),
        ("stock_availables", "<s><id>6</id><quantity/></s>", 85, "quantity is not valid"),
        ("stock_availables", "<s><id>6</id><quantity>3000000000</quantity></s>", 85, "is currently 3000000000"),
        ("order_carriers", "<c><id>8</id><tracking_number>1;2</tracking_number></c>", 85, "tracking_number"),
        ("order_carriers", "<c><id>8</id><tracking_number>é</tracking_number></c>", 85, "tracking_number"),
        ("products", "<p><id>0</id><price>1</price></p>", 92, "Invalid ID"),
        ("products", "<p><id>six</id><price>1</price></p>", 92, "Invalid ID"),
    ],
)
def test_a_wrong_value_is_named(talk: Talk, resource: str, inner: str, code: int, message: str) -> None:
    answer = talk.send("PATCH", resource, inner)

    assert errors(answer)[0][0] == code
    assert message in errors(answer)[0][1]


def test_many_entities_are_deleted_at_once_with_what_hangs_on_them(talk: Talk) -> None:
    assert talk.client.delete("/api/products/?id=[1,6]").status_code == 200

    assert talk.get("products/6").status_code == 404
    assert talk.rows("combinations", **{"filter[id_product]": "1"}) == []
    assert talk.rows("stock_availables", **{"filter[id_product]": "[1|6]"}) == []
    assert talk.rows("product_suppliers", **{"filter[id_product]": "1"}) == []


def test_an_unknown_id_keeps_all_of_a_deletion_from_happening(talk: Talk) -> None:
    answer = talk.client.delete("/api/products/?id=[6,999]")

    assert (answer.status_code, codes(answer)) == (404, [87])
    assert talk.get("products/6").status_code == 200
    assert codes(talk.client.delete("/api/products")) == [87]


def test_deleting_a_combination_takes_its_stock_out_of_the_sum(talk: Talk) -> None:
    talk.client.delete("/api/combinations/5")

    assert talk.shop.stock_of(1) == 922
    assert talk.get("stock_availables/24").status_code == 404


def test_deleting_the_last_combination_leaves_the_products_own_stock_row(talk: Talk) -> None:
    for one in (13, 14, 15):
        talk.client.delete(f"/api/combinations/{one}")

    assert [row["id"] for row in talk.rows("stock_availables", **{"filter[id_product]": "3"})] == [3]


def test_a_new_combination_gets_a_stock_row_and_needs_a_product(talk: Talk) -> None:
    inner = (
        "<combination><id_product>6</id_product><minimal_quantity>1</minimal_quantity><reference>MUG-L</reference>"
        "<associations><product_option_values><product_option_value><id>3</id></product_option_value>"
        "</product_option_values></associations></combination>"
    )
    made = int(talk.node(talk.send("POST", "combinations", inner)).findtext("id"))
    orphan = talk.send("POST", "combinations", inner.replace(">6<", ">999<", 1))

    assert talk.shop.stock_of(6, attribute=made) == 0
    assert talk.shop.row("combinations", made)["@product_option_values"] == (3,)
    assert (orphan.status_code, orphan.content) == (500, b"")
    talk.send("PATCH", "combinations", f"<c><id>{made}</id><reference>MUG-XL</reference></c>")
    assert talk.shop.row("combinations", made)["reference"] == "MUG-XL"


def test_suppliers_get_their_link_from_their_name_and_are_inactive_by_default(talk: Talk) -> None:
    made = talk.node(talk.send("POST", "suppliers", "<supplier><name>Café du Port</name></supplier>")).findtext("id")

    row = talk.row("suppliers", **{"filter[id]": made})
    assert (row["link_rewrite"], row["active"]) == ("cafe-du-port", "0")
    talk.send("PATCH", "suppliers", f"<supplier><id>{made}</id><active>1</active></supplier>")
    assert talk.shop.row("suppliers", int(made))["link_rewrite"] == "cafe-du-port"


def test_a_supplied_product_can_be_changed_but_not_into_another_row(talk: Talk) -> None:
    priced = "<r><id>74</id><product_supplier_price_te>2.5</product_supplier_price_te></r>"
    clash = "<r><id>74</id><id_supplier>2</id_supplier></r>"

    assert talk.send("PATCH", "product_suppliers", priced).status_code == 200
    assert talk.shop.row("product_suppliers", 74)["product_supplier_price_te"] == "2.500000"
    assert talk.send("PATCH", "product_suppliers", clash).status_code == 500


def test_a_mail_address_can_be_used_once(talk: Talk) -> None:
    inner = "<c><lastname>Doe</lastname><firstname>Jane</firstname><email>{}</email><passwd>secret</passwd></c>"

    taken = talk.send("POST", "customers", inner.format("claire.martin@example.com"))
    free = talk.send("POST", "customers", inner.format("jane@example.com"))
    changed = talk.send("PATCH", "customers", "<c><id>3</id><email>claire.martin@example.com</email></c>")
    digits = talk.send("POST", "customers", inner.replace("Doe", "D0e").format("d0e@example.com"))

    assert (taken.status_code, codes(taken)[0]) == (500, 46)
    assert len(codes(taken)) == 2
    assert free.status_code == 201
    assert changed.status_code == 200
    assert codes(digits) == [85]


def test_a_new_carrier_refers_to_itself(talk: Talk) -> None:
    made = talk.send("POST", "carriers", "<c><name>Bike</name><active>1</active><delay>Soon</delay></c>")

    identity = int(talk.node(made).findtext("id"))
    assert talk.shop.row("carriers", identity)["id_reference"] == identity
    talk.send("PATCH", "carriers", f"<c><id>{identity}</id><name>Tandem</name></c>")
    assert talk.shop.row("carriers", identity)["id_reference"] == identity


def test_dates_of_a_put_are_kept_when_sent_and_now_when_left_out(talk: Talk) -> None:
    row = "<c><id>8</id><id_order>8</id_order><id_carrier>2</id_carrier>{}</c>"

    talk.send("PUT", "order_carriers", row.format("<date_add>2026-01-02 03:04:05</date_add>"))
    assert talk.shop.row("order_carriers", 8)["date_add"] == "2026-01-02 03:04:05"

    talk.send("PUT", "order_carriers", row.format(""))
    stored = talk.shop.row("order_carriers", 8)
    assert stored["date_add"] != "2026-01-02 03:04:05"
    assert (stored["weight"], stored["id_order_invoice"]) == ("0.000000", 0)


def test_numbers_with_a_comma_or_too_many_signs_are_stored_as_the_database_would(talk: Talk) -> None:
    """Fields without a check take what the database makes of it."""
    talk.send("PATCH", "products", "<p><id>6</id><unit_price_ratio>2,5</unit_price_ratio></p>")

    assert talk.shop.row("products", 6)["unit_price_ratio"] == "2.000000"


def test_a_translated_answer_of_a_plain_field_takes_the_first_language(talk: Talk) -> None:
    inner = '<p><id>6</id><reference><language id="1">LANG</language></reference></p>'

    answer = talk.send("PATCH", "products", inner)

    assert talk.node(answer).findtext("reference") == "LANG"
    assert talk.shop.row("products", 6)["reference"] == "LANG"


def test_a_write_is_in_the_ledger_with_what_it_changed(talk: Talk) -> None:
    talk.send("PATCH", "stock_availables", "<s><id>20</id><quantity>17</quantity></s>")

    (entry,) = talk.server.ledger.writes
    assert [(one.kind, one.identity, one.action) for one in entry.changes] == [
        ("stock_availables", "20", "updated"),
        ("stock_availables", "1", "updated"),
    ]
    assert b"<quantity>17</quantity>" in entry.body


def test_a_write_that_fails_badly_still_shows_what_was_saved_before_it() -> None:
    with talking(build_sample_shop()) as talk:
        inner = "<s><id>6</id><quantity>1</quantity></s><s><id>7</id><id_product>8</id_product></s>"

        answer = talk.send("PATCH", "stock_availables", inner)

        assert (answer.status_code, answer.content) == (500, b"")
        assert talk.server.ledger.writes[-1].changes[0].identity == "6"


def test_the_oldest_shops_want_more_and_take_less() -> None:
    with talking(build_sample_shop(version="1.6.1.24")) as talk:
        without_name = talk.send("PUT", "products", "<product><id>6</id><price>7</price></product>")
        fields = "<price>7</price><name>x</name><link_rewrite>x</link_rewrite>"
        too_long = f"<product><id>6</id>{fields}<reference>{'R' * 33}</reference></product>"

        assert errors(without_name) == [(41, 'parameter "link_rewrite" required')]
        assert codes(talk.send("PUT", "products", too_long)) == [85]
        assert talk.send("PUT", "products", too_long.replace("R" * 33, "R" * 32)).status_code == 200
