"""Every fault does what it says, to the requests it was planned for."""

import json
import zlib
from collections.abc import Iterator

import httpx
import pytest
from lxml import etree

from domain.errors import UserError
from engine.simulation.faults import GENERIC, Faults
from engine.simulation.server import Server, serve
from tests.unit.engine.simulation.counting import Counter

# Making a client costs more than everything a test asks of it.
CLIENT = httpx.Client(timeout=5)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Counter()) as server:
        yield server


def get(server: Server, **how: object) -> httpx.Response:
    return CLIENT.get(server.url + "/", **how)  # type: ignore[arg-type]


def test_names_are_unique_and_every_fault_explains_itself() -> None:
    names = [fault.name for fault in GENERIC]

    assert len(set(names)) == len(names)
    assert all(fault.summary.endswith(".") for fault in GENERIC)
    assert all(bool(fault.setting) == bool(fault.settings) for fault in GENERIC)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rate_limited", 429),
        ("server_error", 500),
        ("server_error_after_write", 500),
        ("bad_gateway", 502),
        ("unavailable", 503),
        ("redirect", 302),
        ("html_page", 200),
        ("error_object", 200),
        ("shrug", 418),
    ],
)
def test_a_status_is_answered_once(server: Server, name: str, status: int) -> None:
    server.faults.add(name)

    assert get(server).status_code == status
    assert get(server).json()["count"] == 0


@pytest.mark.parametrize("name", ["rate_limited", "unavailable"])
def test_any_text_can_be_asked_for_as_retry_after(server: Server, name: str) -> None:
    server.faults.add(name, setting="Wed, 21 Oct 2026 07:28:00 GMT")

    assert get(server).headers["Retry-After"] == "Wed, 21 Oct 2026 07:28:00 GMT"


def test_a_redirect_goes_where_it_is_told(server: Server) -> None:
    server.faults.add("redirect", setting="http://10.0.0.1/")

    assert get(server).headers["Location"] == "http://10.0.0.1/"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("cut", 0),
        ("cut_after_write", 1),
        ("half_head", 1),
        ("silent", 0),
        ("silent_after_write", 1),
        ("server_error", 0),
        ("server_error_after_write", 1),
        ("unavailable", 0),
        ("latency", 1),
        ("half_body", 1),
        ("half_chunked", 1),
    ],
)
def test_a_fault_says_truly_whether_the_write_is_carried_out(server: Server, name: str, count: int) -> None:
    server.faults.add(name, setting="1")

    try:
        CLIENT.post(server.url + "/", timeout=0.3)
    except httpx.HTTPError as problem:
        failure = problem
    else:
        failure = None

    app = server.app
    assert isinstance(app, Counter)
    assert app.count == count
    assert server.faults.known[name].reaches_app is bool(count)
    assert len(server.ledger.writes) == count
    if name.startswith("silent"):
        assert isinstance(failure, httpx.ReadTimeout)
    if name.startswith(("cut", "half")):
        assert isinstance(failure, httpx.RemoteProtocolError)


@pytest.mark.parametrize("name", ["half_body", "half_chunked", "half_head"])
def test_a_read_cut_short_is_noticed_by_its_framing(server: Server, name: str) -> None:
    server.faults.add(name)

    with pytest.raises(httpx.RemoteProtocolError):
        get(server)


@pytest.mark.parametrize("name", ["half_gzip_length", "half_gzip_chunked"])
def test_half_a_compressed_body_is_framed_soundly_and_ends_too_early(server: Server, name: str) -> None:
    server.faults.add(name)
    with CLIENT.stream("GET", server.url + "/") as answer:
        raw = b"".join(answer.iter_raw())

    decoder = zlib.decompressobj(wbits=31)
    text = decoder.decompress(raw)
    assert not decoder.eof
    assert text != get(server).content


def test_a_drip_comes_byte_by_byte(server: Server) -> None:
    server.faults.add("drip", setting="0")

    assert get(server).json()["count"] == 0


