"""Decodes lists of the webservice, JSON or XML, into typed rows.

A list that is sound decodes at once. One with a bad row is decoded row by row, and only that row is lost. A document that is
not well-formed is not decoded at all: ``NotWellFormed`` for XML, where one text can spoil a whole list, else
``UnexpectedFormat``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

import msgspec
from lxml import etree

from connectors.prestashop.client.rows import Broken, Translation
from domain.errors import UnexpectedFormat
from engine.connector import Format
from engine.http.decoding import parse_xml

Row = TypeVar("Row")

_BOM = b"\xef\xbb\xbf"
_ANY_LIST = msgspec.json.Decoder(dict[str, list[msgspec.Raw]])


class NotWellFormed(UnexpectedFormat):
    """PrestaShop does not escape text inside CDATA: a ``]]>`` or a control character in one record breaks the page."""


class Table(Generic[Row]):
    """A resource of the webservice: its name, the name of its list where that differs, and the type of its rows."""

    def __init__(self, resource: str, row: type[Row], *, node: str = "") -> None:
        """``node`` is the element that holds the rows; ``order_slip`` is listed in ``order_slips``."""
        self.resource = resource
        self.row = row
        self.node = node or resource
        envelope = msgspec.defstruct("Envelope", [(self.node, list[row])])  # type: ignore[valid-type]
        self._list = msgspec.json.Decoder(envelope)
        self._one = msgspec.json.Decoder(row)
        hints = get_type_hints(row)
        self._once = [f'"{name}":'.encode() for name in hints if name not in _SHARED]
        self._fields = _xml_fields(hints)
        self._links = _links(hints)

    def rows(self, body: bytes, *, answers: Format, language: str = "") -> list[Row | Broken]:
        """The rows of a list, ``Broken`` standing for those that cannot be read."""
        if answers is Format.XML:
            return self._xml_rows(body, language=language)
        return self._json_rows(body)

    def sound_rows(self, body: bytes, *, answers: Format, language: str = "") -> list[Row]:
        """The rows of a list that is no use with a row missing. Raises ``UnexpectedFormat`` naming the first bad row."""
        rows = self.rows(body, answers=answers, language=language)
        for row in rows:
            if isinstance(row, Broken):
                raise UnexpectedFormat(
                    f"The shop's list of {self.resource} holds a row, {row.id}, that cannot be read: {row.message}"
                )
        return cast("list[Row]", rows)

    # --- JSON ---

    def _json_rows(self, body: bytes) -> list[Row | Broken]:
        body = body.removeprefix(_BOM).strip()
        if body == b"[]":
            return []
        try:
            rows: list[Row | Broken] = getattr(self._list.decode(body), self.node)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._json_rows_one_by_one(body)
        except RecursionError:
            raise UnexpectedFormat(f"The shop's list of {self.resource} is nested too deeply to be real.") from None
        if any(
            body.count(key) > len(rows) for key in self._once
        ):  # keys are never escaped, and quotes in texts always are
            return self._json_rows_one_by_one(body)
        return rows

    def _json_rows_one_by_one(self, body: bytes) -> list[Row | Broken]:
        try:
            parts = _ANY_LIST.decode(body)[self.node]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError) as error:
            raise UnexpectedFormat(
                f"The shop's answer is not a list of {self.resource}.", detail=str(error)[:200]
            ) from None
        return [self._json_row(bytes(part)) for part in parts]

    def _json_row(self, part: bytes) -> Row | Broken:
        try:
            row = self._one.decode(part)
            json.loads(part, object_pairs_hook=_refuse_twins)
        except msgspec.ValidationError as error:
            return _broken(part, field=_path(str(error)), message=str(error).partition(" - at ")[0])
        except (ValueError, RecursionError) as error:
            return _broken(part, field="", message=str(error)[:200])
        return row

    # --- XML ---

    def _xml_rows(self, body: bytes, *, language: str) -> list[Row | Broken]:
        container = read_xml(body).find(self.node)
        if container is None:
            raise UnexpectedFormat(f"The shop's answer is not a list of {self.resource}.")
        return [self._xml_row(node, language=language) for node in container.iterchildren("*")]

    def _xml_row(self, node: etree._Element, *, language: str) -> Row | Broken:
        fields = self._fields
        values: dict[str, Any] = {}
        for child in node:
            name = child.tag
            if name in fields:
                text = child.text
                # without own text it may hold a translation; asking each element for its children takes longer
                values[name] = text if (text and not text.isspace()) or not len(child) else _translated(child, language)
            elif name == "associations" and self._links is not None:
                values[name] = _xml_links(child, self._links)
        try:
            return self.row(**values)
        except TypeError as error:  # a required field, such as the id, is missing
            return Broken(id=str(node.get("id", "")), message=f"PrestaShop left out a field: {error}"[:200])


_SHARED = frozenset({"id", "quantity", "id_product_attribute", "associations"})
"""Keys that a row and its associations both have."""


def read_xml(body: bytes) -> etree._Element:
    """The root of PrestaShop's own document. Raises ``NotWellFormed`` where a text broke it."""
    try:
        root = parse_xml(body)
    except UnexpectedFormat as error:
        if not error.detail:  # a document type: nothing PrestaShop would send, and not to be asked for again
            raise
        raise NotWellFormed(error.message, detail=error.detail) from None
    if root.tag != "prestashop":
        raise UnexpectedFormat("The answer is XML, but not PrestaShop's.")
    return root


