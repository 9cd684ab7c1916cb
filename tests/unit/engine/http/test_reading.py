"""Reading requests are repeated on passing faults, and only on those; every failure has its error."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from domain.errors import (
    AddressRefused,
    BrokenInvariant,
    CredentialsRejected,
    NotFound,
    PermissionMissing,
    RateLimited,
    RequestRefused,
    TimedOut,
    Unavailable,
    UnexpectedFormat,
)
from engine.connector import Request, SignIn, reads
from engine.http.budget import BudgetState, MemoryBudget
from engine.http.door import GuardedDoor
from engine.http.rules import Timeouts
from tests.hostile import HostileShop, answer, drip, hang_up, head, raw, silent, until_close
from tests.unit.engine.http.doors import READ, door_to, get, rules


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, RequestRefused, 1),
        (401, CredentialsRejected, 1),
        (403, PermissionMissing, 1),
        (404, NotFound, 1),
        (405, RequestRefused, 1),
        (408, TimedOut, 3),
        (409, RequestRefused, 1),
        (410, NotFound, 1),
        (422, RequestRefused, 1),
        (425, RateLimited, 3),
        (429, RateLimited, 3),
        (500, Unavailable, 3),
        (502, Unavailable, 3),
        (503, Unavailable, 3),
        (504, TimedOut, 3),
        (521, Unavailable, 3),
        (302, AddressRefused, 1),
        (300, AddressRefused, 1),
    ],
)
def test_each_status_has_its_error_and_its_number_of_tries(status, kind, tries):
    # a budget that never makes anyone wait, so that only the door's own rule counts
    with door_to(answer(status, b"why", "text/plain"), budget=Patient()) as (door, shop):
        with pytest.raises(kind) as caught:
            door.send(get())
        assert len(shop.asked) == tries
    assert type(caught.value) is kind
    assert str(status) in caught.value.message
    assert "read orders" in caught.value.message
    assert caught.value.detail == "why"
    if isinstance(caught.value, RequestRefused):
        assert caught.value.status == status


class Patient(MemoryBudget):
    """Never makes anyone wait, and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def acquire(self) -> None:
        self.told.append("acquire")

    def penalise(self, retry_after: timedelta | None) -> None:
        self.told.append(f"penalise {retry_after.total_seconds() if retry_after else None}")

    def failed(self) -> None:
        self.told.append("failed")

    def succeeded(self) -> None:
        self.told.append("succeeded")


@pytest.mark.parametrize("fault", [answer(503, b""), answer(500, b"{}"), hang_up, silent, raw(b"HTTP/1.1 200 OK\r\n")])
def test_a_passing_fault_is_forgotten_when_the_next_try_succeeds(fault):
    with door_to(fault, answer(body=b"[1]")) as (door, shop):
        assert door.send(get()).body == b"[1]"
        assert len(shop.asked) == 2


@pytest.mark.parametrize(("says", "sends"), [(silent, 3), (drip(head(200, {"a": "b"})), 3), (hang_up, 3)])
def test_silence_and_hanging_up_are_tried_three_times(says, sends):
    with door_to(says, budget=Patient(), rules=rules(timeouts=Timeouts(connect=1, read=0.1, total=0.3))) as (
        door,
        shop,
    ):
        with pytest.raises((TimedOut, Unavailable)):
            door.send(get())
        assert len(shop.asked) <= sends


def test_a_silent_shop_times_out_by_the_pause_between_pieces():
    with door_to(silent, rules=rules(timeouts=Timeouts(connect=1, read=0.1, total=100))) as (door, shop):
        with pytest.raises(TimedOut) as caught:
            door.send(get())
        assert len(shop.asked) == 3
    assert "did not answer in time" in caught.value.message


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["body", "head", "continue"],
)
def test_one_byte_at_a_time_never_outlives_the_total_time(said):
    def say(connection, asked, closing):
        connection.sendall(said)
        return drip(said or b"X-Long: " + b"y" * 10_000)(connection, asked, closing)

    with (
        door_to(say, rules=rules(timeouts=Timeouts(connect=1, read=30, total=0.3))) as (door, _),
        pytest.raises(TimedOut),
    ):
        door.send(get())


def test_a_silent_shop_does_not_outlive_the_total_time_either():
    where = rules(timeouts=Timeouts(connect=1, read=600, total=0.2))
    with door_to(silent, rules=where) as (door, _), pytest.raises(TimedOut):
        door.send(get())


