"""In test mode nothing that writes leaves, however it is dressed; and the mode counts from the very next request."""

import itertools

import pytest

from domain.errors import AddressRefused, BrokenInvariant, PlatformError, Withheld
from engine.connector import Operation, Request, SignIn, reads, writes
from engine.http.door import GuardedDoor
from engine.http.gate import shut
from engine.http.rules import Rules
from tests.hostile import HostileShop, answer

WHERE = Rules(allow_private=True, first_pause=0.0)
WRITES = {
    "declared": writes("set stock", "PUT"),
    "nobody classified it": Operation("mystery", "GET"),
    "a GET that writes": writes("confirm by link", "GET"),
    "a HEAD that writes": writes("touch", "HEAD"),
    "a GraphQL mutation": writes("inventorySetQuantities", "POST"),
    "odd method": Operation("merge", "X-MERGE"),
    "delete": Operation("delete", "DELETE"),
}


@pytest.mark.parametrize("operation", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("way", ["send", "stream"])
@pytest.mark.parametrize("headers", [(), (("X-HTTP-Method-Override", "GET"),)])
def test_in_test_mode_no_byte_of_a_write_leaves(operation, way, headers):
    with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url), rules=WHERE, gate=shut) as door:
        request = Request(operation, "stock", headers=headers, body=b"{}")
        with pytest.raises((Withheld, BrokenInvariant)):
            _ = door.send(request) if way == "send" else list(door.stream([request]))
        assert shop.connections == 0


@pytest.mark.parametrize("operation", WRITES.values(), ids=WRITES.keys())
def test_the_same_writes_leave_in_production(operation):
    with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url), rules=WHERE, gate=lambda _: None) as door:
        door.send(Request(operation, "stock", body=b"{}"))
        assert [asked.method for asked in shop.asked] == [operation.method]


def test_reading_works_in_test_mode_whatever_its_method():
    with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url), rules=WHERE, gate=shut) as door:
        for method in ("GET", "POST", "HEAD"):
            door.send(Request(reads("search", method), "search"))
        assert len(shop.asked) == 3


def test_a_mode_switched_between_two_writes_holds_from_the_second():
    is_production = itertools.chain([True, False], itertools.repeat(False))

    def gate(operation: Operation) -> None:
        if not next(is_production):
            shut(operation)

    with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url), rules=WHERE, gate=gate) as door:
        door.send(Request(WRITES["declared"], "1"))
        for number in ("2", "3"):
            with pytest.raises(Withheld):
                door.send(Request(WRITES["declared"], number))
        assert [asked.target for asked in shop.asked] == ["/1"]


def test_a_redirected_reading_request_does_not_become_another_request():
    moved = answer(307, b"", Location="/admin/delete")
    with HostileShop((moved, answer())) as shop, GuardedDoor(SignIn(shop.url), rules=WHERE, gate=shut) as door:
        with pytest.raises(AddressRefused):
            door.send(Request(reads("search", "POST"), "search"))
        assert len(shop.asked) == 1


def test_a_gate_that_breaks_lets_nothing_out():
    def broken(operation: Operation) -> None:
        raise ConnectionError("the database is away")

    with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url), rules=WHERE, gate=broken) as door:
        with pytest.raises((ConnectionError, PlatformError)):
            door.send(Request(WRITES["declared"], "1"))
        assert shop.connections == 0
