"""What leaves through the door, and how it comes back when all is well."""

import threading

import pytest

from domain.errors import AddressRefused, BrokenInvariant, SettingsInvalid, Unavailable
from engine.connector import Limits, Request, SignIn, writes
from engine.http.door import GuardedDoor, Traffic
from engine.http.passage import Passage, Recall
from engine.http.rules import Timeouts
from tests.hostile import HostileShop, answer, hang_up, silent
from tests.unit.engine.http.doors import READ, door_to, get, put, rules


def test_an_answer_comes_back_whole_with_lower_case_headers():
    with door_to(answer(body=b'{"a": 1}', X_Total="7")) as (door, _):
        got = door.send(get())
    assert (got.status, got.body, got.headers["x-total"]) == (200, b'{"a": 1}', "7")


def test_path_and_query_are_put_below_the_address_and_percent_encoded():
    with door_to(answer(), path="/my shop/") as (door, shop):
        query = (("filter[id]", "[1,2]"), ("q", "a b&c=d#é"), ("display", "full"))
        door.send(Request(READ, "/api/orders", query))
        door.send(Request(READ, ""))
        door.send(Request(READ, "products/gid%3A1/näme?x#y"))
    assert [asked.target for asked in shop.asked] == [
        "/my%20shop/api/orders?filter[id]=[1,2]&q=a%20b%26c%3Dd%23%C3%A9&display=full",
        "/my%20shop",
        "/my%20shop/products/gid%3A1/n%C3%A4me%3Fx%23y",
    ]


def test_an_address_without_a_path_is_asked_for_its_root():
    with door_to(answer()) as (door, shop):
        door.send(Request(READ, ""))
    assert shop.asked[0].target == "/"


def test_secret_headers_the_connectors_headers_and_the_doors_own_are_sent():
    sign_in = SignIn("http://shop", {"Authorization": "Basic a2V5Og=="})
    with door_to(answer(), sign_in=sign_in) as (door, shop):
        door.send(Request(READ, "x", headers=(("Accept", "application/hal+json"), ("If-None-Match", "7"))))
    headers = shop.asked[0].headers
    assert headers["authorization"] == "Basic a2V5Og=="
    assert headers["accept"] == "application/hal+json"
    assert headers["if-none-match"] == "7"
    assert headers["host"] == f"127.0.0.1:{shop.port}"
    assert headers["user-agent"] == "Navette"
    assert "content-length" not in headers


def test_a_body_is_sent_with_its_length_and_a_body_less_post_says_so():
    with door_to(answer()) as (door, shop):
        door.send(put(b'{"stock": 3}'))
        door.send(Request(writes("cancel", "post"), "cancel"))
    assert [(asked.method, asked.body, asked.headers["content-length"]) for asked in shop.asked] == [
        ("PUT", b'{"stock": 3}', "12"),
        ("POST", b"", "0"),
    ]


def test_a_large_body_arrives_whole():
    body = b"0123456789" * 100_000
    with door_to(answer()) as (door, shop):
        door.send(put(body))
    assert shop.asked[0].body == body


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Accept-Encoding"])
def test_a_connector_cannot_set_the_headers_that_are_the_doors(name):
    with door_to(answer()) as (door, shop):
        with pytest.raises(BrokenInvariant):
            door.send(Request(READ, "x", headers=((name, "1"),)))
        assert shop.asked == []


def test_a_path_cannot_lead_out_of_the_address():
    with door_to(answer(), path="/shop") as (door, shop):
        with pytest.raises(BrokenInvariant):
            door.send(Request(READ, "a/../../admin"))
        assert shop.asked == []


@pytest.mark.parametrize("key", ["kéy", "key\r\nX-Injected: 1", "key\x00"])
def test_a_key_that_cannot_be_sent_is_a_setting_to_correct_and_nothing_is_sent(key):
    with door_to(answer(), sign_in=SignIn("http://shop", {"X-Api-Key": key})) as (door, shop):
        with pytest.raises(SettingsInvalid) as caught:
            door.send(get())
        assert shop.asked == []
    assert "key" in caught.value.remedy


