"""A shop that lies, breaks off or breaks its own XML: the truth, or an error – never wrong records."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.prestashop.client.dialect import COUNTRIES
from connectors.prestashop.client.directory import Directory, fill
from connectors.prestashop.client.rows import CodeRow
from connectors.prestashop.connector import CONNECTOR
from connectors.prestashop.simulator import build_sample_shop
from domain.errors import NeedsAttention, PlatformError, RemoteContractError, Truncated, UnexpectedFormat
from domain.records import Order, Product, StockLevel, Supplier
from engine.connector import Answer, Reading, Request
from tests.connectors.prestashop.opened import Between, Opened, door_to, opened

FAULTS = [
    "bad_gateway",
    "byte_order_mark",
    "changed_state",
    "cut",
    "cut_after_write",
    "deep_nesting",
    "duplicate_keys",
    "empty_body",
    "error_object",
    "fatal",
    "fatal_after_write",
    "half_body",
    "half_chunked",
    "half_gzip_chunked",
    "half_gzip_length",
    "half_head",
    "html_page",
    "invalid_encoding",
    "key_disabled",
    "list_warnings",
    "maintenance_page",
    "malformed_xml",
    "nul_bytes",
    "redirect",
    "repeated_row",
    "rewriting_off",
    "same_second",
    "server_error",
    "server_error_after_write",
    "switched_off",
    "unsorted_list",
    "vanished_row",
    "warning_after_write",
    "wrong_content_type",
    "xml_bomb",
    "xml_dtd",
    "xml_entity",
]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal but for the order."""
    return {name: str(record) for name, record in one.items()} == {name: str(record) for name, record in other.items()}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("chosen", ["json", "xml"])
def test_a_fault_brings_the_truth_or_an_error(chosen: str, fault: str) -> None:
    """On the list of products, of combinations and of what orders point to: once, and without end."""
    lies = {"changed_state"}  # nothing in the answer tells
    with opened(build_sample_shop(), format=chosen) as shop:
        truth = {kind: shop.records(kind, page_size=10) for kind in (Product, Order)}
        for kind, path in ((Product, "api/products"), (Product, "api/combinations.*full"), (Order, "api/addresses")):
            for times in (1, None):
                with door_to(shop.settings) as shop.account.door:
                    shop.account = CONNECTOR.open(shop.account.door, shop.settings)
                    shop.server.faults.add(fault, path=path, times=times)
                    try:
                        found = shop.records(kind, page_size=10)
                    except PlatformError as error:
                        assert error.message  # noqa: PT017 - either is right
                    else:
                        assert same(found, truth[kind]) or fault in lies
                    shop.server.faults.clear()


@pytest.mark.parametrize("kind", [Product, Order, StockLevel])
def test_broken_xml_costs_no_record(kind: type) -> None:
    """The page is read as JSON instead."""
    with opened(build_sample_shop(), format="xml") as shop:
        truth = shop.records(kind)
        shop.account = shop.reopened()
        shop.server.faults.add("malformed_xml", times=None, path="display=.*filter")
        assert same(shop.records(kind), truth)


def test_where_json_is_broken_too_only_the_bad_record_is_lost() -> None:
    """The page is halved down to it."""
    sample = build_sample_shop()
    sample.update("products", 7, {"name": {1: "Breaks ]]> it", 2: "x"}})
    with opened(sample, format="xml") as shop:
        shop.server.faults.add("html_page", times=None, path="output_format=JSON")
        found = shop.records(Product, page_size=10)
        assert len(found) == 19
        problems = {name: one for name, one in found.items() if isinstance(one, NeedsAttention)}
        assert list(problems) == ["7"]
        assert "break the shop's XML" in problems["7"].message
        pages = shop.pages(Product, page_size=10)
        assert len({page.digest for page in pages}) == 2
        lists = [line for line in shop.requests() if "filter%5Bid%5D=%5B" in line or "filter[id]=[" in line]
        assert len(lists) < 30


