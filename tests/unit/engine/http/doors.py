"""Doors to hostile shops, set up so that nothing takes longer than it must."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.connector import Format, Limits, Request, SignIn, reads, writes
from engine.http.door import GuardedDoor
from engine.http.rules import Rules, Timeouts
from tests.hostile import HostileShop, Says

READ = reads("read orders", answers=Format.JSON)
READ_XML = reads("read products", answers=Format.XML)
READ_ANY = reads("read anything")
WRITE = writes("set stock", "PUT", answers=Format.JSON)

QUICK = Timeouts(connect=2.0, read=0.5, total=2.0)


def rules(**changes: Any) -> Rules:
    return Rules(**({"allow_private": True, "first_pause": 0.0, "timeouts": QUICK} | changes))


@contextmanager
def door_to(
    *says: Says, path: str = "", sign_in: SignIn | None = None, limits: Limits | None = None, **changes: Any
) -> Iterator[tuple[GuardedDoor, HostileShop]]:
    """A door to a shop that says these things, and the shop. A gate that lets everything through unless given."""
    changes = {"rules": rules(), "gate": lambda operation: None} | changes
    with HostileShop(says) as shop:
        where = sign_in or SignIn("http://shop")
        there = SignIn(shop.url + path, where.headers, where.secrets)
        with GuardedDoor(there, limits or Limits(), **changes) as door:
            yield door, shop


def get(operation: Any = READ, path: str = "orders") -> Request:
    return Request(operation, path)


def put(body: bytes = b"{}") -> Request:
    return Request(WRITE, "stock", body=body)


def numbered(count: int | None = None) -> Iterator[Request]:
    """Requests for /0, /1 and so on."""
    numbers = itertools.count() if count is None else range(count)
    return (Request(READ, str(number)) for number in numbers)
