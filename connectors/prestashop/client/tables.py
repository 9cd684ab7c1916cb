"""Decodes lists of the webservice, JSON or XML, into typed rows.

A list that is sound decodes at once. One with a bad row is decoded row by row, and only that row is lost. A document that is
not well-formed is not decoded at all: ``NotWellFormed`` for XML, where one text can spoil a whole list, else
``UnexpectedFormat``.
"""

import json
from collections import Counter
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
        rows = self._xml_rows(body, language=language) if answers is Format.XML else self._json_rows(body)
        return [row if type(row.id) is int or _is_id(row) else _nameless(row) for row in rows]  # type: ignore[union-attr]

    def sound(self, rows: list[Row | Broken]) -> list[Row]:
        """The same rows, for lists that are no use with a row missing. Raises ``UnexpectedFormat`` naming the first bad one."""
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
            if not body.isascii():
                body.decode("utf-8")  # the decoder below does not look into what it passes over
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
            found = json.loads(
                body.decode("utf-8"),
                object_pairs_hook=_spoil_twins,
                parse_constant=str,
                parse_float=str,
                parse_int=lambda digits: int(digits) if len(digits) < 19 else digits,
            )
            parts = found[self.node]
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise UnexpectedFormat(
                f"The shop's answer is not a list of {self.resource}.", detail=str(error)[:200]
            ) from None
        if not isinstance(parts, list):
            raise UnexpectedFormat(f"The shop's answer is not a list of {self.resource}.")
        return [self._json_row(part) for part in parts]

    def _json_row(self, part: object) -> Row | Broken:
        try:
            text = json.dumps(part).encode()
        except RecursionError:
            return Broken(id="?deep", message="it is nested too deeply to be real")
        try:
            return self._one.decode(text)
        except msgspec.ValidationError as error:
            return _broken(part, text, field=_path(str(error)), message=str(error).partition(" - at ")[0])
        except (msgspec.DecodeError, RecursionError):
            return _broken(
                part, text, field="", message="a text of it is not valid Unicode, or it is nested too deeply"
            )

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
            told = str(error).rpartition(": ")[2]
            parent = str(values.get("id_product") or values.get("order_reference") or "")
            return Broken(
                id=str(values.get("id") or ""), message=f"the shop left out a field ({told[:80]})", parent=parent
            )


def _is_id(row: object) -> bool:
    remote_id = getattr(row, "id", None)
    return isinstance(row, Broken) or (
        isinstance(remote_id, str) and remote_id.isascii() and remote_id.isdecimal() and len(remote_id) < 20
    )


def _nameless(row: object) -> Broken:
    remote_id = str(getattr(row, "id", ""))
    name = f"?{blake2b(remote_id.encode('utf-8', 'replace'), digest_size=6).hexdigest()}"
    return Broken(id=name, label=_readable(remote_id), field="id", message="it is not the number of a record")


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


def _spoil_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """As ``dict``, but a key that comes twice gets a value no field accepts: nobody knows which one was meant."""
    result = dict(pairs)
    if len(result) != len(pairs):
        for name, count in Counter(name for name, _ in pairs).items():
            if count > 1:
                result[name] = {"given": count}
    return result


def _broken(part: object, text: bytes, *, field: str, message: str) -> Broken:
    values = part if isinstance(part, dict) else {}
    return Broken(
        id=_readable(values.get("id")) or f"?{blake2b(text, digest_size=6).hexdigest()}",
        label=_readable(values.get("reference")) or _readable(values.get("name")),
        field=field,
        message=message,
        date_upd=_readable(values.get("date_upd")),
        parent=_readable(values.get("id_product")) or _readable(values.get("order_reference")),
    )


def _readable(value: object) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    return str(value).encode("utf-8", "replace").decode().replace("\0", "")[:120]


def _path(message: str) -> str:
    """``Expected `str`, got `object` - at `$.price``` names the field ``price``."""
    return message.partition(" - at `$.")[2].rstrip("`")


def ids(rows: Iterable[Any]) -> list[str]:
    """The ids of rows, as the hub writes them."""
    return [str(row.id) for row in rows]