def test_cookies_are_neither_kept_nor_shown():
    with door_to(answer(Set_Cookie="session=1")) as (door, shop):
        assert "set-cookie" not in door.send(get()).headers
        door.send(get())
    assert "cookie" not in shop.asked[1].headers


def test_headers_given_twice_are_joined():
    with door_to(answer(Link="<a>", link="<b>")) as (door, _):
        assert door.send(get()).headers["link"] == "<a>, <b>"


def test_a_connection_is_used_again():
    with door_to(answer()) as (door, shop):
        for _ in range(5):
            door.send(get())
    assert shop.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_pauses_the_integration(status):
    with HostileShop((answer(),)) as elsewhere:
        moved = answer(status, Location=f"{elsewhere.url}/stolen")
        with door_to(moved, sign_in=SignIn("http://shop", {"X-Api-Key": "canary"})) as (door, shop):
            with pytest.raises(AddressRefused) as caught:
                door.send(get())
            assert len(shop.asked) == 1
        assert elsewhere.connections == 0
    assert "exact main address" in caught.value.remedy


def test_each_try_is_told_with_its_bytes():
    told: list[Traffic] = []
    with door_to(hang_up, answer(body=b"[1]"), on_traffic=told.append) as (door, _):
        door.send(get())
    assert [(traffic.operation, traffic.status) for traffic in told] == [("read orders", 0), ("read orders", 200)]
    assert told[0].received == 0 < told[1].received
    assert min(traffic.sent for traffic in told) > 50
    assert min(traffic.seconds for traffic in told) >= 0


def test_proxies_named_in_the_environment_are_ignored(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with door_to(answer()) as (door, _):
        assert door.send(get()).status == 200


def test_a_door_shows_where_it_leads_and_nothing_else():
    door = GuardedDoor(SignIn("https://shop.example/x", {"Authorization": "Basic canary"}, ("canary",)))
    assert repr(door) == "GuardedDoor(shop.example)"
    door.close()


def test_a_door_is_safe_in_several_threads_and_keeps_to_its_limit():
    most = threading.Semaphore(3)
    broken = threading.Event()

    def counted(connection, asked, closing):
        if not most.acquire(blocking=False):
            broken.set()
        try:
            return answer(body=b'["%s"]' % asked.target.encode())(connection, asked, closing)
        finally:
            most.release()

    got: dict[int, bytes] = {}
    with door_to(counted, limits=Limits(concurrent=3)) as (door, shop):

        def ask(number: int) -> None:
            got[number] = door.send(Request(READ, str(number))).body

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shop.connections <= 3
    assert got == {number: b'["/%d"]' % number for number in range(30)}
    assert not broken.is_set()


def test_closing_a_door_calls_back_what_waits_at_it():
    caught: list[Exception] = []
    arrived = threading.Event()

    def arrive(connection, asked, closing):
        arrived.set()
        return silent(connection, asked, closing)

    with door_to(arrive, rules=rules(timeouts=Timeouts())) as (door, shop):

        def ask() -> None:
            try:
                door.send(get())
            except Unavailable as error:
                caught.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        arrived.wait()
        door.close()
        thread.join()
        assert len(shop.asked) == 1
        with pytest.raises(Unavailable):
            door.send(get())
        assert len(shop.asked) == 1
    assert len(caught) == 1


def test_a_door_closed_between_the_gate_and_the_request_sends_nothing():
    with door_to(answer()) as (door, shop):
        door.gate = lambda operation: door.close()
        with pytest.raises(Unavailable):
            door.send(put())
        assert shop.connections == 0


def test_what_joins_after_the_call_is_called_back_too():
    recall, inner, passage = Recall(), Recall(), Passage(deadline=0)
    recall.abort()
    inner.add(passage)
    recall.add(inner)
    assert inner.is_called
    assert passage.is_aborted
