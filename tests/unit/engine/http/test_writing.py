"""Writing requests are sent once. What is not surely refused is unknown."""

import gzip

import pytest

from domain.errors import (
    AddressRefused,
    BrokenInvariant,
    CredentialsRejected,
    LeaseLost,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    RequestRefused,
    SettingsInvalid,
    Unavailable,
    Withheld,
)
from engine.connector import Operation, Request, SignIn
from engine.http.budget import MemoryBudget
from engine.http.door import GuardedDoor
from engine.http.rules import Timeouts
from tests.hostile import HostileShop, answer, chunked, drip, hang_up, head, raw, silent, until_close
from tests.unit.engine.http.doors import WRITE, door_to, get, put, rules


def test_a_change_is_sent_and_answered():
    with door_to(answer(201, b'{"id": 7}')) as (door, shop):
        assert door.send(put(b"{}")).body == b'{"id": 7}'
        assert len(shop.asked) == 1


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (answer(400, b""), RequestRefused),
        (answer(401, b""), CredentialsRejected),
        (answer(403, b""), PermissionMissing),
        (answer(404, b""), NotFound),
        (answer(409, b""), RequestRefused),
        (answer(422, b""), RequestRefused),
        (answer(425, b""), RateLimited),
        (answer(429, b""), RateLimited),
        (answer(301, b""), AddressRefused),
        (answer(308, b""), AddressRefused),
        (raw(head(422, {"Content-Length": "100"}) + b"half"), RequestRefused),
        (answer(408, b""), OutcomeUnknown),
        (answer(302, b""), OutcomeUnknown),
        (answer(303, b""), OutcomeUnknown),
        (answer(500, b""), OutcomeUnknown),
        (answer(502, b""), OutcomeUnknown),
        (answer(503, b"", Retry_After="1"), OutcomeUnknown),
        (answer(504, b""), OutcomeUnknown),
        (hang_up, OutcomeUnknown),
        (silent, OutcomeUnknown),
        (drip(b"HTTP/1.1 200 OK\r\n" + b"X: y" * 100), OutcomeUnknown),
        (raw(b"HTTP/1.1 200 OK\r\nConte"), OutcomeUnknown),
        (raw(b"nonsense\r\n\r\n"), OutcomeUnknown),
        (until_close(b'{"id": '), OutcomeUnknown),
        (chunked([b"{}"], ends=False), OutcomeUnknown),
        (answer(body=gzip.compress(b"{}")[:-4], content_encoding="gzip"), OutcomeUnknown),
        (answer(body=b"<html>", content_type="text/html"), OutcomeUnknown),
        (answer(body=b""), OutcomeUnknown),
        (answer(body=b"{" + b" " * 60_000 + b"}"), OutcomeUnknown),
    ],
)
def test_each_answer_to_a_change_has_its_outcome_and_the_change_is_sent_once(says, kind):
    where = rules(timeouts=Timeouts(connect=1, read=0.2, total=0.4), body_cap=50_000)
    with door_to(says, rules=where) as (door, shop):
        with pytest.raises(kind) as caught:
            door.send(put())
        assert len(shop.asked) == 1
    assert type(caught.value) is kind
    if kind is OutcomeUnknown:
        assert "looked up" in caught.value.message
        assert caught.value.detail


def test_a_server_error_with_a_code_the_connector_knows_is_a_refusal():
    def interpret(got):
        return (
            RequestRefused("quantity is not valid", status=got.status, remote_code="85") if b"85" in got.body else None
        )

    with door_to(answer(500, b"<error>85</error>", "text/xml"), answer(500, b""), interpret=interpret) as (door, _):
        with pytest.raises(RequestRefused, match="quantity") as caught:
            door.send(put())
        assert caught.value.remote_code == "85"
        with pytest.raises(OutcomeUnknown):
            door.send(put())


def test_a_connector_that_calls_a_server_error_passing_does_not_make_the_change_repeatable():
    with (
        door_to(answer(503, b""), interpret=lambda got: Unavailable("maintenance")) as (door, _),
        pytest.raises(OutcomeUnknown),
    ):
        door.send(put())


def test_what_fails_before_the_first_byte_is_not_unknown():
    with HostileShop((hang_up,)) as shop:
        closed = SignIn(shop.url)
    passes = {"gate": lambda operation: None}
    with GuardedDoor(closed, rules=rules(), **passes) as door, pytest.raises(Unavailable):
        door.send(put())
    nowhere = rules(resolve=lambda *_: [])
    with GuardedDoor(SignIn("http://shop"), rules=nowhere, **passes) as door, pytest.raises(Unavailable):
        door.send(put())
    inside = rules(resolve=lambda *_: ["169.254.169.254"])
    with GuardedDoor(SignIn("http://shop"), rules=inside, **passes) as door, pytest.raises(AddressRefused):
        door.send(put())
    with door_to(answer(), sign_in=SignIn("http://shop", {"Key": "a\nb"})) as (door, shop):
        with pytest.raises(SettingsInvalid):
            door.send(put())
        assert shop.asked == []


def test_with_the_circuit_open_a_change_is_not_sent_and_not_unknown():
    with door_to(answer(500, b"")) as (door, shop):
        for _ in range(3):
            with pytest.raises(OutcomeUnknown):
                door.send(put())
        with pytest.raises(Unavailable):
            door.send(put())
        assert len(shop.asked) == 3


def test_the_gate_is_asked_before_each_change_and_never_before_reading():
    asked: list[str] = []
    with door_to(answer(), gate=lambda operation: asked.append(operation.name)) as (door, _):
        door.send(get())
        list(door.stream([get(), get()]))
        assert asked == []
        door.send(put())
        door.send(put())
    assert asked == ["set stock", "set stock"]


@pytest.mark.parametrize("kind", [Withheld, LeaseLost])
def test_a_shut_gate_lets_no_byte_out(kind):
    def gate(operation: Operation) -> None:
        raise kind("not now")

    with door_to(answer(), gate=gate) as (door, shop):
        with pytest.raises(kind):
            door.send(put())
        assert shop.connections == 0


def test_the_gate_is_asked_after_waiting_for_a_turn():
    order: list[str] = []

    class Slow(MemoryBudget):
        def acquire(self) -> None:
            order.append("turn")

    with door_to(answer(), budget=Slow(), gate=lambda operation: order.append("gate")) as (door, _):
        door.send(put())
    assert order == ["turn", "gate"]


def test_a_door_without_a_gate_only_reads():
    with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url), rules=rules()) as door:
        assert door.send(get()).status == 200
        with pytest.raises(Withheld):
            door.send(put())
        assert len(shop.asked) == 1


def test_changes_cannot_be_sent_ahead_of_their_turn():
    with door_to(answer()) as (door, shop):
        with pytest.raises(BrokenInvariant):
            list(door.stream([put()]))
        assert shop.connections == 0


def test_a_change_whose_connection_was_closed_while_idle_goes_over_a_new_one():
    with door_to(answer(Connection="keep-alive"), answer()) as (door, shop):
        door.send(get())
        door.send(Request(WRITE, "x", body=b"{}"))
    assert [asked.body for asked in shop.asked] == [b"", b"{}"]
