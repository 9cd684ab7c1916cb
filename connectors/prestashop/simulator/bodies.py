"""Request bodies: XML and nothing else."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from lxml import etree

from connectors.prestashop.simulator.refusals import Refused, warning
from connectors.prestashop.simulator.schema import Resource

POSITION = re.compile(r", line \d+, column \d+.*$", re.DOTALL)
PARSER_LINE = 1544
Node = etree._Element
Words = str | dict[int, str]


@dataclass(frozen=True, slots=True)
class Posted:
    """One entity as sent: texts by field, translated texts by language where they came so, associations by name."""

    fields: dict[str, Words]
    associations: dict[str, tuple[dict[str, int | str], ...]]

    @property
    def identity(self) -> str:
        """The id as sent; empty when none was."""
        value = self.fields.get("id", "")
        return value.strip() if isinstance(value, str) else ""

    def text(self, name: str) -> str:
        """A field that is not translated."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else next(iter(value.values()), "")


def read_entities(resource: Resource, body: bytes) -> list[Posted]:
    """The entities of a body, whatever their elements are called; Refused with 127, or 86 for unknown associations."""
    raw = body
    if raw.startswith(b"xml="):
        raw = raw[4:] if raw[4:5] == b"<" else unquote_plus(raw[4:].decode()).encode()
    # Entities are left alone: PHP does not resolve them either.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, strip_cdata=True)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise _unreadable(raw, problem) from problem
    return [_posted(resource, node) for node in _children(root)]


def _children(node: Node) -> list[Node]:
    # Comments and instructions are children too, to lxml; their tags are functions.
    return list(node.iterchildren("*"))


def _text(node: Node) -> str:
    return "".join(str(part) for part in node.itertext())


def _posted(resource: Resource, node: Node) -> Posted:
    fields: dict[str, Words] = {}
    associations: dict[str, tuple[dict[str, int | str], ...]] = {}
    for child in _children(node):
        if child.tag == "associations":
            associations = {part.tag: _items(part) for part in _children(child)}
            continue
        languages = [word for word in _children(child) if word.tag == "language"]
        if languages:
            fields[child.tag] = {int(word.get("id", "0") or 0): _text(word) for word in languages}
        else:
            fields[child.tag] = _text(child)
    known = {one.name for one in resource.associations}
    for name in associations:
        if name not in known:
            raise Refused(400, 86, f'The association "{name}" does not exists')
    return Posted(fields, associations)


def _items(node: Node) -> tuple[dict[str, int | str], ...]:
    return tuple({part.tag: _text(part).strip() for part in _children(item)} for item in _children(node))


def _unreadable(raw: bytes, problem: Exception) -> Refused:
    shown = raw.decode("utf-8", "replace")
    final = f"XML error : String could not be parsed as XML\nXML length : {len(raw)}\nOriginal XML : {shown}"
    if not raw:
        return Refused(500, 127, final)
    reason = POSITION.sub("", str(problem))
    line, column = problem.position if isinstance(problem, etree.XMLSyntaxError) else (1, 1)
    constructor = "SimpleXMLElement::__construct():"
    source = (shown.splitlines() or [""])[min(line, len(shown.splitlines())) - 1]
    first = Refused(500, 3, warning(f"{constructor} Entity: line {line}: parser error : {reason}", PARSER_LINE))
    first.and_then(500, 3, warning(f"{constructor} {source}", PARSER_LINE))
    first.and_then(500, 3, warning(f"{constructor} {' ' * max(column - 1, 0)}^", PARSER_LINE))
    return first.and_then(500, 127, final)