def test_a_list_out_of_order_is_refused_where_its_order_counts() -> None:
    """What comes after a cut list is not known then."""
    with opened(build_sample_shop()) as shop:
        shop.server.faults.add("unsorted_list", times=None, path="api/orders")
        with pytest.raises(UnexpectedFormat, match="out of order"):
            shop.records(Order, Reading(page_size=5))


class Lying:
    """A door whose answers to some lists are rewritten: shops do it with modules."""

    def __init__(self, opened_shop: Opened, resource: str, rewrite: Callable[[bytes], bytes]) -> None:
        """``rewrite`` changes the body."""
        self._door, self._resource, self._rewrite = opened_shop.door, resource, rewrite

    def send(self, request: Request) -> Answer:
        """The answer, perhaps rewritten."""
        found = self._door.send(request)
        if request.path.endswith(self._resource) and ("display", "[id]") not in request.query:
            return replace(found, body=self._rewrite(found.body))
        return found

    def stream(self, requests: Any) -> Any:
        """The answers, perhaps rewritten."""
        return (self.send(request) for request in requests)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'"price":"11.900000"', b'"price":"NaN"', "price"),
        (b'"price":"11.900000"', b'"price":"Infinity"', "price"),
        (b'"price":"11.900000"', b'"price":1e400', "price"),
        (b'"price":"11.900000"', b'"price":"1e400"', "price"),
        (b'"price":"11.900000"', b'"price":"11,9"', "price"),
        (b'"price":"11.900000"', b'"price":"1_1"', "price"),
        (b'"price":"11.900000"', b'"price":"-1.5"', "price"),
        (b'"price":"11.900000"', b'"price":null', "price"),
        (b'"price":"11.900000"', b'"price":' + b"9" * 5000, "price"),
        (b'"price":"11.900000"', b'"price":"' + b"9" * 5000 + b'"', "price"),
        (b'"price":"11.900000"', b'"price":{"amount":1}', "price"),
        (b'"price":"11.900000"', b'"price":"1","price":"2"', "price"),
        (b'"reference":"demo_11"', b'"reference":["demo_11"]', "reference"),
        (b'"reference":"demo_11"', b'"reference":"a\\u0000b"', "reference"),
        (b'"reference":"demo_11"', b'"reference":"' + b"x" * 10_000 + b'"', "reference"),
        (b'"reference":"demo_11"', b'"reference":"\\ud800"', ""),
        (b'"weight":"0.300000","ean13":"4006381333931"', b'"weight":"heavy","ean13":"4006381333931"', "weight"),
        (b'"name":"Mug The best is yet to come"', b'"name":[{"id":"1","value":{}}]', "name[0].value"),
        (b'"id_supplier":"2"', b'"id_supplier":"two"', "id_supplier"),
        (b'"reference":"demo_11",', b"", ""),
    ],
)
def test_a_bad_value_costs_its_own_record_and_names_the_field(old: bytes, new: bytes, field: str) -> None:
    """The rest of the page passes."""
    with opened(build_sample_shop()) as shop:
        spoilt: list[int] = []

        def rewrite(body: bytes) -> bytes:
            head, found, tail = body.partition(b'{"id":6,')
            end = tail.find(b'{"id":7,')
            spoilt.append(tail[:end].count(old))
            return head + found + tail[:end].replace(old, new) + tail[end:]

        shop.account.door = Lying(shop, "products", rewrite)
        found = shop.by_id(Product, "5", "6", "7")
        assert spoilt == [1], "the sample no longer holds this text"
        assert list(found) == ["5", "6", "7"]
        problem = found["6"]
        assert isinstance(problem, NeedsAttention)
        assert problem.field == field
        assert problem.remedy
        assert "]" * 50 not in problem.message
        assert len(problem.message) < 400


