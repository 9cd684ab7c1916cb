"""Languages, displays, prices, formats: forms of lists the probes do not cover."""

import json

import pytest

from connectors.prestashop.simulator import build_bare_shop, build_sample_shop
from connectors.prestashop.simulator.app import KEPT_PAGES
from engine.simulation.exchange import Request, Response
from tests.connectors.prestashop.simulator.talking import Talk, codes, talking


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[2", [79]), ("[1,2,3]", [78]), ("fr", [80, 81]), ("[8|9]", [81])],
)
def test_a_wrong_language_is_named_by_its_code(talk: Talk, text: str, expected: list[int]) -> None:
    answer = talk.get("products", language=text)

    assert (answer.status_code, codes(answer)) == (400, expected)


def test_one_language_makes_translated_fields_plain_texts(talk: Talk) -> None:
    rows = talk.rows("products", display="[name]", language="2", limit="1")

    assert rows == [{"name": "T-shirt imprimé colibri"}]


def test_a_range_of_languages_mixes_texts_and_numbers_as_ids(talk: Talk) -> None:
    names = talk.row("products", display="[name]", language="[1,2]", **{"filter[id]": "1"})["name"]

    assert [one["id"] for one in names] == ["1", 2]


def test_one_active_language_is_enough_for_plain_texts() -> None:
    shop = build_sample_shop()
    shop.update("languages", 2, {"active": 0})
    with talking(shop) as talk:
        assert talk.row("products", display="[name]", **{"filter[id]": "6"})["name"] == "Mug The best is yet to come"


def test_associations_are_shown_by_name_with_the_parts_asked_for(talk: Talk) -> None:
    answer = talk.get("products/1", display="[id,stock_availables[id,id_product_attribute],images[id]]")

    node = talk.node(answer)
    assert [child.tag for child in node.find("associations")] == ["stock_availables", "images"]
    assert len(node.findall("associations/stock_availables/stock_available")) == 9


def test_combination_associations_cannot_be_selected_and_are_silently_absent(talk: Talk) -> None:
    selected = talk.get("combinations", display="[id,product_option_values[id]]", limit="1")
    whole = talk.get("combinations", display="full", limit="1")

    assert "associations" not in selected.text
    assert "product_option_values" in whole.text


@pytest.mark.parametrize("display", ["[id,nope]", "[associations]", "[nope[id]]", "[images[nope]]"])
def test_an_unknown_field_in_a_display_is_35_with_warnings_in_lists(talk: Talk, display: str) -> None:
    answer = talk.get("products", display=display)

    assert (answer.status_code, codes(answer)) == (500, [35, 3, 3, 3, 3])


def test_list_errors_stay_400_on_the_php_of_older_shops() -> None:
    with talking(build_sample_shop(version="1.6.1.24")) as talk:
        answer = talk.get("products", limit="1,2,3")

        assert (answer.status_code, codes(answer)) == (400, [39])


def test_a_price_definition_adds_the_price_with_tax(talk: Talk) -> None:
    row = talk.row("products", display="[id]", **{"filter[id]": "6", "price[ttc][use_tax]": "1"})
    net = talk.row("products", display="[id]", **{"filter[id]": "6", "price[net][use_tax]": "0"})

    assert row == {"id": 6, "ttc": "14.280000"}
    assert net == {"id": 6, "net": "11.900000"}


def test_the_price_of_a_product_with_combinations_needs_one_of_them(talk: Talk) -> None:
    without = talk.row("products", display="[id]", **{"filter[id]": "3", "price[p][use_tax]": "1"})
    chosen = talk.row(
        "products", display="[id]", **{"filter[id]": "3", "price[p][use_tax]": "1", "price[p][product_attribute]": "14"}
    )
    own = talk.row("combinations", display="[id]", **{"filter[id]": "14", "price[p][use_tax]": "0"})

    assert without["p"] == "0.000000"
    assert chosen["p"] == "58.800000"
    assert own["p"] == "49.000000"
    assert "<p><![CDATA[" in talk.client.get("/api/products?display=[id]&limit=1&price[p][use_tax]=1").text


