"""Keys, rights, shops, methods: what is checked before anything is answered."""

import httpx
import pytest

from connectors.prestashop.simulator import SAMPLE_KEY, build_sample_shop
from tests.connectors.prestashop.simulator.talking import Talk, codes, talking


def test_a_switched_off_webservice_answers_503_before_looking_at_the_key(talk: Talk) -> None:
    talk.shop.is_enabled = False

    answer = talk.client.get("/api/products", auth=("nonsense", ""))

    assert (answer.status_code, codes(answer)) == (503, [22])


def test_switching_off_is_noticed_although_the_page_was_answered_before(talk: Talk) -> None:
    assert talk.get("products").status_code == 200

    talk.shop.is_enabled = False

    assert talk.get("products").status_code == 503


@pytest.mark.parametrize(
    ("key", "expected"), [("", [17]), ("SHORT", [18]), ("X" * 32, [20, 21])], ids=["empty", "short", "unknown"]
)
def test_a_wrong_key_is_named_by_its_code(talk: Talk, key: str, expected: list[int]) -> None:
    answer = talk.client.get("/api/products", auth=(key, ""))

    assert (answer.status_code, codes(answer)) == (401, expected)
    assert answer.headers["PSWS-Version"] == "0"
    assert "WWW-Authenticate" in answer.headers


def test_a_header_that_is_no_base64_counts_as_an_empty_key(talk: Talk) -> None:
    answer = httpx.get(f"{talk.server.url}/api/products", headers={"Authorization": "Basic !!!"})

    assert codes(answer) == [17]


def test_a_disabled_key_answers_like_an_unknown_one_and_a_key_without_rights_lacks_permission(talk: Talk) -> None:
    talk.shop.add_key("D" * 32, is_active=False)
    talk.shop.add_key("N" * 32, rights={})

    assert codes(talk.client.get("/api/products", auth=("D" * 32, ""))) == [20, 21]
    assert codes(talk.client.get("/api/products", auth=("N" * 32, ""))) == [21]


def test_a_key_in_the_query_works_too(talk: Talk) -> None:
    assert httpx.get(f"{talk.server.url}/api/products?ws_key={SAMPLE_KEY}&limit=1").status_code == 200


@pytest.mark.parametrize("shop", ["9", "two"])
def test_an_unknown_shop_redirects_to_the_home_page_and_ends_the_connection(talk: Talk, shop: str) -> None:
    answer = talk.get("products", id_shop=shop)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{talk.server.url}/?url=products"
    assert answer.http_version == "HTTP/1.0"
    assert answer.content == b""


def test_a_foreign_host_redirects_to_the_main_domain(talk: Talk) -> None:
    port = talk.server.url.rpartition(":")[2]
    answer = httpx.get(f"http://localhost:{port}/api/products/1", auth=(SAMPLE_KEY, ""))

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{talk.server.url}/?url=products/1"


def test_the_folder_of_a_shop_is_its_context_and_appears_in_links(talk: Talk) -> None:
    second = talk.shop.add_shop("Second", folder="second/")
    talk.shop.set_own(6, second, {"price": "99.000000"})

    answer = talk.client.get("/second/api/products?display=[id,price,id_manufacturer]")

    assert "<![CDATA[99.000000]]>" in answer.text
    assert f"{talk.server.url}/second/api/manufacturers/1" in answer.text
    assert answer.text.count("<product>") == 1


def test_a_group_of_shops_is_a_context_and_orders_follow_it(talk: Talk) -> None:
    second = talk.shop.add_shop("Second", folder="second/")
    order = talk.shop.place_order(3, [(6, 1)], shop=second)

    in_group = talk.rows("orders", display="[id]", id_group_shop="1")
    by_default = talk.rows("orders", display="[id]")

    assert order in [row["id"] for row in in_group]
    assert order not in [row["id"] for row in by_default]
    assert codes(talk.get(f"orders/{order}")) == [131]
    assert talk.get(f"orders/{order}", id_shop=str(second)).status_code == 200


def test_a_verb_can_be_replaced_in_the_query_of_a_post(talk: Talk) -> None:
    answer = talk.send("POST", "products", "<product><id>6</id><price>5.5</price></product>", ps_method="PATCH")

    assert answer.status_code == 200
    assert talk.shop.row("products", 6)["price"] == "5.500000"


def test_patch_does_not_exist_before_version_8() -> None:
    with talking(build_sample_shop(version="1.7.8.11")) as talk:
        answer = talk.send("PATCH", "stock_availables", "<stock_available><id>6</id></stock_available>")

        assert (answer.status_code, codes(answer)) == (405, [23])
        assert answer.headers["PSWS-Version"] == "1.7.8.11"
        assert "patch=" not in talk.get("").text


def test_other_addresses_are_pages_of_the_shop(talk: Talk) -> None:
    assert talk.client.get("/").status_code == 200
    assert talk.client.get("/nowhere").status_code == 404
    assert talk.client.get("/nowhere").headers["Content-Type"].startswith("text/html")


def test_an_answer_that_is_known_already_is_304(talk: Talk) -> None:
    first = talk.get("products", limit="3")

    again = talk.client.get("/api/products?limit=3", headers={"Local-Content-Sha1": first.headers["Content-Sha1"]})

    assert (again.status_code, again.content) == (304, b"")


def test_head_answers_headers_without_a_body(talk: Talk) -> None:
    answer = talk.client.head("/api/products")

    assert answer.status_code == 200
    assert "Content-Sha1" in answer.headers
    assert answer.content == b""