def test_minus_zero_is_zero() -> None:
    """And a value without digits after the point, or with an exponent as PHP writes small numbers, is a number."""
    with opened(build_sample_shop()) as shop:
        for text, expected in (("-0.000000", "0"), ("12", "12"), ("1.0E-5", "0.000010"), ("120.000000", "120")):
            spoil = f'"price":"{text}"'.encode()
            shop.account.door = Lying(
                shop, "products", lambda body, new=spoil: body.replace(b'"price":"11.900000"', new)
            )
            assert format(shop.by_id(Product, "6")["6"].price.amount, "f") == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'{"products"', b'{"errors"', UnexpectedFormat),
        (b'{"products":[', b'{"products":{"1":', UnexpectedFormat),
        (b'{"products":[', b'{"products":' + b"[" * 100_000, UnexpectedFormat),
        (b'{"id":6,', b'{"id":999999,', UnexpectedFormat),
    ],
)
def test_a_list_that_is_none_is_refused_whole(old: bytes, new: bytes, expected: type[RemoteContractError]) -> None:
    """Nothing of it is used."""
    with opened(build_sample_shop()) as shop:
        shop.account.door = Lying(shop, "products", lambda body: body.replace(old, new, 1))
        with pytest.raises(expected):
            shop.records(Product)


def test_a_combination_that_cannot_be_read_costs_its_product_only() -> None:
    """It is not left out: the product would lose a variant."""
    with opened(build_sample_shop()) as shop:
        shop.account.door = Lying(shop, "combinations", lambda body: body.replace(b'"demo_1-M-WHT"', b"{}", 1))
        found = shop.records(Product)
        assert isinstance(found["1"], NeedsAttention)
        assert found["1"].field == "combination 3: reference"
        assert len([one for one in found.values() if isinstance(one, Product)]) == 18
        shop.account.door = Lying(
            shop, "combinations", lambda body: body.replace(b'"id_product":"1"', b'"id_product":{}', 1)
        )
        with pytest.raises(UnexpectedFormat, match="cannot be read"):
            shop.records(Product)


def test_a_list_that_is_no_use_with_a_row_missing_is_refused_whole() -> None:
    """Ids, settings and rows about to be written."""
    with opened(build_sample_shop()) as shop:
        shop.account.door = Lying(shop, "configurations", lambda body: body.replace(b'"name":"PS_', b'"name":["PS_', 1))
        with pytest.raises(RemoteContractError):
            assert CONNECTOR.open(shop.account.door, shop.settings).facts


def test_truncated_is_what_a_cut_answer_is() -> None:
    """Not an empty shop."""
    with opened(build_sample_shop()) as shop:
        shop.server.faults.add("half_body", times=None, path="api/products")
        with pytest.raises(Truncated):
            shop.records(Product)


@pytest.mark.parametrize(
    ("resource", "old", "new", "field"),
    [
        ("addresses", b'"city":"Berlin"', b'"city":{}', "addresses 9: city"),
        ("addresses", b'"city":"Berlin",', b"", "addresses 9"),
        ("customers", b'"id":4,', b'"id":4,"id_lang":[],', "customers 4: id_lang"),
        ("carriers", b'"id":2,', b'"id":2,"name":{},', "carriers 2: name"),
        (
            "order_payments",
            b'"order_reference":"QOVWCTKJU",',
            b'"order_reference":"QOVWCTKJU","amount":{},',
            "order_payments 4: amount",
        ),
    ],
)
def test_what_an_order_points_to_and_cannot_be_read_costs_that_order_only(
    resource: str, old: bytes, new: bytes, field: str
) -> None:
    """It is not the same as being deleted."""
    with opened(build_sample_shop()) as shop:
        shop.account.door = Lying(shop, resource, lambda body: body.replace(old, new, 1))
        found = shop.by_id(Order, "9", "16")
        assert isinstance(found["9"], NeedsAttention)
        assert found["9"].field == field
        assert isinstance(found["16"], Order) or resource == "carriers"