def test_a_product_with_an_unknown_tax_group_has_no_tax(talk: Talk) -> None:
    talk.shop.edit_product(6, id_tax_rules_group=77)

    assert talk.row("products", display="[id]", **{"filter[id]": "6", "price[p][use_tax]": "1"})["p"] == "11.900000"


def test_single_entities_lose_falsy_fields_in_json_since_version_8_and_not_before() -> None:
    for version, is_there in (("8.2.1", False), ("9.0.0", False), ("1.7.8.11", True), ("1.6.1.24", True)):
        with talking(build_sample_shop(version=version)) as talk:
            product = talk.get("products/11", output_format="JSON").json()["product"]
            assert ("active" in product) is is_there, version


def test_fields_appear_with_the_version_that_brought_them() -> None:
    with talking(build_sample_shop(version="1.6.1.24")) as talk:
        product = talk.row("products", **{"filter[id]": "6"})
        assert not {"isbn", "mpn", "state", "product_type"} & set(product)
        assert "note" not in talk.row("orders", **{"filter[id]": "6"})
        assert "location" not in talk.row("stock_availables", **{"filter[id]": "6"})
        assert codes(talk.get("products", display="[mpn]")) == [35]
        assert codes(talk.get("attachments")) == [27]
    with talking(build_sample_shop(version="9.0.0")) as talk:
        assert talk.get("order_returns").status_code == 200
        assert codes(talk.get("supply_orders")) == [27]


def test_the_output_format_may_come_as_a_header(talk: Talk) -> None:
    for name in ("Output-Format", "Io-Format"):
        answer = talk.client.get("/api/products?limit=2", headers={name: "JSON"})
        assert answer.json() == {"products": [{"id": 1}, {"id": 2}]}


def test_an_empty_list_is_an_array_in_json(talk: Talk) -> None:
    assert talk.get("products", output_format="JSON", **{"filter[id]": "999"}).text == "[]"
    assert talk.get("products", output_format="JSON", display="full", **{"filter[id]": "999"}).text == "[]"


def test_schemas_are_broken_in_json(talk: Talk) -> None:
    answer = talk.get("stock_availables", schema="blank", output_format="JSON")

    assert answer.text == '{"stock_available":[]}'


def test_the_resource_list_in_json_is_fatal_on_php_8_and_not_on_the_oldest_shops(talk: Talk) -> None:
    assert (talk.get("", output_format="JSON").status_code, talk.get("", output_format="JSON").text) == (500, "")
    with talking(build_sample_shop(version="1.6.1.24")) as old:
        assert old.get("", output_format="JSON").status_code == 200


def test_texts_are_not_escaped_so_that_one_name_can_break_a_whole_page(talk: Talk) -> None:
    talk.shop.edit_product(6, name="Cup ]]> of tea")

    page = talk.get("products", display="[id,name]").text
    name = talk.row("products", display="[name]", language="1", **{"filter[id]": "6"})["name"]

    assert "<![CDATA[Cup ]]> of tea]]>" in page
    assert name == "Cup ]]> of tea"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[reference]=![demo_1]&sort=[id_ASC]&limit=2", [2, 3]),
        ("filter[reference]=>[demo_9]", []),
        ("filter[reference]=<[demo_10]", [1]),
        ("filter[reference]=[1,2]", []),
        ("filter[price]=![11.9]&sort=[id_ASC]&limit=6", [1, 2, 3, 4, 5, 9]),
        ("filter[price]=[11,12]&sort=[id_ASC]", [6, 7, 8]),
        ("filter[price]=<[10]&sort=[id_ASC]", [12, 13, 14]),
        ("filter[name]=[COUSSIN COLIBRI]", [11]),
        ("filter[name]=coussin%20colibri%20", [11]),
        ("filter[name]=[Affiche encadree Today is a good day]", [5]),
        ("filter[date_add]=![2026-10-01 09:00:00]&date=1", [6]),
        ("filter[date_upd]=2026-10-02T11:00:00&date=1", [1]),
        ("filter[date_upd]=[2026-10-02T11:00:00,2026-10-03T11:00:00]&date=1", []),
        ("filter[id]=<[]", []),
        ("filter[id_default_image]=3", None),
        ("sort=[name_DESC]&limit=1", [5]),
        ("sort=[reference_ASC]&limit=2", [1, 18]),
        ("filter[nope][deep]=1&strange=1&[odd]=1&limit=1", [1]),
    ],
)
def test_further_forms_of_filters_follow_the_database(talk: Talk, query: str, expected: list[int] | None) -> None:
    answer = talk.client.get(f"/api/products?output_format=JSON&{query}")

    if expected is None:
        assert codes(answer)[0] == 34
    else:
        assert [row["id"] for row in (answer.json() or {"products": []})["products"]] == expected


