"""Whether an answer is what its operation answers: by content type, by its first characters, and by the format's own end.

The checks look at both ends of a body only, whatever its size.
"""

import re

from domain.errors import Truncated, UnexpectedFormat
from engine.connector import Format

_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_TYPES = {
    Format.JSON: re.compile(r"(application|text)/([\w.+-]+\+)?json"),
    Format.XML: re.compile(r"(application|text)/([\w.+-]+\+)?xml"),
    Format.IMAGE: re.compile(r"image/[\w.+-]+"),
}
_CLOSING = {b"{": b"}", b"[": b"]"}
_ROOT = re.compile(rb"<([A-Za-z_:][^\s/>]*)")
_HEAD = 16_384


def check_format(body: bytes, *, content_type: str, answers: Format) -> None:
    """Raise ``UnexpectedFormat`` or ``Truncated`` (with up to 200 characters, not yet redacted, in ``detail``) unless it fits.

    A missing content type is forgiven where the body itself shows what it is.
    """
    if answers is Format.ANY:
        return
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type and not _TYPES[answers].fullmatch(media_type):
        raise UnexpectedFormat(
            f"The answer is {_name(media_type)}, not {answers.value.upper()}: it may be a maintenance or sign-in page.",
            detail=excerpt(body),
        )
    if len(body) < _HEAD and not body.strip(_SPACE):
        raise UnexpectedFormat(f"The answer is empty where {answers.value.upper()} was expected.")
    match answers:
        case Format.JSON:
            _check_json(body)
        case Format.XML:
            _check_xml(body)
        case Format.IMAGE:
            _check_image(body, is_typed=bool(media_type))


def excerpt(body: bytes) -> str:
    """The first 200 characters, on one line."""
    return " ".join(body[:800].decode("utf-8", "replace").split())[:200]


def _name(media_type: str) -> str:
    return "a web page" if "html" in media_type else media_type[:60]


def _ends(body: bytes) -> tuple[bytes, bytes]:
    head = body[:_HEAD].removeprefix(_BOM).lstrip(_SPACE)
    return head, body[-_HEAD:].rstrip(_SPACE)


def _check_json(body: bytes) -> None:
    head, tail = _ends(body)
    closing = _CLOSING.get(head[:1])
    if closing is None:
        raise UnexpectedFormat("The answer is not JSON, though it says so.", detail=excerpt(body))
    if tail[-1:] != closing:
        raise Truncated("The answer was cut: its JSON has no end.")


def _check_xml(body: bytes) -> None:
    head, tail = _ends(body)
    if head[:1] != b"<" or re.match(rb"<(!doctype\s+)?html", head, re.IGNORECASE):
        raise UnexpectedFormat("The answer is not XML, though it says so.", detail=excerpt(body))
    while tail.endswith(b"-->") and b"<!--" in tail:
        tail = tail[: tail.rindex(b"<!--")].rstrip(_SPACE)
    root = _ROOT.search(re.sub(rb"(?s)<!--.*?-->|<\?.*?\?>", b"", head))
    last = tail[tail.rfind(b"<") :]
    if root is None:
        raise Truncated("The answer was cut: its XML has not even begun.")
    is_closed = re.fullmatch(rb"</" + re.escape(root[1]) + rb"\s*>", last) is not None
    is_single = last.startswith(b"<" + root[1]) and last.endswith(b"/>") and head.count(b"<" + root[1]) == 1
    if not is_closed and not is_single:
        raise Truncated("The answer was cut: its XML has no end.")


def _check_image(body: bytes, *, is_typed: bool) -> None:
    is_markup = body[:_HEAD].lstrip(_SPACE)[:1] == b"<" and b"<svg" not in body[:_HEAD]
    if is_markup or not is_typed:
        raise UnexpectedFormat("The answer is not an image.", detail=excerpt(body))
