"""How a PrestaShop in particular misbehaves."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec

from connectors.prestashop.simulator import json_writer, xml_writer
from connectors.prestashop.simulator.refusals import ErrorEntry, Refused, bad_list, warned, warning
from engine.simulation.exchange import Response
from engine.simulation.fault import Fault, Scene

HTML_TYPE = (("Content-Type", "text/html; charset=utf-8"),)
NOT_FOUND = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
MAINTENANCE = (
    b"<!DOCTYPE html><html><body><h1>We'll be back soon.</h1><p>Our shop is under maintenance.</p></body></html>"
)
FIRST_TEXT = re.compile(rb"<!\[CDATA\[")
XML_ENTITY = re.compile(rb"^<(?P<node>[a-z_]+)(?: id=\"\d+\"[^>]*/>\n|>\n.*?^</(?P=node)>\n)", re.MULTILINE | re.DOTALL)
XML_LIST = re.compile(
    rb"\A(.*?<prestashop[^>]*>\n<[a-z_]+>\n)(.*)(^</[a-z_]+>\n</prestashop>\n)\Z", re.DOTALL | re.MULTILINE
)
UPDATED = re.compile(rb"(<date_upd><!\[CDATA\[|\"date_upd\":\")\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
STATE = re.compile(rb"(<current_state[^>]*><!\[CDATA\[|\"current_state\":\")\d+")
SAME_SECOND = "2026-11-20 15:20:00"


def _fixed(response: Response) -> Callable[[Scene], Awaitable[None]]:
    async def play(scene: Scene) -> None:
        await scene.wire.answer(scene.request, response)

    return play


def _refusal(refused: Refused) -> Callable[[Scene], Awaitable[None]]:
    """An error list, in the format asked for."""

    async def play(scene: Scene) -> None:
        await scene.wire.answer(scene.request, _error_answer(scene, refused.status, refused.entries))

    return play


def _error_answer(scene: Scene, status: int, entries: list[ErrorEntry]) -> Response:
    wants_json = "output_format=JSON" in scene.request.query or scene.request.header("output-format") == "JSON"
    writer = json_writer if wants_json else xml_writer
    return Response(status, writer.errors(entries), (("Content-Type", writer.CONTENT_TYPE),))


async def _warning_after_write(scene: Scene) -> None:
    entries = [ErrorEntry(3, warning('Undefined array key "reference"', 1210))]
    await scene.wire.answer(scene.request, _error_answer(scene, 500, entries))


def _rewritten(change: Callable[[Scene, bytes], bytes]) -> Callable[[Scene], Awaitable[None]]:
    async def play(scene: Scene) -> None:
        await scene.wire.answer(scene.request, replace(scene.true, body=change(scene, scene.true.body)))

    return play


def _malformed(_scene: Scene, body: bytes) -> bytes:
    """What a text with ``]]>`` and a vertical tab does to a page; JSON stays valid."""
    return body if body[:1] in {b"{", b"["} else FIRST_TEXT.sub(b"<![CDATA[]]>\x0b<b>", body, count=1)


def _in_lists(change: Callable[[list[object]], list[object]]) -> Callable[[Scene, bytes], bytes]:
    """Change the order or number of a list's entities, in both formats."""

    def rewrite(_scene: Scene, body: bytes) -> bytes:
        if body[:1] == b"{":
            content = msgspec.json.decode(body)
            return json_writer.encoded({k: change(v) if isinstance(v, list) else v for k, v in content.items()})
        match = XML_LIST.match(body)
        if match is None or not match.group(2).startswith(b"<"):
            return body  # a single entity, or a list without any
        found: list[object] = [one.group() for one in XML_ENTITY.finditer(match.group(2))]
        listed = b"".join(one for one in change(found) if isinstance(one, bytes))
        return match.group(1) + listed + match.group(3)

    return rewrite


def _shuffled(entities: list[object]) -> list[object]:
    """Out of order, and always the same way."""
    return [*entities[1::2], *entities[::2]]


def _same_second(_scene: Scene, body: bytes) -> bytes:
    return UPDATED.sub(rb"\g<1>" + SAME_SECOND.encode(), body)


def _changed_state(scene: Scene, body: bytes) -> bytes:
    return STATE.sub(rb"\g<1>" + scene.setting.encode(), body)


def _switched_off() -> Refused:
    return Refused(503, 22, "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office")


def _key_disabled() -> Refused:
    refused = Refused(401, 20, "Authentification key is not active")
    return refused.and_then(401, 21, "No permission for this authentication key")


FATAL = Response(500, b"", HTML_TYPE, closes=True)
FAULTS: tuple[Fault, ...] = (
    Fault("malformed_xml", "Sends a list whose texts break the XML.", _rewritten(_malformed), reaches_app=True),
    Fault(
        "list_warnings",
        "Refuses a list as 500, with PHP warnings after the error.",
        _refusal(warned(bad_list(39, 'The "limit" value has to be formed as this example: "5,25" or "10"'))),
    ),
    Fault(
        "rewriting_off",
        "Answers a web page with 404, as without URL rewriting.",
        _fixed(Response(404, NOT_FOUND, HTML_TYPE)),
    ),
    Fault("maintenance_page", "Answers a maintenance page with 503.", _fixed(Response(503, MAINTENANCE, HTML_TYPE))),
    Fault("fatal", "Fails with an empty 500; nothing is carried out.", _fixed(FATAL)),
    Fault(
        "fatal_after_write", "Carries the request out, then fails with an empty 500.", _fixed(FATAL), reaches_app=True
    ),
    Fault(
        "warning_after_write",
        "Carries the request out and calls it a 500, because PHP warned.",
        _warning_after_write,
        reaches_app=True,
    ),
    Fault(
        "vanished_row",
        "Answers 404 with an empty body, as for a row deleted since it was listed.",
        _fixed(Response(404)),
    ),
    Fault("unsorted_list", "Sends a list in the wrong order.", _rewritten(_in_lists(_shuffled)), reaches_app=True),
    Fault(
        "repeated_row",
        "Sends the first row of a list twice.",
        _rewritten(_in_lists(lambda entities: [*entities[:1], *entities])),
        reaches_app=True,
    ),
    Fault("same_second", "Gives every row the same date_upd.", _rewritten(_same_second), reaches_app=True),
    Fault(
        "changed_state",
        "Shows orders in another state, as changed in between.",
        _rewritten(_changed_state),
        reaches_app=True,
        setting="6",
        settings="the id of the state shown",
    ),
    Fault("switched_off", "Answers that the webservice is switched off.", _refusal(_switched_off())),
    Fault("key_disabled", "Answers that the key is not active.", _refusal(_key_disabled())),
)