def test_an_empty_answer_drips_too(server: Server) -> None:
    server.faults.add("drip", setting="0", method="POST")

    assert CLIENT.post(server.url + "/").content == b" "


def test_a_bomb_is_small_on_the_wire_and_large_unpacked(server: Server) -> None:
    server.faults.add("decompression_bomb", setting="8")
    with CLIENT.stream("GET", server.url + "/") as answer:
        raw = b"".join(answer.iter_raw())

    assert len(raw) < 100_000
    assert len(zlib.decompress(raw, wbits=31)) == 8 * 1024 * 1024


def test_an_endless_answer_goes_on_until_the_client_leaves(server: Server) -> None:
    server.faults.add("endless")

    seen = 0
    with CLIENT.stream("GET", server.url + "/") as answer:
        for part in answer.iter_raw():
            seen += len(part)
            if seen > 3_000_000:
                break
    assert seen > 3_000_000
    assert get(server).status_code == 200


def test_bodies_are_spoiled_as_named(server: Server) -> None:
    honest = get(server).content
    bodies = {}
    for name in ("invalid_encoding", "byte_order_mark", "nul_bytes", "empty_body", "empty_answer", "duplicate_keys"):
        server.faults.add(name)
        bodies[name] = get(server).content

    with pytest.raises(UnicodeDecodeError):
        bodies["invalid_encoding"].decode()
    assert bodies["byte_order_mark"] == b"\xef\xbb\xbf" + honest
    assert b"\x00\x00" in bodies["nul_bytes"]
    assert bodies["empty_body"] == b""
    assert bodies["empty_answer"] == b"{}"
    assert [name for name, _ in json.loads(bodies["duplicate_keys"], object_pairs_hook=list)].count("data") == 2


def test_deep_nesting_is_deeper_than_a_naive_reader(server: Server) -> None:
    server.faults.add("deep_nesting")

    with pytest.raises(RecursionError):
        get(server).json()


def test_a_right_body_is_called_an_image(server: Server) -> None:
    server.faults.add("wrong_content_type")

    answer = get(server)
    assert (answer.headers.get_list("Content-Type"), answer.json()["count"]) == (["image/png"], 0)


@pytest.mark.parametrize("name", ["xml_bomb", "xml_dtd", "xml_entity"])
def test_dangerous_xml_is_well_formed_and_declares_something(server: Server, name: str) -> None:
    server.faults.add(name)

    body = get(server).content
    assert b"<!DOCTYPE" in body
    if name == "xml_bomb":
        with pytest.raises(etree.XMLSyntaxError, match="amplification"):
            etree.fromstring(body)


def test_a_fault_meets_as_many_matching_requests_as_planned(server: Server) -> None:
    server.faults.add("server_error", times=2, method="get", path=r"/orders\?page=\d")
    planned = server.faults.planned[0]

    statuses = [CLIENT.get(server.url + place).status_code for place in ("/orders", *["/orders?page=1"] * 3)]
    assert statuses == [200, 500, 500, 200]
    assert CLIENT.post(server.url + "/orders?page=1").status_code == 201
    assert (planned.met, server.faults.planned) == (2, ())


def test_a_fault_can_let_requests_pass_first_and_stay_for_good(server: Server) -> None:
    server.faults.add("server_error", times=None, after=1)

    assert [get(server).status_code for _ in range(4)] == [200, 500, 500, 500]
    server.faults.clear()
    assert get(server).status_code == 200


def test_a_chance_is_repeatable_by_its_seed(server: Server) -> None:
    def run() -> list[int]:
        server.faults.clear()
        server.faults.add("server_error", times=None, chance=0.5, seed=11)
        return [get(server).status_code for _ in range(12)]

    first = run()
    assert first == run()
    assert set(first) == {200, 500}


@pytest.mark.parametrize(("name", "path"), [("nope", ""), ("latency", "(")])
def test_an_unknown_fault_or_a_bad_pattern_is_explained(name: str, path: str) -> None:
    with pytest.raises(UserError):
        Faults().add(name, path=path)
