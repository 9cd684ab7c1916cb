"""Answers that are cut, packed, endless or something else: nothing of them is ever used."""

import gzip
import itertools
import tracemalloc
import zlib

import pytest

from domain.errors import PlatformError, TooLarge, Truncated, UnexpectedFormat
from engine.connector import Format, reads
from tests.hostile import answer, chunked, head, raw, until_close
from tests.unit.engine.http.doors import READ_ANY, READ_XML, door_to, get, rules

DOCUMENT = b'{"orders": [' + b",".join(b'{"id": %d}' % number for number in range(2000)) + b"]}"
XML = b"<?xml version='1.0'?><shop><order id='1'/><order id='2'/></shop>"
READ_IMAGE = reads("read image", answers=Format.IMAGE)


def gzipped(data: bytes) -> bytes:
    """Always the same bytes: without the time of packing."""
    return gzip.compress(data, mtime=0)


def deflated(data: bytes, window: int) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzipped(DOCUMENT)),
        ("x-gzip", gzipped(DOCUMENT)),
        ("GZIP", gzipped(DOCUMENT[:700]) + gzipped(DOCUMENT[700:])),
        ("gzip", gzipped(DOCUMENT) + b"\0" * 512),
        ("deflate", deflated(DOCUMENT, 15)),
        ("deflate", deflated(DOCUMENT, -15)),
        ("identity", DOCUMENT),
    ],
)
@pytest.mark.parametrize("say", [answer, chunked, until_close])
def test_a_packed_answer_is_unpacked_whatever_its_framing(encoding, packed, say):
    body = {answer: lambda: answer(body=packed, content_encoding=encoding)}.get(say)
    pieces = [packed[start : start + 100] for start in range(0, len(packed), 100)]
    says = body() if body else say(pieces if say is chunked else packed, content_encoding=encoding)
    with door_to(says) as (door, shop):
        assert door.send(get()).body == DOCUMENT
        assert shop.asked[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("say", ["length", "chunks", "close"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_half_a_packed_answer_in_whole_framing_is_truncated(encoding, say):
    packed = gzipped(DOCUMENT) if encoding == "gzip" else deflated(DOCUMENT, 15)
    half = packed[: len(packed) // 2]
    says = {
        "length": answer(body=half, content_encoding=encoding),
        "chunks": chunked([half], content_encoding=encoding),
        "close": until_close(half, content_encoding=encoding),
    }[say]
    with door_to(says) as (door, shop), pytest.raises(Truncated):
        door.send(get(READ_ANY))
    assert len(shop.asked) == 2


@pytest.mark.parametrize(
    "says",
    [
        raw(head(200, {"Content-Type": "application/json", "Content-Length": "5000"}) + b'{"orders": []}'),
        chunked([b'{"orders": []}'], ends=False),
        raw(head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}) + b"ff\r\n{}"),
        until_close(DOCUMENT[:5000]),
        until_close(b'[{"id": 1}, {"id": 2}'),
        answer(body=DOCUMENT[:-3]),
        raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    ],
    ids=[
        "short of its length",
        "no last chunk",
        "cut chunk",
        "closed early",
        "list closed early",
        "length of the cut",
        "cut head",
    ],
)
def test_a_cut_json_answer_is_truncated_after_one_more_try(says):
    with door_to(says) as (door, shop), pytest.raises(Truncated):
        door.send(get())
    assert len(shop.asked) == 2


def test_a_cut_answer_is_forgotten_when_the_second_try_is_whole():
    with door_to(until_close(DOCUMENT[:500]), answer(body=DOCUMENT)) as (door, _):
        assert door.send(get()).body == DOCUMENT


@pytest.mark.parametrize("cut", [len(XML) - 1, len(XML) - 7, XML.index(b"<order id='2'"), 30, 22, XML.index(b"/>") + 2])
def test_a_cut_xml_answer_is_truncated(cut):
    with door_to(until_close(XML[:cut], "text/xml")) as (door, _), pytest.raises(Truncated):
        door.send(get(READ_XML))


@pytest.mark.parametrize(
    "body",
    [
        XML,
        XML + b"\n\n <!-- made in 3 ms -->\n",
        b"\xef\xbb\xbf<a/>",
        b"<shop attribute='x' />",
        b"<!-- <b> --><a></a >",
        b"<?xml version='1.0'?>\n<prestashop xmlns:xlink='http://www.w3.org/1999/xlink'>\n</prestashop>\n",
    ],
)
def test_whole_xml_passes(body):
    with door_to(answer(body=body, content_type="text/xml;charset=utf-8")) as (door, _):
        assert door.send(get(READ_XML)).body == body


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<html><body>Down for maintenance</body></html>"),
        ("text/html; charset=utf-8", b"{}"),
        ("text/plain", b"{}"),
        ("application/json", b"<!DOCTYPE html><html></html>"),
        ("application/json", b"Fatal error: out of memory"),
        ("application/json", b""),
        ("application/json", b" \n "),
        ("", b"<html></html>"),
        ("text/xml", b"<a></a>"),
    ],
)
def test_anything_but_json_is_refused_where_json_is_due(content_type, body):
    with door_to(answer(body=body, content_type=content_type)) as (door, shop), pytest.raises(UnexpectedFormat):
        door.send(get())
    assert len(shop.asked) == 2


