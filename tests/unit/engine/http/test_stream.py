"""Streams: in order, lazily, as many in flight as allowed, and over at once when nobody wants more."""

import threading

import pytest

from domain.errors import NotFound, Unavailable
from engine.connector import Limits, Request
from engine.http.rules import Timeouts
from tests.hostile import answer, hang_up, silent
from tests.unit.engine.http.doors import READ, door_to, numbered, rules


def echo(connection, asked, closing):
    return answer(body=b"[%s]" % asked.target[1:].encode())(connection, asked, closing)


@pytest.mark.parametrize("concurrent", [1, 2, 5])
def test_answers_come_in_the_order_of_their_requests(concurrent):
    with door_to(echo, limits=Limits(concurrent=concurrent)) as (door, shop):
        assert [got.body for got in door.stream(numbered(40))] == [b"[%d]" % number for number in range(40)]
        assert shop.connections <= concurrent


def test_no_requests_give_no_answers():
    with door_to(echo) as (door, _):
        assert list(door.stream([])) == []


def test_as_many_are_in_flight_as_the_limits_allow():
    together = threading.Barrier(4)

    def meet(connection, asked, closing):
        together.wait()
        return echo(connection, asked, closing)

    with door_to(meet, limits=Limits(concurrent=4), rules=rules(timeouts=Timeouts())) as (door, _):
        assert len(list(door.stream(numbered(12)))) == 12


def test_one_at_a_time_still_fetches_one_ahead():
    second = threading.Event()

    def note(connection, asked, closing):
        if asked.target == "/1":
            second.set()
        return echo(connection, asked, closing)

    with door_to(note) as (door, _):
        answers = door.stream(numbered(5))
        assert next(answers).body == b"[0]"
        assert second.wait(timeout=60)
        assert [got.body for got in answers] == [b"[1]", b"[2]", b"[3]", b"[4]"]


def test_requests_are_pulled_as_places_become_free():
    pulled: list[int] = []

    def endless():
        for number in range(10**9):
            pulled.append(number)
            yield Request(READ, str(number))

    with door_to(echo, limits=Limits(concurrent=2)) as (door, _):
        answers = door.stream(endless())
        assert pulled == []
        for expected in range(10):
            assert next(answers).body == b"[%d]" % expected
            assert len(pulled) <= expected + 4
        answers.close()


def test_the_first_error_ends_the_stream_after_the_answers_before_it():
    def miss_third(connection, asked, closing):
        return answer(404 if asked.target == "/3" else 200, b"[]")(connection, asked, closing)

    got = []
    with door_to(miss_third, limits=Limits(concurrent=3)) as (door, shop):
        with pytest.raises(NotFound):
            got.extend(door.stream(numbered(1000)))
        assert len(got) == 3
        assert len(shop.asked) < 12


def test_a_passing_fault_in_a_stream_is_repeated_in_place():
    with door_to(hang_up, echo) as (door, _):
        assert [got.body for got in door.stream(numbered(3))] == [b"[0]", b"[1]", b"[2]"]


def test_closing_a_stream_does_not_wait_for_what_is_in_flight():
    arrived = threading.Event()

    def hold_from_third(connection, asked, closing):
        if asked.target == "/0":
            return echo(connection, asked, closing)
        arrived.set()
        return silent(connection, asked, closing)

    with door_to(hold_from_third, limits=Limits(concurrent=2), rules=rules(timeouts=Timeouts(total=600, read=600))) as (
        door,
        shop,
    ):
        answers = door.stream(numbered(100))
        next(answers)
        assert arrived.wait(timeout=60)
        answers.close()
        shop.says = (echo,)
        assert [got.body for got in door.stream(numbered(3))] == [b"[0]", b"[1]", b"[2]"]


def test_two_streams_and_single_requests_share_a_door():
    with door_to(echo, limits=Limits(concurrent=2)) as (door, _):
        orders, products = door.stream(numbered(20)), door.stream(numbered(20))
        for expected in range(20):
            assert next(orders).body == next(products).body == b"[%d]" % expected
            assert door.send(Request(READ, "7")).body == b"[7]"


def test_an_error_in_the_requests_themselves_comes_through():
    def broken():
        yield Request(READ, "1")
        raise KeyError("cursor")

    with door_to(echo) as (door, _), pytest.raises(KeyError):
        list(door.stream(broken()))


def test_closing_the_door_ends_its_streams():
    arrived = threading.Event()

    def arrive(connection, asked, closing):
        arrived.set()
        return silent(connection, asked, closing)

    with door_to(arrive, rules=rules(timeouts=Timeouts(total=600, read=600))) as (door, _):
        answers = door.stream(numbered(3))
        closer = threading.Thread(target=lambda: (arrived.wait(), door.close()))
        closer.start()
        with pytest.raises(Unavailable):
            next(answers)
        closer.join()
