"""A secret in every place a secret can be, then every failure there is: it is found nowhere."""

import base64
import copy
import gzip
import io
import json
import logging
import pickle
import traceback
from urllib.parse import quote

import pytest
import structlog

from domain.errors import PlatformError, RequestRefused, UserError
from engine.connector import Format, Limits, Request, SignIn, reads, writes
from engine.http.door import GuardedDoor
from engine.http.rules import Rules, Timeouts
from engine.logging import set_up_logging
from tests.hostile import HostileShop, answer, chunked, drip, hang_up, head, raw, silent, until_close

CANARY = "CANARY-7f3a/q+Z9="
SPELLINGS = {
    CANARY,
    quote(CANARY, safe=""),
    base64.b64encode(CANARY.encode()).decode(),
    base64.b64encode(f"{CANARY}:".encode()).decode().rstrip("="),
    json.dumps(CANARY)[1:-1],
}
BASIC = "Basic " + base64.b64encode(f"{CANARY}:".encode()).decode()
QUICK = Rules(allow_private=True, first_pause=0.0, timeouts=Timeouts(connect=1, read=0.1, total=0.2), body_cap=50_000)


def parrot(status: int, content_type: str):
    """A shop that repeats everything it was sent, credentials and all, in its answer."""

    def say(connection, asked, closing):
        body = f"<html>{asked.target} {asked.headers} {CANARY} {quote(CANARY)} {BASIC} {asked.body!r}</html>".encode()
        return answer(status, body, content_type, X_Debug=CANARY, Location=f"/{CANARY}")(connection, asked, closing)

    return say


FAILURES = {
    **{
        f"status {status}": parrot(status, "text/html")
        for status in (200, 302, 400, 401, 403, 404, 422, 429, 500, 503, 504)
    },
    "json that is not": parrot(200, "application/json"),
    "another type": answer(200, CANARY.encode(), CANARY),
    "another packing": answer(200, b"{}", content_encoding=CANARY),
    "not packed": answer(200, CANARY.encode(), content_encoding="gzip"),
    "half packed": answer(200, gzip.compress(CANARY.encode())[:-5], content_encoding="gzip"),
    "cut": until_close(b'{"a": "' + CANARY.encode()),
    "short": raw(head(200, {"Content-Length": "900"}) + CANARY.encode()),
    "not http": raw(f"{CANARY}\r\n\r\n".encode()),
    "bad header": raw(f"HTTP/1.1 200 OK\r\n{CANARY} \x00: {CANARY}\r\n\r\n".encode()),
    "bad chunk": raw(head(200, {"Transfer-Encoding": "chunked"}) + CANARY.encode() + b"\r\n"),
    "too large": chunked([CANARY.encode() * 100] * 100),
    "silent": silent,
    "drip": drip(CANARY.encode()),
    "hang up": hang_up,
}


def everything_said(error: PlatformError, stream: io.StringIO) -> str:
    """All that people, logs, other processes and debuggers get to see of an error."""
    structlog.get_logger().error(
        "failed", exc_info=error, problem=error, **{k: v for k, v in vars(error).items() if k != "exc_info"}
    )
    logging.getLogger("library").error("failed: %s %r", error, error, exc_info=error)
    again = pickle.loads(pickle.dumps(error))
    chain = [error]
    while (before := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(before)
    return "\n".join(
        [
            stream.getvalue(),
            *traceback.format_exception(error),
            *[f"{one} {one!r} {one.args} {vars(one)}" for one in chain],
            repr(vars(again)),
            repr(copy.copy(error)),
        ]
    )


@pytest.fixture
def stream():
    root, structure = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    set_up_logging(log_format="json", log_level="debug", stream=written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structure)


def requests_with_secrets():
    query = (("ws_key", CANARY), ("filter", "x"))
    for operation in (reads("read orders", answers=Format.JSON), writes("set stock", "PUT", answers=Format.JSON)):
        yield Request(operation, f"api/{CANARY}/orders", query, (("X-Extra-Token", CANARY),), body=CANARY.encode())


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_no_failure_shows_a_secret(failure, stream):
    def interpret(got):
        if got.status == 422:
            return RequestRefused(
                f"It says: {got.body.decode()}", status=422, remote_code=CANARY, detail=str(got.headers)
            )
        return None

    with HostileShop((failure,)) as shop:
        sign_in = SignIn(shop.url, {"Authorization": BASIC, "X-Api-Key": CANARY}, (CANARY,))
        for request in requests_with_secrets():
            with GuardedDoor(sign_in, Limits(), rules=QUICK, gate=lambda _: None, interpret=interpret) as door:
                with pytest.raises(PlatformError) as caught:
                    door.send(request)
                said = everything_said(caught.value, stream)
                found = [spelling for spelling in SPELLINGS if spelling.lower() in said.lower()]
                assert found == []
                assert CANARY not in repr(door) + repr(sign_in)


def test_the_canary_really_flies():
    """The shop did get the secrets: the test above looks for something that was there."""
    with HostileShop((answer(),)) as shop:
        sign_in = SignIn(shop.url, {"Authorization": BASIC}, (CANARY,))
        with GuardedDoor(sign_in, rules=QUICK) as door:
            door.send(next(requests_with_secrets()))
    asked = shop.asked[0]
    assert asked.headers["authorization"] == BASIC
    assert f"ws_key={quote(CANARY, safe='')}" in asked.target
    assert asked.body == CANARY.encode()


@pytest.mark.parametrize(
    "address",
    [
        f"https://{CANARY}@shop.example",
        f"https://shop.example/?ws_key={CANARY}",
        f"{CANARY}://x",
        f"https://shop.example:{CANARY}",
    ],
)
def test_an_address_that_holds_a_secret_is_refused_without_showing_it(address, stream):
    with pytest.raises((PlatformError, UserError)) as caught:
        GuardedDoor(SignIn(address, {}, (CANARY,)))
    assert CANARY.lower() not in everything_said(caught.value, stream).lower()


def test_a_header_that_cannot_be_sent_does_not_show_its_value(stream):
    for bad in (f"{CANARY}\n", f"{CANARY}é", f"{CANARY}\x00"):
        with HostileShop((answer(),)) as shop, GuardedDoor(SignIn(shop.url, {"X-Api-Key": bad}), rules=QUICK) as door:
            with pytest.raises(PlatformError) as caught:
                door.send(Request(reads("read"), "x"))
            assert CANARY not in everything_said(caught.value, stream)