@pytest.mark.parametrize(
    "body", [b"<html><body></body></html>", b"<!DOCTYPE html>\n<html></html>", b"{}", b"", b"Warning: <a></a>"]
)
def test_anything_but_xml_is_refused_where_xml_is_due(body):
    with door_to(answer(body=body, content_type="application/xml")) as (door, _), pytest.raises(UnexpectedFormat):
        door.send(get(READ_XML))


@pytest.mark.parametrize(
    "content_type", ["application/json;charset=utf-8", "text/json", "application/hal+json", "Application/JSON", ""]
)
@pytest.mark.parametrize("body", [b"{}", b" [] \r\n", b"\xef\xbb\xbf{}"])
def test_json_is_let_in_under_any_of_its_names(content_type, body):
    with door_to(answer(body=body, content_type=content_type)) as (door, _):
        assert door.send(get()).body == body


def test_the_detail_of_a_web_page_shows_at_most_200_characters_of_it():
    page = b"<html>\n" + b"maintenance   " * 100
    with door_to(answer(body=page, content_type="text/html")) as (door, _), pytest.raises(UnexpectedFormat) as caught:
        door.send(get())
    assert caught.value.detail.startswith("<html> maintenance maintenance")
    assert len(caught.value.detail) <= 200
    assert "web page" in caught.value.message


@pytest.mark.parametrize(
    ("content_type", "body", "fits"),
    [
        ("image/jpeg", b"\xff\xd8\xff\xe0", True),
        ("image/svg+xml", b"<svg></svg>", True),
        ("image/png", b"<html></html>", False),
        ("text/html", b"<html></html>", False),
        ("", b"\xff\xd8\xff\xe0", False),
        ("image/png", b"", False),
    ],
)
def test_an_image_is_what_says_so_and_does_not_look_like_a_page(content_type, body, fits):
    with door_to(answer(body=body, content_type=content_type)) as (door, _):
        if fits:
            assert door.send(get(READ_IMAGE)).body == body
        else:
            with pytest.raises(UnexpectedFormat):
                door.send(get(READ_IMAGE))


def test_what_answers_anything_may_be_a_web_page():
    with door_to(answer(body=b"<html>", content_type="text/html")) as (door, _):
        assert door.send(get(READ_ANY)).body == b"<html>"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_by_its_status_passes(status):
    with door_to(raw(head(status, {"Etag": "x"}))) as (door, _):
        assert door.send(get()).status == status


def test_an_answer_to_head_has_no_body_and_needs_none():
    with door_to(answer(body=DOCUMENT)) as (door, _):
        assert door.send(get(reads("count", "HEAD", answers=Format.JSON))).body == b""


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_a_packing_nobody_asked_for_is_refused(encoding):
    with door_to(answer(content_encoding=encoding)) as (door, _), pytest.raises(UnexpectedFormat):
        door.send(get())


@pytest.mark.parametrize(
    "packed",
    [b"this is not gzip at all", gzipped(DOCUMENT)[:-8] + b"12345678", gzipped(b"{}") + b"left over"],
)
def test_a_packing_that_is_broken_is_refused(packed):
    with door_to(answer(body=packed, content_encoding="gzip")) as (door, _), pytest.raises(UnexpectedFormat):
        door.send(get())


def test_a_decompression_bomb_meets_the_cap_before_the_memory():
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join([packer.compress(b"[" + b" " * 9_999_999) for _ in range(8)]) + packer.flush()
    tracemalloc.start()
    try:
        with door_to(answer(body=bomb, content_encoding="gzip")) as (door, shop), pytest.raises(TooLarge):
            door.send(get())
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "says",
    [
        chunked(itertools.repeat(b" " * 10_000)),
        chunked(itertools.repeat(gzipped(b"")), content_encoding="gzip"),
        answer(body=b"x" * 60_000),
        raw(head(200, {"Content-Type": "application/json", "Content-Length": "9" * 18})),
    ],
    ids=["endless", "endless nothing", "long", "announced"],
)
def test_an_answer_beyond_the_cap_is_refused_at_the_cap(says):
    with door_to(says, rules=rules(body_cap=50_000)) as (door, shop), pytest.raises(TooLarge):
        door.send(get())
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "says",
    [
        raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        raw(b"HTTP/1.1 OK\r\n\r\n"),
        raw(b"\x16\x03\x01\x02\x00\r\n\r\n"),
        raw(head(200, {"Content-Length": "-5"})),
        raw(head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\n"),
        raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\na: " + b"b" * 200_000),
    ],
    ids=["another protocol", "no status", "tls", "negative length", "chunk size", "switching", "endless head"],
)
def test_what_is_not_http_is_an_unexpected_format(says):
    with door_to(says) as (door, _), pytest.raises(PlatformError) as caught:
        door.send(get())
    assert isinstance(caught.value, UnexpectedFormat)
