"""Mapping by itself: single values and the corners no shop of the simulator has."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.prestashop.client.dialect import COMBINATIONS, ORDERS, PRODUCTS, STOCK
from connectors.prestashop.client.moments import earliest_local, parse_local
from connectors.prestashop.client.rows import (
    Broken,
    OrderRaw,
    ProductRaw,
    ProductSupplierRow,
    Scalar,
    StockRow,
    SupplierRow,
)
from connectors.prestashop.mapping import fields, orders, products, stock, suppliers
from domain.errors import NeedsAttention, RecordProblem, UnexpectedFormat
from domain.records import Money, Order, Product
from engine.connector import Format

CATALOGUE = products.Catalogue(currency="EUR", language="1", weight_unit="kg", options={}, values={})
SHOP = orders.Shop(zone=ZoneInfo("Europe/Paris"), language="1", name="Shop", cancelled_states=frozenset({"6"}))


def product_row(**changed: object) -> dict[str, object]:
    """A product as a list gives it."""
    row: dict[str, object] = {
        "id": 12,
        "id_manufacturer": "0",
        "id_supplier": "",
        "id_default_image": None,
        "reference": "SKU",
        "weight": "0.500000",
        "ean13": "",
        "upc": "",
        "is_virtual": "0",
        "state": "1",
        "isbn": "",
        "price": "10.000000",
        "wholesale_price": "0.000000",
        "active": "1",
        "name": "Thing",
    }
    return {**row, **changed}


def combination_row(number: int, **changed: object) -> dict[str, object]:
    """A combination as a list gives it."""
    row: dict[str, object] = {
        "id": number,
        "id_product": "12",
        "reference": "",
        "ean13": "",
        "upc": "",
        "price": "0.000000",
        "weight": "0.000000",
    }
    return {**row, **changed}


def map_product(
    row: dict[str, object], *combinations: dict[str, object], catalogue: products.Catalogue = CATALOGUE
) -> Product:
    """Through the decoder, as in life."""
    body = msgspec.json.encode({"products": [row]})
    variants = msgspec.json.encode({"combinations": list(combinations)})
    only = PRODUCTS.rows(body, answers=Format.JSON)[0]
    if isinstance(only, Broken):
        return products.product(only, catalogue)
    return products.product(ProductRaw(only, COMBINATIONS.rows(variants, answers=Format.JSON)), catalogue)


def test_a_sku_is_taken_over_from_the_product_only_where_it_names_one_combination() -> None:
    """Two variants of one SKU could not be told apart."""
    alone = map_product(product_row(), combination_row(1))
    assert [variant.sku for variant in alone.variants] == ["SKU"]
    one_of_two = map_product(product_row(), combination_row(1), combination_row(2, reference="SKU-2"))
    assert [variant.sku for variant in one_of_two.variants] == ["SKU", "SKU-2"]
    both = map_product(product_row(), combination_row(1), combination_row(2))
    assert [variant.sku for variant in both.variants] == ["", ""]
    taken = map_product(product_row(), combination_row(1), combination_row(2, reference=" sku "))
    assert [variant.sku for variant in taken.variants] == ["", "sku"]
    codes = map_product(product_row(ean13="4006381333931"), combination_row(1), combination_row(2, upc="123"))
    assert [variant.barcode for variant in codes.variants] == ["4006381333931", "123"]


@pytest.mark.parametrize(
    ("given_codes", "expected"),
    [
        ({"ean13": "0"}, ""),
        ({"ean13": "0", "upc": "036000291452"}, "036000291452"),
        ({"isbn": "9783161484100"}, "9783161484100"),
        ({"ean13": 4006381333931}, "4006381333931"),
        ({"ean13": "0012345678905"}, "0012345678905"),
    ],
)
def test_a_barcode_is_the_first_there_is_and_keeps_its_zeros(given_codes: dict[str, object], expected: str) -> None:
    """Old shops write 0 for none."""
    assert map_product(product_row(**given_codes)).barcode == expected


@pytest.mark.parametrize(
    ("unit", "weight"),
    [("kg", "0.5"), ("g", "0.0005"), ("lb", "0.226796185"), ("oz", "0.0141747615625"), ("stone", None)],
)
def test_weights_are_kilograms_whatever_the_shop_weighs_in(unit: str, weight: str | None) -> None:
    """A unit nobody knows gives no weight, rather than a wrong one."""
    catalogue = products.Catalogue("EUR", "1", unit, {}, {})
    assert map_product(product_row(), catalogue=catalogue).weight == (None if weight is None else Decimal(weight))


def test_no_weight_and_no_purchase_price_are_none_not_zero() -> None:
    """A shop writes 0 for what it does not know."""
    found = map_product(product_row(weight="0.000000"))
    assert (found.weight, found.purchase_price) == (None, None)


def test_a_combination_may_cost_less_than_its_product_but_not_less_than_nothing() -> None:
    """Differences may be negative."""
    assert map_product(product_row(), combination_row(1, price="-9.500000")).variants[0].price == Money(
        Decimal("0.5"), "EUR"
    )
    with pytest.raises(NeedsAttention, match="combination 1: price") as problem:
        map_product(product_row(), combination_row(1, price="-10.500000"))
    assert problem.value.field == "combination 1: price"


def test_translations_fall_back_to_a_language_that_has_a_text() -> None:
    """Several languages come where the shop ignores the one asked for."""
    names = [{"id": "1", "value": ""}, {"id": 2, "value": "Chose"}]
    assert map_product(product_row(name=names)).name == "Chose"
    assert map_product(product_row(name=[{"id": "1", "value": "Thing"}])).name == "Thing"
    assert map_product(product_row(name=[])).name == ""
    assert map_product(product_row(name=7)).name == "7"


def test_a_label_is_readable_even_where_the_record_is_not() -> None:
    """People see it in lists."""
    raw = PRODUCTS.rows(b'{"products":[{"id":5,"reference":["x"],"name":"Thing"}]}', answers=Format.JSON)[0]
    assert products.identify(raw) == ("5", "Thing")  # type: ignore[arg-type]
    assert products.identify(Broken(id="5")) == ("5", "#5")
    only = PRODUCTS.rows(msgspec.json.encode({"products": [product_row(reference=None)]}), answers=Format.JSON)[0]
    assert products.identify(ProductRaw(only)) == ("12", "#12")  # type: ignore[arg-type]


def test_every_kind_tells_whose_row_is_broken() -> None:
    """By id, and by name where there is one."""
    broken = Broken(id="7", label="Seven", field="price", message="Expected `str`")
    for identify in (
        *(products.identify, orders.identify, stock.identify),
        *(suppliers.identify_supplier, suppliers.identify_product_supplier),
    ):
        assert identify(broken) == ("7", "Seven")
    for convert in (
        lambda: products.product(broken, CATALOGUE),
        lambda: orders.order(broken, SHOP),
        lambda: stock.stock_level(broken),
        lambda: suppliers.supplier(broken),
        lambda: suppliers.product_supplier(broken, lambda _: "EUR"),
    ):
        with pytest.raises(NeedsAttention, match="'price' cannot be read") as problem:
            convert()
        assert problem.value.cause == "invalid_field:price"
    with pytest.raises(NeedsAttention, match="The record cannot be read"):
        stock.stock_level(Broken(id="7", message="why"))


def test_rows_of_stock_and_suppliers_are_identified_by_what_they_are_of() -> None:
    """A row's own id means nothing to people."""
    row = StockRow(1, "12", "34", "5", "0", "1", "0")
    assert stock.identify(row) == ("1", "#12-34")
    assert stock.identify(StockRow(1, "12", "0", "5", "0", "1", "0")) == ("1", "#12")
    assert suppliers.identify_supplier(SupplierRow(3, "Northwind", "1")) == ("3", "Northwind")
    link = ProductSupplierRow(74, "6", "0", "3", "1", "NW", "1")
    assert suppliers.identify_product_supplier(link) == ("74", "NW")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (StockRow(1, "0", "0", "5", "0", "1", "0"), "id_product"),
        (StockRow(1, "12", "0", "1.5", "0", "1", "0"), "quantity"),
        (StockRow(1, "12", "0", "3000000000", "0", "1", "0"), "quantity"),
        (StockRow(1, "12", "x", "5", "0", "1", "0"), "id_product_attribute"),
        (StockRow(1, True, "0", "5", "0", "1", "0"), None),
    ],
)
def test_a_quantity_is_a_whole_number_of_a_product(row: StockRow, field: str | None) -> None:
    """Anything else costs this row."""
    if field is None:
        assert stock.stock_level(row).item_remote_id == "1"
        return
    with pytest.raises(NeedsAttention) as problem:
        stock.stock_level(row)
    assert problem.value.field == field


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (ProductSupplierRow(74, "0", "0", "3", "1", "NW", "1"), "id_product"),
        (ProductSupplierRow(74, "6", "0", "0", "1", "NW", "1"), "id_supplier"),
        (ProductSupplierRow(74, "6", "0", "3", "1", "NW", "-1"), "product_supplier_price_te"),
    ],
)
def test_a_link_needs_a_product_a_supplier_and_a_price_of_nothing_or_more(row: ProductSupplierRow, field: str) -> None:
    """Anything else costs this link."""
    with pytest.raises(NeedsAttention) as problem:
        suppliers.product_supplier(row, lambda _: "EUR")
    assert problem.value.field == field


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), (1, True), (True, True), ("0", False), (0, False), ("", False), (None, False), (False, False)],
)
def test_flags_are_text_or_numbers(value: Scalar, expected: bool) -> None:
    """From one version to the next."""
    assert fields.flag(value) is expected


