"""PrestaShop's own ways to misbehave."""

import httpx
import pytest
from lxml import etree

from connectors.prestashop.simulator.hostile import FAULTS
from tests.connectors.prestashop.simulator.talking import Talk, codes

LIST = {"display": "[id,date_upd,name]", "sort": "[id_ASC]", "limit": "5"}
PATCH = "<s><id>6</id><quantity>3</quantity></s>"


def ids(answer: httpx.Response) -> list[int]:
    return [int(node.findtext("id")) for node in etree.fromstring(answer.content)[0]]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_every_fault_is_met_once_and_then_forgotten(talk: Talk, fault) -> None:
    honest = talk.get("orders", display="full", limit="4")
    talk.server.faults.add(fault.name)

    hostile = talk.get("orders", display="full", limit="4")

    assert (hostile.status_code, hostile.content) != (honest.status_code, honest.content) or (
        fault.name == "warning_after_write"
    )
    assert talk.get("orders", display="full", limit="4").content == honest.content
    assert talk.server.ledger.recent[1].fault == fault.name


def test_a_malformed_list_is_no_xml_while_json_stays_valid(talk: Talk) -> None:
    talk.server.faults.add("malformed_xml", times=2)

    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(talk.get("products", **LIST).content)
    assert len(talk.get("products", output_format="JSON", **LIST).json()["products"]) == 5


@pytest.mark.parametrize(
    ("fault", "expected"), [("unsorted_list", [2, 4, 1, 3, 5]), ("repeated_row", [1, 1, 2, 3, 4, 5])]
)
def test_lists_come_out_of_order_or_with_a_row_twice_in_both_formats(
    talk: Talk, fault: str, expected: list[int]
) -> None:
    talk.server.faults.add(fault, times=3)

    as_xml = talk.get("products", **LIST)
    as_json = talk.get("products", output_format="JSON", **LIST).json()["products"]
    without_fields = talk.get("products", limit="5")
    honest = talk.get("products/1").content
    talk.server.faults.add(fault)
    single = talk.get("products/1").content

    assert ids(as_xml) == expected
    assert [row["id"] for row in as_json] == expected
    assert [int(node.get("id")) for node in etree.fromstring(without_fields.content)[0]] == expected
    assert single == honest


def test_a_list_of_an_even_number_comes_out_of_order_too(talk: Talk) -> None:
    talk.server.faults.add("unsorted_list")

    assert sorted(found := ids(talk.get("products", **{**LIST, "limit": "4"}))) == [1, 2, 3, 4]
    assert found != [1, 2, 3, 4]


def test_all_rows_share_one_second(talk: Talk) -> None:
    talk.server.faults.add("same_second", times=2)

    assert talk.get("products", **LIST).text.count("2026-11-20 15:20:00") == 5
    rows = talk.get("products", output_format="JSON", **LIST).json()["products"]
    assert {row["date_upd"] for row in rows} == {"2026-11-20 15:20:00"}


def test_orders_show_the_state_they_were_changed_to_in_between(talk: Talk) -> None:
    talk.server.faults.add("changed_state", times=2, setting="7")

    rows = talk.get("orders", output_format="JSON", display="full", limit="2").json()["orders"]
    assert {row["current_state"] for row in rows} == {"7"}
    assert "<![CDATA[7]]></current_state>" in talk.get("orders/9").text


def test_a_php_warning_turns_a_successful_write_into_a_500(talk: Talk) -> None:
    talk.server.faults.add("warning_after_write", method="PATCH")

    answer = talk.send("PATCH", "stock_availables", PATCH)

    assert (answer.status_code, codes(answer)) == (500, [3])
    assert talk.shop.stock_of(6) == 3


@pytest.mark.parametrize(("fault", "left"), [("fatal", 18), ("fatal_after_write", 3)])
def test_an_empty_500_may_come_before_or_after_the_write(talk: Talk, fault: str, left: int) -> None:
    talk.server.faults.add(fault)

    answer = talk.send("PATCH", "stock_availables", PATCH)

    assert (answer.status_code, answer.content, answer.http_version) == (500, b"", "HTTP/1.0")
    assert talk.shop.stock_of(6) == left


def test_refusals_come_in_the_format_asked_for(talk: Talk) -> None:
    talk.server.faults.add("switched_off", times=2)

    assert talk.get("products", output_format="JSON").json()["errors"][0]["code"] == 22
    answer = talk.client.get("/api/products", headers={"Output-Format": "JSON"})
    assert answer.json()["errors"][0]["code"] == 22


def test_an_empty_answer_is_valid_and_holds_nothing(talk: Talk) -> None:
    talk.server.faults.add("empty_answer", times=3)

    assert talk.get("products", output_format="JSON").text == "[]"
    assert "<orders>\n</orders>" in talk.get("orders").text
    assert "<products>\n</products>" in talk.client.get("/elsewhere").text