def _xml_fields(hints: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name in hints if name != "associations")


def _links(hints: Mapping[str, Any]) -> "tuple[type[Any], dict[str, tuple[type[Any], frozenset[str]]]] | None":
    if "associations" not in hints:
        return None
    kind = next(part for part in get_args(hints["associations"]) if part is not type(None))
    groups = {name: get_args(hint)[0] for name, hint in get_type_hints(kind).items()}
    return kind, {name: (row, frozenset(get_type_hints(row))) for name, row in groups.items()}


def _xml_links(node: etree._Element, links: "tuple[type[Any], dict[str, tuple[type[Any], frozenset[str]]]]") -> object:
    kind, groups = links
    values: dict[str, Any] = {}
    for group in node:
        if len(group) and group.tag in groups:
            row, fields = groups[group.tag]
            values[group.tag] = [row(**{part.tag: part.text for part in item if part.tag in fields}) for item in group]
    return kind(**values)


def _translated(node: etree._Element, language: str) -> list[Translation] | str | None:
    if len(node) == 1:
        return node[0].text
    return [
        Translation(id=part.get("id"), value=part.text) for part in node if not language or part.get("id") == language
    ]


def _refuse_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """As ``dict``, but a key that comes twice is an error: nobody knows which value was meant."""
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field '{twin[:60]}' is given twice")
    return result


def _broken(part: bytes, *, field: str, message: str) -> Broken:
    try:
        values = json.loads(part)
    except (ValueError, RecursionError):
        values = {}
    values = values if isinstance(values, dict) else {}
    return Broken(
        id=_readable(values.get("id")) or f"?{blake2b(part, digest_size=6).hexdigest()}",
        label=_readable(values.get("reference")) or _readable(values.get("name")),
        field=field,
        message=message,
        date_upd=_readable(values.get("date_upd")),
        parent=_readable(values.get("id_product")),
    )


def _readable(value: object) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    text = value if isinstance(value, str) else str(value) if -(10**18) < value < 10**18 else ""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:120]


def _path(message: str) -> str:
    """``Expected `str`, got `object` - at `$.price``` names the field ``price``."""
    return message.partition(" - at `$.")[2].rstrip("`")


def ids(rows: Iterable[Any]) -> list[str]:
    """The ids of rows, as the hub writes them."""
    return [str(row.id) for row in rows]