def test_texts_are_whatever_can_be_shown() -> None:
    """Modules make numbers of references."""
    assert [fields.text(value, "x") for value in (None, True, False, 12, " a ")] == ["", "1", "", "12", "a"]


def test_numbers_may_come_as_numbers() -> None:
    """Exactly, without the noise of binary fractions."""
    assert [fields.number(value, "x") for value in (12, 0.1, "0.1", "+3")] == [
        *(Decimal(12), Decimal("0.1"), Decimal("0.1"), Decimal(3)),
    ]
    assert fields.number_or_zero("", "x") == 0
    for value in (None, "", float("inf"), float("nan"), True):
        with pytest.raises(NeedsAttention):
            fields.number(value, "x")


def test_dates_are_local_times_and_none_is_none() -> None:
    """In the hour that comes twice, the first one."""
    paris = ZoneInfo("Europe/Paris")
    assert fields.moment("2026-10-25 02:30:00", "x", paris) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert fields.moment("0000-00-00 00:00:00", "x", paris) is None
    assert fields.moment(None, "x", paris) is None
    for value in ("2026-13-01 00:00:00", "yesterday", "0001-01-01 00:00:00"):
        with pytest.raises(NeedsAttention):
            fields.moment(value, "x", paris)
    with pytest.raises(UnexpectedFormat):
        parse_local("yesterday")


