"""No exception of the network library gets past the door untranslated."""

import inspect
import socket
import ssl

import httpcore
import httpx
import pytest

from domain.errors import AddressRefused, BrokenInvariant, PlatformError, TimedOut, Unavailable, UnexpectedFormat
from engine.http.failures import NETWORK_ERRORS, from_status, translate
from engine.http.passage import Passage


def exceptions_of(module):
    return [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__.split(".")[0] == module.__name__
    ]


# raised only to people who ask a response for what it is not; the door never does
NEVER_RAISED_HERE = {httpx.CookieConflict}
OURS_TO_AVOID = (httpx.StreamError,)


def made(kind):
    if issubclass(kind, httpx.HTTPStatusError):
        request = httpx.Request("GET", "https://canary:canary@shop/?ws_key=canary")
        return kind("canary", request=request, response=httpx.Response(500, request=request))
    try:
        return kind("canary https://canary@shop/?ws_key=canary")
    except TypeError:
        return kind()


@pytest.mark.parametrize(
    "kind", [*exceptions_of(httpx), *exceptions_of(httpcore)], ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
@pytest.mark.parametrize("received", [0, 10])
def test_every_exception_of_the_network_library_has_an_error(kind, received):
    if kind in NEVER_RAISED_HERE:
        return
    assert issubclass(kind, NETWORK_ERRORS)
    passage = Passage(deadline=0)
    passage.received = received
    error = translate(made(kind), passage, host="shop.example", does="read orders")
    assert isinstance(error, PlatformError)
    assert isinstance(error, BrokenInvariant) == issubclass(kind, OURS_TO_AVOID)
    assert "canary" not in error.message + error.detail
    assert "shop.example" in error.message


def test_the_walk_finds_the_exceptions():
    assert len(exceptions_of(httpx)) > 25
    assert len(exceptions_of(httpcore)) > 12


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(8, "no such name"), Unavailable),
        (ConnectionResetError(), Unavailable),
        (ssl.SSLError(1, "wrong version"), Unavailable),
        (TimeoutError(), TimedOut),
        (OSError(24, "too many open files"), Unavailable),
    ],
)
def test_errors_of_the_system_have_an_error_too(error, kind):
    assert isinstance(error, NETWORK_ERRORS)
    assert type(translate(error, Passage(deadline=0), host="shop", does="read")) is kind


def test_a_certificate_that_does_not_hold_needs_a_person():
    error = httpcore.ConnectError("tls")
    error.__context__ = certificate = ssl.SSLCertVerificationError(1, "canary")
    certificate.verify_message = "certificate has expired"
    got = translate(error, Passage(deadline=0), host="shop", does="read")
    assert isinstance(got, AddressRefused)
    assert "certificate has expired" in got.message
    assert "certificate" in got.remedy


def test_an_interim_status_is_no_answer():
    assert isinstance(from_status(101, host="shop", does="read", retry_after=None), UnexpectedFormat)