def test_a_shop_that_takes_no_more_bytes_does_not_outlive_the_total_time():
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        sign_in = SignIn(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        where = rules(timeouts=Timeouts(connect=1, read=30, total=0.3))
        with GuardedDoor(sign_in, rules=where) as door, pytest.raises(TimedOut):
            door.send(Request(reads("search", "POST"), "x", body=b"x" * 50_000_000))


def test_a_closed_port_is_unavailable():
    with HostileShop((hang_up,)) as shop:
        url = shop.url
    with GuardedDoor(SignIn(url), rules=rules()) as door, pytest.raises(Unavailable) as caught:
        door.send(get())
    assert "could not be reached" in caught.value.message


def test_a_name_that_does_not_exist_is_unavailable():
    nowhere = rules(resolve=lambda *_: [])
    with GuardedDoor(SignIn("http://no-such-shop.invalid"), rules=nowhere) as door, pytest.raises(Unavailable):
        door.send(get())


def test_plain_http_where_tls_is_due_is_unavailable():
    with HostileShop((raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"),)) as shop:
        sign_in = SignIn(shop.url.replace("http://", "https://"))
        where = rules(timeouts=Timeouts(connect=0.3))
        with GuardedDoor(sign_in, rules=where) as door, pytest.raises((Unavailable, TimedOut)):
            door.send(get())


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("7", timedelta(seconds=7)),
        ("864000", timedelta(hours=1)),
        ("9" * 5000, timedelta(hours=1)),
        ("date", timedelta(minutes=2)),
    ],
)
def test_a_long_pause_asked_for_is_not_waited_for_in_place(header, pause):
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    value = format_datetime(now + pause, usegmt=True) if header == "date" else header
    with door_to(answer(429, b"", Retry_After=value, Date=format_datetime(now, usegmt=True))) as (door, shop):
        with pytest.raises(RateLimited) as caught:
            door.send(get())
        assert caught.value.retry_after == pause
        with pytest.raises(RateLimited) as caught:
            door.send(get())
        assert len(shop.asked) == 1
    assert caught.value.retry_after is not None
    assert timedelta(0) < caught.value.retry_after <= pause


def test_a_short_pause_is_waited_for_in_place():
    with door_to(answer(429, b"", Retry_After="1"), answer()) as (door, shop):
        assert door.send(get()).status == 200
        assert len(shop.asked) == 2


@pytest.mark.parametrize("header", ["soon", "-5", "", "0", "Mon, 99 Foo 2026", "1.5"])
def test_a_pause_that_makes_no_sense_is_a_back_off(header):
    budget = Patient()
    with (
        door_to(answer(429, b"", Retry_After=header), budget=budget) as (door, _),
        pytest.raises(RateLimited) as caught,
    ):
        door.send(get())
    assert caught.value.retry_after is None
    assert budget.told == ["acquire", "penalise None"] * 3


def test_the_budget_is_told_how_each_try_ended():
    budget = Patient()
    refusal, cut, busy = answer(422, b"{}"), until_close(b"{"), answer(503, b"", Retry_After="90")
    with door_to(answer(), refusal, answer(500, b""), cut, cut, busy, budget=budget) as (door, _):
        door.send(get())
        with pytest.raises(RequestRefused):
            door.send(get())
        with pytest.raises(Exception, match="cut"):
            door.send(get())
        with pytest.raises(Unavailable):
            door.send(get())
    told = "acquire succeeded acquire succeeded acquire failed acquire acquire acquire failed penalise 90.0"
    assert " ".join(budget.told) == told


def test_an_address_refused_tells_the_budget_nothing():
    budget = Patient()
    inside = rules(resolve=lambda *_: ["169.254.169.254"])
    with GuardedDoor(SignIn("http://shop"), rules=inside, budget=budget) as door, pytest.raises(AddressRefused):
        door.send(get())
    assert budget.told == ["acquire"]


def test_after_three_failures_the_circuit_is_open_and_nothing_is_sent():
    with door_to(answer(503, b"")) as (door, shop):
        with pytest.raises(Unavailable):
            door.send(get())
        with pytest.raises(Unavailable) as caught:
            door.send(get())
        assert len(shop.asked) == 3
    assert caught.value.retry_after is not None


def test_doors_that_share_a_budget_share_its_pauses():
    budget = MemoryBudget()
    with door_to(answer(429, b"", Retry_After="60"), budget=budget) as (door, shop):
        with pytest.raises(RateLimited):
            door.send(get())
        with GuardedDoor(SignIn(shop.url), rules=rules(), budget=budget) as other, pytest.raises(RateLimited):
            other.send(get())
        assert len(shop.asked) == 1
    assert budget.state != BudgetState()


def test_the_connector_has_the_first_word_on_a_complete_refusal():
    def interpret(got):
        return NotFound(f"gone {got.body.decode()}", status=got.status) if got.status == 500 else None

    with door_to(answer(500, b"85", "text/xml"), answer(404, b"no"), interpret=interpret) as (door, _):
        with pytest.raises(NotFound, match="gone 85"):
            door.send(get())
        with pytest.raises(NotFound, match="404"):
            door.send(get())


def test_an_interpretation_may_raise_what_it_would_return():
    def interpret(got):
        raise CredentialsRejected("the key of the web service is wrong")

    with (
        door_to(answer(500, b""), interpret=interpret) as (door, _),
        pytest.raises(CredentialsRejected, match="web service"),
    ):
        door.send(get())


def test_a_refusal_that_a_connector_cannot_read_is_left_to_its_status():
    def interpret(got):
        raise UnexpectedFormat("this is not our XML")

    with door_to(answer(503, b"<html>", "text/html"), interpret=interpret) as (door, _), pytest.raises(Unavailable):
        door.send(get())


@pytest.mark.parametrize(
    "says",
    [raw(head(404, {"Content-Length": "100"}) + b"half"), answer(404, b"x" * 2_000_000)],
    ids=["cut", "huge"],
)
def test_a_refusal_counts_even_if_its_body_does_not_come_whole(says):
    def interpret(got):
        raise BrokenInvariant("never asked about half an answer")

    with door_to(says, interpret=interpret) as (door, _), pytest.raises(NotFound):
        door.send(get())


def test_an_operation_is_reading_only_if_it_says_so():
    assert READ.is_reading
