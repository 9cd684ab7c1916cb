"""Strict decoding of what systems answer: no surprise a decoder can spring gets past here.

Every failure is an ``UnexpectedFormat`` or ``Truncated`` that names the place and shows nothing of the content.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, overload

import msgspec
from lxml import etree

from domain.errors import RemoteContractError, Truncated, UnexpectedFormat
from engine.connector import Json

T = TypeVar("T")
_BOM = b"\xef\xbb\xbf"
_LONGEST_NUMBER = 400
_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)


@overload
def decode_json(body: bytes, *, unique_key: str = "", items: Callable[[Json], int] | None = None) -> Json: ...
@overload
def decode_json(body: bytes, kind: type[T], *, unique_key: str = "", items: Callable[[T], int] | None = None) -> T: ...
def decode_json(
    body: bytes, kind: Any = Any, *, unique_key: str = "", items: Callable[[Any], int] | None = None
) -> Any:
    """The document as ``kind``, a type msgspec knows; without one, as plain values.

    Refuses NaN and Infinity, numbers out of range, lone surrogates, bytes that are not UTF-8, and any nesting too deep. A
    byte-order mark is forgiven. Equal keys in one object are found where ``unique_key`` names a key that each item has once
    and ``items`` counts the items: at the price of one search, and of ``decode_json_strict`` where the numbers differ.
    """
    plain = body.removeprefix(_BOM)
    try:
        value = msgspec.json.decode(plain, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _json_problem(error) from None
    if unique_key and items is not None and plain.count(f'"{unique_key}":'.encode()) != items(value):
        decode_json_strict(plain)
    return value


def decode_json_strict(body: bytes) -> Json:
    """The document as plain values, numbers with a fraction as ``float``; also refuses equal keys in one object. Slow."""
    try:
        value: Json = json.loads(
            body.removeprefix(_BOM).decode("utf-8"),
            object_pairs_hook=_without_twins,
            parse_constant=_refuse_constant,
            parse_int=_whole_number,
            parse_float=_fraction,
        )
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # finds lone surrogates, which the decoder lets through
    except (ValueError, RecursionError) as error:
        raise _json_problem(error) from None
    return value


def _json_problem(error: Exception) -> RemoteContractError:
    match error:
        case RecursionError():
            return UnexpectedFormat("The answer is nested too deeply to be read.")
        case UnicodeDecodeError():
            return UnexpectedFormat("The answer is not written in UTF-8.", detail=f"byte {error.start}")
        case json.JSONDecodeError():
            return UnexpectedFormat("The answer is not valid JSON.", detail=f"{error.msg} at character {error.pos}")
        case msgspec.ValidationError():
            return UnexpectedFormat("The answer has another shape than is documented.", detail=_without_values(error))
        case msgspec.DecodeError() if "truncated" in str(error):
            return Truncated("The answer was cut: its JSON has no end, or a broken character.")
        case _:
            return UnexpectedFormat("The answer is not valid JSON.", detail=str(error)[:300])


def _without_values(error: Exception) -> str:
    return re.sub(r"'[^']*'", "'...'", str(error))[:300]


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two equal keys in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole_number(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")} or len(text) > _LONGEST_NUMBER:
        raise ValueError("a number is out of range")
    return number


def parse_xml(body: bytes) -> etree._Element:
    """The root element. Refuses every document type declaration, so that there are no entities and nothing is fetched."""
    if b"\0" in body[:200]:
        raise UnexpectedFormat("The answer is not written in UTF-8.")
    start = _PROLOG.match(body.removeprefix(_BOM))
    if start is not None and start.string[start.end() : start.end() + 9].upper() == b"<!DOCTYPE":
        raise _doctype()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=False, huge_tree=False, collect_ids=False
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise UnexpectedFormat("The answer is not valid XML.", detail=f"line {line}, column {column}") from None
    # an encoding that the search above cannot read may have hidden one
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    return root


def _doctype() -> UnexpectedFormat:
    return UnexpectedFormat("The answer brings a document type declaration, which is never accepted.")