@pytest.mark.parametrize("chosen", ["json", "xml"])
def test_a_field_that_is_left_out_is_not_an_empty_one(chosen: str) -> None:
    """Thousands of SKUs would be emptied."""
    with opened(build_sample_shop(), format=chosen) as shop:
        shop.account.door = Lying(shop, "products", lambda body: body.replace(b"reference", b"referenz"))
        found = shop.records(Product)
        assert all(isinstance(one, NeedsAttention) for one in found.values())
        assert len(found) == 19
        assert "left out" in found["6"].message or "missing required field" in found["6"].message


@pytest.mark.parametrize("chosen", ["json", "xml"])
def test_rights_that_are_none_and_documents_that_are_foreign_are_refused(chosen: str) -> None:
    """XML, but not the shop's."""
    with opened(build_sample_shop(), format=chosen) as shop:
        foreign = b'<?xml version="1.0"?><rss><channel/></rss>'
        empty = b'<?xml version="1.0"?><prestashop><news/></prestashop>'
        for body in (foreign, empty):
            door = Lying(shop, "api/", lambda _, body=body: body)
            found = CONNECTOR.probe(door, shop.settings)
            assert [check.passed for check in found.checks] == [False]
            if chosen == "xml":
                shop.account.door = Lying(shop, "suppliers", lambda _, body=body: body)
                with pytest.raises(UnexpectedFormat):
                    shop.records(Supplier)


def test_a_list_of_something_else_is_refused() -> None:
    """JSON, but not a list of what was asked for."""
    with opened(build_sample_shop()) as shop:
        for body in (b'{"suppliers":{"1":{"id":1}}}', b'"words"', b"[1]", b'{"suppliers":7}'):
            shop.account.door = Lying(shop, "suppliers", lambda _, body=body: body)
            with pytest.raises(UnexpectedFormat):
                shop.records(Supplier)


def test_a_row_whose_id_is_none_costs_itself_and_a_page_of_them_costs_the_page() -> None:
    """Reading could not go on behind them."""
    with opened(build_sample_shop()) as shop:
        shop.account.door = Lying(shop, "suppliers", lambda body: body.replace(b'"id":2', b'"id":"two\\u0000"'))
        found = shop.records(Supplier)
        assert [name for name in found if not name.startswith("?")] == ["1", "3"]
        assert len(found) == 3
        shop.account.door = Lying(shop, "suppliers", lambda body: body.replace(b'"id":', b'"id":-'))
        with pytest.raises(UnexpectedFormat, match="no row whose id can be read"):
            shop.records(Supplier, Reading(page_size=2))


def test_what_records_point_to_is_forgotten_in_time() -> None:
    """A year of customers would not fit into memory; they are read again when needed."""
    with opened(build_sample_shop()) as shop:
        few: Directory[CodeRow] = Directory(COUNTRIES, display="[id,iso_code]", keeps=2)
        for wanted in (["1", "3", "6", "0", "x"], ["8"], ["8"]):
            fill(shop.account, (few, wanted))
        assert [few.get(name) is not None for name in ("1", "8")] == [False, True]
        assert len(shop.requests()) == 2


def test_a_whole_list_may_be_empty_in_broken_xml_too() -> None:
    """Deleted while it was asked for again."""
    with opened(build_sample_shop(), format="xml") as shop:
        shop.account.door = Lying(shop, "suppliers", lambda body: body.replace(b"CDATA[Fashion", b"CDATA[]]>\x0b<b>"))
        shop.server.faults.add("html_page", times=None, path="output_format=JSON")

        def empty() -> None:
            for number in list(shop.shop.tables["suppliers"].rows):
                shop.shop.delete("suppliers", number)

        census = shop.census(Supplier)
        shop.account.door = Between(shop.account.door, "suppliers", "[id]", empty)
        assert shop.records(Supplier, Reading(page_size=5, census=census)) == {}


def test_a_shop_that_tells_none_of_its_settings_is_not_believed() -> None:
    """An empty answer must neither pause the integration nor put its dates into another zone."""
    with opened(build_sample_shop()) as shop:
        door = Lying(shop, "configurations", lambda _: b"[]")
        with pytest.raises(UnexpectedFormat, match="none of its settings"):
            assert CONNECTOR.open(door, shop.settings).facts
