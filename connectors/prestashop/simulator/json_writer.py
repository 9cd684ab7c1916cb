"""JSON answers, with PrestaShop's habits: ``[]`` for nothing, texts for numbers, falsy fields dropped from single entities."""

from collections.abc import Iterable

import msgspec

from connectors.prestashop.simulator.associations import items
from connectors.prestashop.simulator.display import Display
from connectors.prestashop.simulator.prices import computed_prices
from connectors.prestashop.simulator.refusals import ErrorEntry
from connectors.prestashop.simulator.rendering import Rendering, texts
from connectors.prestashop.simulator.schema import Field, Resource, Row

CONTENT_TYPE = "application/json"
NOTHING = b"[]"
FALSY = ("", "0", 0, None)
Shown = dict[str, object]


def encoded(value: object) -> bytes:
    """As PHP encodes: slashes escaped, letters not."""
    return msgspec.json.encode(value).replace(b"/", b"\\/")


def errors(entries: Iterable[ErrorEntry]) -> bytes:
    """An error list."""
    return encoded({"errors": [{"code": one.code, "message": one.message} for one in entries]})


def id_list(resource: Resource, ids: Iterable[int]) -> bytes:
    """A list without fields."""
    listed = [{"id": one} for one in ids]
    return encoded({resource.plural: listed}) if listed else NOTHING


def entity_list(resource: Resource, rows: Iterable[Row], display: Display, rendering: Rendering) -> bytes:
    """A list with fields: complete."""
    listed = [_shown(resource, row, display, rendering) for row in rows]
    return encoded({resource.plural: listed}) if listed else NOTHING


def single(resource: Resource, row: Row, display: Display, rendering: Rendering, *, drops: bool) -> bytes:
    """One entity; ``drops`` leaves out every falsy field."""
    shown = _shown(resource, row, display, rendering)
    if drops:
        shown = {name: value for name, value in shown.items() if value not in FALSY}
    return encoded({resource.node: shown})


def _shown(resource: Resource, row: Row, display: Display, rendering: Rendering) -> Shown:
    get = row.get
    shown: Shown = {}
    for field in display.fields:
        value = get(field.name, field.default)
        if field.translated:
            shown[field.name] = _translated(field, row, rendering)
        elif field.name == "id":
            shown["id"] = str(value) if rendering.written_id else value
        elif value is None or field.number or field.kind == "mixed":
            shown[field.name] = value
        else:
            shown[field.name] = str(value)
    shown.update(computed_prices(rendering, resource, row))
    associations = {
        association.name: [{part.name: str(item[part.name]) for part in parts if part.name in item} for item in found]
        for association, parts in display.associations
        if (found := items(rendering.memory, resource, association, row))
    }
    if associations:
        shown["associations"] = associations
    return shown


def _translated(field: Field, row: Row, rendering: Rendering) -> object:
    spoken = texts(row.get(field.name, field.default), rendering.languages)
    if rendering.languages.is_single:
        return spoken[0][1]
    # A range of languages makes PHP count the ids after the first itself: they come as numbers.
    return [
        {"id": language if rendering.languages.is_range and place else str(language), "value": text}
        for place, (language, text) in enumerate(spoken)
    ]