def test_the_local_time_to_read_from_is_never_too_late() -> None:
    """In New York, in Lord Howe with its half hour, and where the clock never changes."""
    instant = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert earliest_local(instant, ZoneInfo("America/New_York")) == "2026-11-01 00:30:00"
    assert (
        earliest_local(datetime(2026, 4, 4, 14, 45, tzinfo=UTC), ZoneInfo("Australia/Lord_Howe"))
        == "2026-04-05 01:15:00"
    )
    assert earliest_local(instant, ZoneInfo("Asia/Tokyo")) == "2026-11-01 14:30:00"


def an_order(**changed: object) -> OrderRaw:
    """An order as a list gives it."""
    row = {
        **dict.fromkeys(("id_customer", "id_address_delivery", "id_address_invoice", "id_lang"), "0"),
        **dict.fromkeys(("total_shipping_tax_incl", "total_wrapping_tax_incl", "total_discounts_tax_incl"), "0.000000"),
        "id": 9,
        "reference": "",
        "id_currency": "1",
        "id_carrier": "0",
        "current_state": "2",
        "module": "",
        "payment": "Cash",
        "date_add": "2026-11-18 18:00:00",
        "date_upd": None,
        "total_products_wt": "1",
        "total_paid_tax_incl": "1",
        "total_paid_tax_excl": "1",
        **changed,
    }
    raw = ORDERS.rows(msgspec.json.encode({"orders": [row]}), answers=Format.JSON)[0]
    assert not isinstance(raw, Broken)
    return OrderRaw(row=raw, currency="JPY")


def test_an_order_without_anything_still_is_an_order() -> None:
    """It says what it lacks."""
    found = orders.order(an_order(), SHOP)
    assert isinstance(found, Order)
    assert (found.number, found.payment_method, found.lines) == ("9", "Cash", ())
    assert found.remarks == ("The order has no lines.",)


def test_yen_with_cents_and_totals_below_zero_are_remarked_upon() -> None:
    """Never rounded, never refused."""
    found = orders.order(an_order(total_paid_tax_incl="65.520000"), SHOP)
    assert "finer than the smallest coin" in found.remarks[-1]
    found = orders.order(an_order(total_paid_tax_incl="-3"), SHOP)
    assert "The total is below zero: -3 JPY." in found.remarks


def test_an_order_without_a_date_is_refused() -> None:
    """It could not be placed in time."""
    with pytest.raises(NeedsAttention, match="'date_add' is empty"):
        orders.order(an_order(date_add="0000-00-00 00:00:00"), SHOP)


VALUES: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["NaN", "-0", "1,5", "1e400", "\0", "9" * 6000, "0000-00-00", "x" * 300_000]),
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*product_row(), "associations"]), VALUES, min_size=1, max_size=4))
def test_mapping_is_total_over_whatever_a_product_may_hold(changed: dict[str, object]) -> None:
    """A record, or a problem that names a field or the whole record; never anything else."""
    body = json.dumps({"products": [product_row(**changed)]}).encode()
    try:
        row = PRODUCTS.rows(body, answers=Format.JSON)[0]
        raw = row if isinstance(row, Broken) else ProductRaw(row)
        assert all(len(part) < 300 for part in products.identify(raw))
        found = products.product(raw, CATALOGUE)
    except (RecordProblem, UnexpectedFormat) as problem:
        told = problem.message
    else:
        told = ""
        assert Decimal("-1e30") < found.price.amount < Decimal("1e30")  # type: ignore[union-attr]
    assert len(told) < 1000


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(list(StockRow.__struct_fields__)), VALUES, min_size=1, max_size=3))
def test_mapping_is_total_over_whatever_a_stock_row_may_hold(changed: dict[str, object]) -> None:
    """As for products."""
    row = {"id": 1, "id_product": "12", "id_product_attribute": "0", "quantity": "5"}
    row |= {"depends_on_stock": "0", "id_shop": "1", "id_shop_group": "0"}
    body = json.dumps({"stock_availables": [{**row, **changed}]}).encode()
    told = ""
    try:
        raw = STOCK.rows(body, answers=Format.JSON)[0]
        assert all(len(part) < 300 for part in stock.identify(raw))
        stock.stock_level(raw)
    except (RecordProblem, UnexpectedFormat) as problem:
        told = problem.message
    assert len(told) < 1000
