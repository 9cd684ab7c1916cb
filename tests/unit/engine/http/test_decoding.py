"""Decoders that nothing surprises."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import RemoteContractError, Truncated, UnexpectedFormat
from engine.http.decoding import decode_json, decode_json_strict, parse_xml


class Order(msgspec.Struct):
    id: int
    reference: str = ""


HOSTILE_JSON = {
    "NaN": b"[NaN]",
    "Infinity": b"[-Infinity]",
    "out of range": b"[1e400]",
    "long number": b"[" + b"9" * 5000 + b"]",
    "lone surrogate": b'["\\ud800"]',
    "lone surrogate in words": b'["a \\uDC00 b"]',
    "encoded surrogate": b'["\xed\xa0\x80"]',
    "latin-1": b'["\xe9"]',
    "utf-16": '["a"]'.encode("utf-16"),
    "bare NUL": b'["a\x00"]',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "cut": b'[{"id": 1}, {"i',
    "nothing": b"",
    "two documents": b"{}{}",
    "trailing comma": b"[1,]",
    "comment": b"[1] // one",
    "single quotes": b"['a']",
    "php": b"Warning: foreach() in /var/www\n[]",
}


@pytest.mark.parametrize("body", HOSTILE_JSON.values(), ids=HOSTILE_JSON.keys())
@pytest.mark.parametrize("decode", [decode_json, decode_json_strict])
def test_json_that_is_not_strictly_json_is_refused(decode, body):
    with pytest.raises(RemoteContractError) as caught:
        decode(body)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert len(caught.value.detail) <= 300


@pytest.mark.parametrize("decode", [decode_json, decode_json_strict])
def test_a_byte_order_mark_is_forgiven_and_odd_text_kept(decode):
    body = b'\xef\xbb\xbf{"a": "\\ud83d\\ude00 \\u0000 e\xcc\x81", "n": [-0, 1.5, 12345678901234567890123]}'
    assert decode(body) == {"a": "😀 \x00 e\u0301", "n": [0, 1.5, 12345678901234567890123]}


def test_a_cut_document_is_truncated():
    with pytest.raises(Truncated):
        decode_json(b'[{"id": 1}, {"id"', list[Order])


def test_another_shape_names_its_place_and_not_its_content():
    with pytest.raises(UnexpectedFormat) as caught:
        decode_json(b'[{"id": 1}, {"id": "canary"}]', list[Order])
    assert "$[1].id" in caught.value.detail
    assert "canary" not in caught.value.detail


TWINS = b'[{"id":1,"reference":"A","reference":"B"},{"id":2,"reference":"C"}]'


def test_equal_keys_are_found_by_counting_the_one_each_item_has_once():
    with pytest.raises(UnexpectedFormat, match="not valid JSON") as caught:
        decode_json(TWINS, list[Order], unique_key="reference", items=len)
    assert "equal keys" in caught.value.detail
    assert decode_json(TWINS.replace(b'"B"', b'"A"'), list[Order])[0].reference == "A"


def test_a_count_that_differs_for_an_honest_reason_is_no_refusal():
    spaced = b'[{"id" : 1, "reference":"\\"id\\":"}, {"id":2}]'
    assert len(decode_json(spaced, list[Order], unique_key="id", items=len)) == 2


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'[{"b":{"a":1,"c":2,"a":null}}]'])
def test_equal_keys_are_always_refused_by_the_strict_decoder(body):
    with pytest.raises(UnexpectedFormat):
        decode_json_strict(body)


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    )
)
def test_both_decoders_read_the_same_from_all_honest_json(value):
    body = json.dumps(value).encode()
    assert decode_json(body) == decode_json_strict(body) == value


@given(st.binary(max_size=200) | st.text('[]{}",:0123456789eE+-.\\u dnulltrefas').map(str.encode))
def test_any_bytes_decode_or_are_refused(body):
    for decode in (decode_json, decode_json_strict, parse_xml):
        try:
            decode(body)
        except RemoteContractError:
            continue


LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(10))
    + b"]><lolz>&k;</lolz>"
)
HOSTILE_XML = {
    "billion laughs": b"<?xml version='1.0'?>\n<!-- hello -->" + LAUGHS,
    "quadratic": b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 100_000 + b'">]><a>' + b"&x;" * 50_000 + b"</a>",
    "file": b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    "address": b"<!DOCTYPE a SYSTEM 'http://169.254.169.254/a.dtd'><a/>",
    "parameter": b"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;]><a/>",
    "any DTD": b"\xef\xbb\xbf \n<!DOCTYPE html><html></html>",
    "small letters": b"<!doctype html><html></html>",
    "in UTF-16": LAUGHS.decode().encode("utf-16"),
    "in UTF-32": LAUGHS.decode().encode("utf-32-be"),
    "in UTF-7": b"<?xml version='1.0' encoding='utf-7'?>" + "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".encode("utf-7"),
    "in EBCDIC": "<?xml version='1.0' encoding='cp037'?><!DOCTYPE a><a/>".encode("cp037"),
    "undeclared entity": b"<a>&nbsp;</a>",
    "cut": b"<a><b></b>",
    "two roots": b"<a/><b/>",
    "nothing": b"",
    "NUL": b"<a>\x00</a>",
    "control character": b"<a>\x01</a>",
    "latin-1 unsaid": b"<a>\xe9</a>",
    "deep": b"<a>" * 100_000,
    "huge text": b"<a>" + b"x" * 10_500_000 + b"</a>",
    "equal attributes": b"<a b='1' b='2'/>",
    "php": b"Warning: x\n<a/>",
}


@pytest.mark.parametrize("body", HOSTILE_XML.values(), ids=HOSTILE_XML.keys())
def test_xml_that_could_do_harm_is_refused_before_it_grows(body):
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedFormat):
            parse_xml(body)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_xml_says_where_it_breaks():
    with pytest.raises(UnexpectedFormat) as caught:
        parse_xml(b"<a>\n  <b>canary</c>\n</a>")
    assert caught.value.detail == "line 2, column 16"


def test_honest_xml_is_read_with_its_characters():
    body = "<?xml version='1.0' encoding='iso-8859-1'?><!-- <!DOCTYPE x> --><p a='é'><![CDATA[<!DOCTYPE html>]]>&amp;é&#233;</p>"
    root = parse_xml(body.encode("iso-8859-1"))
    assert root.get("a") == "é"
    assert root.text == "<!DOCTYPE html>&éé"


def test_plain_values_need_no_type():
    value: Any = decode_json(b'{"a": [1, "x", null, true]}')
    assert value == {"a": [1, "x", None, True]}
