"""Faults of what is answered: statuses, pages instead of data, and data that tries to hurt its reader."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.simulation.exchange import Response
from engine.simulation.fault import Fault, Scene

HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We'll be back soon.</h1></body></html>"
NESTING = 100_000
LAUGHS = "".join(
    f'<!ENTITY laugh{level} "{f"&laugh{level - 1};" * 10}">' if level else '<!ENTITY laugh0 "ha">'
    for level in range(10)
)
XML_BOMB = f'<?xml version="1.0"?><!DOCTYPE r [{LAUGHS}]><r>&laugh9;</r>'.encode()
XML_DTD = b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://127.0.0.1:9/r.dtd"><r>1</r>'
XML_ENTITY = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
DUPLICATE_KEYS = b'{"data":[{"id":1,"quantity":5}],"data":[],"id":1,"id":2}'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _typed(response: Response, content_type: str) -> Response:
    """The answer with another content type."""
    kept = tuple(pair for pair in response.headers if pair[0].lower() != "content-type")
    return replace(response, headers=(*kept, ("Content-Type", content_type)))


def _fixed(status: int, body: bytes, content_type: str) -> Callable[[Scene], Awaitable[None]]:
    async def play(scene: Scene) -> None:
        await scene.wire.answer(scene.request, Response(status, body, (("Content-Type", content_type),)))

    return play


def _changed(change: Callable[[Response], Response]) -> Callable[[Scene], Awaitable[None]]:
    async def play(scene: Scene) -> None:
        await scene.wire.answer(scene.request, change(scene.true))

    return play


def _status(status: int, *, retry_after: bool = False) -> Callable[[Scene], Awaitable[None]]:
    async def play(scene: Scene) -> None:
        headers = (("Content-Type", "text/plain"), *((("Retry-After", scene.setting),) if retry_after else ()))
        body = f"{status}".encode()
        await scene.wire.answer(scene.request, Response(status, body, headers))

    return play


async def _redirect(scene: Scene) -> None:
    await scene.wire.answer(scene.request, Response(302, b"", (("Location", scene.setting),)))


async def _empty_answer(scene: Scene) -> None:
    await scene.wire.answer(scene.request, scene.empty())


def _invalid_encoding(response: Response) -> Response:
    """Cut into the middle of the body: bytes that are no UTF-8."""
    middle = len(response.body) // 2
    return replace(response, body=response.body[:middle] + b"\xff\xfe\xc3\x28" + response.body[middle:])


def _nul_bytes(response: Response) -> Response:
    middle = len(response.body) // 2
    return replace(response, body=response.body[:middle] + b"\x00\x00" + response.body[middle:])


FAULTS: tuple[Fault, ...] = (
    Fault(
        "rate_limited",
        "Answers 429 with a Retry-After.",
        _status(429, retry_after=True),
        setting="1",
        settings="the text of Retry-After",
    ),
    Fault("server_error", "Answers 500; nothing is carried out.", _status(500)),
    Fault("server_error_after_write", "Carries the request out and answers 500.", _status(500), reaches_app=True),
    Fault("bad_gateway", "Answers 502; nothing is carried out.", _status(502)),
    Fault(
        "unavailable",
        "Answers 503 with a Retry-After; nothing is carried out.",
        _status(503, retry_after=True),
        setting="5",
        settings="the text of Retry-After",
    ),
    Fault("html_page", "Answers a web page with status 200.", _fixed(200, HTML, "text/html; charset=utf-8")),
    Fault(
        "wrong_content_type",
        "Answers the right body and calls it an image.",
        _changed(lambda response: _typed(response, "image/png")),
        reaches_app=True,
    ),
    Fault(
        "error_object",
        "Answers an error object with status 200.",
        _fixed(200, b'{"error":{"code":"internal","message":"Something went wrong"}}', "application/json"),
    ),
    Fault(
        "redirect",
        "Answers 302 to another place.",
        _redirect,
        setting="http://169.254.169.254/latest/meta-data/",
        settings="the new location",
    ),
    Fault("empty_answer", "Answers validly, and without any record.", _empty_answer),
    Fault(
        "empty_body", "Answers 200 with no body at all.", _changed(lambda response: replace(response, body=b"")), True
    ),
    Fault("duplicate_keys", "Answers JSON that names keys twice.", _fixed(200, DUPLICATE_KEYS, "application/json")),
    Fault(
        "deep_nesting",
        "Answers JSON nested a hundred thousand deep.",
        _fixed(200, b"[" * NESTING + b"]" * NESTING, "application/json"),
    ),
    Fault("xml_bomb", "Answers XML whose entities grow to gigabytes.", _fixed(200, XML_BOMB, "text/xml;charset=utf-8")),
    Fault("xml_dtd", "Answers XML that asks for a foreign DTD.", _fixed(200, XML_DTD, "text/xml;charset=utf-8")),
    Fault("xml_entity", "Answers XML that includes a local file.", _fixed(200, XML_ENTITY, "text/xml;charset=utf-8")),
    Fault("invalid_encoding", "Puts bytes that are no text into the answer.", _changed(_invalid_encoding), True),
    Fault(
        "byte_order_mark",
        "Puts a byte order mark before the answer.",
        _changed(lambda response: replace(response, body=BYTE_ORDER_MARK + response.body)),
        reaches_app=True,
    ),
    Fault("nul_bytes", "Puts NUL bytes into the answer.", _changed(_nul_bytes), True),
)