@pytest.mark.parametrize("query", ["sort=[date_upd_ASC]&date=1", "filter[date_add]=>[2026-01-01]&date=1"])
def test_a_date_on_a_resource_without_one_is_fatal(talk: Talk, query: str) -> None:
    answer = talk.client.get(f"/api/combinations?{query}")

    assert (answer.status_code, answer.content, answer.http_version) == (500, b"", "HTTP/1.0")


def test_an_indexed_number_can_be_asked_for_by_value_list_and_range(talk: Talk) -> None:
    def rows(wanted: str) -> list[int]:
        found = talk.rows("stock_availables", display="[id]", sort="[id_ASC]", **{"filter[id_product]": wanted})
        return [row["id"] for row in found]

    assert rows("[2,3]") == [2, 3, *range(28, 35)]
    assert rows("[3,2]") == rows("[2,3]")
    assert rows("[1|6]") == [1, 6, *range(20, 28)]
    assert rows("[0,100000]") == list(range(1, 59))
    assert rows("999") == []
    assert rows(">[17]") == [18, 19, *range(55, 59)]


def test_a_list_notices_every_change_of_its_table(talk: Talk) -> None:
    query = {"filter[active]": "1", "display": "[id]", "sort": "[id_DESC]", "limit": "1"}
    assert talk.row("products", **query)["id"] == 19

    added = talk.shop.add_product("New", reference="NEW")
    assert talk.row("products", **query)["id"] == added

    talk.shop.delete_product(added)
    assert talk.row("products", **query)["id"] == 19


def test_many_different_lists_are_answered_although_only_some_are_remembered(talk: Talk) -> None:
    for first in range(80):
        assert talk.get("products", limit="1", **{"filter[id]": f"[{first},{first + 1}]"}).status_code == 200


def test_large_pages_come_in_chunks_and_small_ones_with_their_length(talk: Talk) -> None:
    assert talk.get("products", display="full").headers.get("Transfer-Encoding") == "chunked"
    assert "Content-Length" in talk.get("products", limit="1").headers


def test_a_bare_shop_is_set_up_and_sells_nothing() -> None:
    with talking(build_bare_shop(version="9.0.0", timezone="America/New_York")) as talk:
        assert json.loads(talk.get("products", output_format="JSON").text) == []
        zone = talk.row("configurations", **{"filter[name]": "PS_TIMEZONE"})["value"]
        version = talk.row("configurations", **{"filter[name]": "PS_VERSION_DB"})["value"]
        assert (zone, version) == ("America/New_York", "9.0.0")
        assert len(talk.rows("order_states")) == 13


def test_categories_and_options_show_what_belongs_to_them(talk: Talk) -> None:
    category = talk.get("categories/6", output_format="JSON", display="full").json()["categories"][0]["associations"]
    option = talk.get("product_options/4", display="full", output_format="JSON").json()["product_options"][0]

    assert [one["id"] for one in category["categories"]] == ["7", "8"]
    assert {"id": "6"} in category["products"]
    assert [one["id"] for one in option["associations"]["product_option_values"]] == ["22", "23", "24", "25"]


def test_rendered_pages_are_forgotten_when_there_are_too_many(talk: Talk) -> None:
    """Asked for in this process, because several hundred are needed."""
    host = talk.server.url.partition("//")[2]
    headers = {"host": host, "authorization": talk.get("products").request.headers["Authorization"]}

    def page(number: int) -> Response:
        return talk.simulator.respond(Request("GET", "/api/products", f"limit=1&page={number}", headers))

    first = page(0)
    for number in range(1, KEPT_PAGES + 1):
        assert page(number).body == first.body
    assert page(0).status == 200
