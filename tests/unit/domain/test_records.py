"""Canonical records: equal when they are the same thing, stored as the same bytes, read back whole."""

from decimal import Decimal

import pytest

from domain.records import (
    KINDS,
    Blob,
    Component,
    Money,
    Product,
    ProductImage,
    ProductSupplier,
    Shipment,
    Supplier,
    fold,
)
from storage.queries.records import encode, fingerprint
from tests.builders import a_level, a_product, a_variant, an_order


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MUG-1", "mug-1"),
        (" mug  1 ", "Mug 1"),
        ("caf\u00e9", "cafe\u0301"),
        ("\uff2d\uff35\uff27", "mug"),
        ("STRASSE", "straße"),
    ],
)
def test_skus_are_the_same_whatever_their_case_spaces_and_composition(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_skus_that_differ_stay_different() -> None:
    assert len({fold(sku) for sku in ("mug-1", "mug-01", "mug1", "mug 1")}) == 4


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("23.9", "EUR", "23.90 EUR"), ("1200", "JPY", "1200 JPY"), ("1.2345", "KWD", "1.234 KWD")],
)
def test_money_is_told_to_its_smallest_coin(amount: str, currency: str, text: str) -> None:
    assert str(Money(Decimal(amount), currency)) == text


def test_link_keys_are_the_folded_sku_then_the_barcode_and_nothing_for_blanks() -> None:
    assert a_product(sku=" MUG ", barcode="4006381333931").link_keys == ("sku:mug", "barcode:4006381333931")
    assert a_variant(sku="", barcode="").link_keys == ()


def test_labels_are_what_people_call_them() -> None:
    assert a_product("7", sku="").label == "#7"
    assert a_variant("7-1").label == "sku-7-1"
    assert an_order("7").label == "ORDER7"
    assert Supplier(remote_id="1", name="Mill").label == "Mill"
    assert ProductSupplier(remote_id="4", supplier_remote_id="1", item_remote_id="2").label == "#4"
    assert (
        Shipment(remote_id="1", order_remote_id="7", order_number="ORDER7", tracking_number="XX1").label == "ORDER7 XX1"
    )
    assert ProductImage(remote_id="1-2", product_remote_id="1", content=Blob(b"x")).label == "image 1-2"
    assert a_level("3").label == "row-3"


def test_states_say_where_a_record_stands() -> None:
    assert (a_product().state, a_product(is_active=False).state) == ("active", "inactive")
    assert (a_variant(is_active=False).state, an_order(fate="shipped").state) == ("inactive", "shipped")
    assert a_level().occurred_at is None


def test_equal_records_have_equal_bytes_and_one_changed_field_changes_the_fingerprint() -> None:
    assert encode(a_product()) == encode(a_product())
    assert fingerprint(encode(a_product())) != fingerprint(encode(a_product(components=(Component("2", Decimal(1)),))))


def test_the_bytes_of_an_image_are_kept_apart_from_its_record() -> None:
    blob = Blob(b"pixels", media_type="image/png")
    assert b"pixels" not in encode(ProductImage(remote_id="1-2", product_remote_id="1", content=blob))
    assert blob == Blob(b"pixels")
    assert blob != Blob(b"other")
    assert len({blob, Blob(b"pixels")}) == 1
    assert "pixels" not in repr(blob)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert all(kind == record.kind for kind, record in KINDS.items())
    assert Product in KINDS.values()
