"""XML answers: every value in CDATA, and nothing inside it escaped."""

from collections.abc import Iterable

from connectors.prestashop.simulator.associations import items
from connectors.prestashop.simulator.display import Display
from connectors.prestashop.simulator.prices import computed_prices
from connectors.prestashop.simulator.refusals import ErrorEntry
from connectors.prestashop.simulator.rendering import Rendering, link_of, texts
from connectors.prestashop.simulator.schema import Association, Field, Part, Resource, Row, Value

CONTENT_TYPE = "text/xml;charset=utf-8"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
TAIL = "</prestashop>\n"


def document(*parts: str) -> bytes:
    """A whole answer."""
    return "".join((HEAD, *parts, TAIL)).encode("utf-8", "surrogatepass")


def errors(entries: Iterable[ErrorEntry]) -> bytes:
    """An error list."""
    listed = "".join(
        f"<error>\n<code><![CDATA[{one.code}]]></code>\n<message><![CDATA[{one.message}]]></message>\n</error>\n"
        for one in entries
    )
    return document(f"<errors>\n{listed}</errors>\n")


def id_list(resource: Resource, ids: Iterable[int], rendering: Rendering) -> bytes:
    """A list without fields."""
    address = f"{rendering.base}{resource.name}/"
    listed = "".join(f'<{resource.node} id="{one}" xlink:href="{address}{one}"/>\n' for one in ids)
    return document(f"<{resource.plural}>\n{listed}</{resource.plural}>\n")


def entity_list(resource: Resource, rows: Iterable[Row], display: Display, rendering: Rendering) -> bytes:
    """A list with fields."""
    written = EntityWriter(resource, display, rendering)
    return document(f"<{resource.plural}>\n", *map(written.entity, rows), f"</{resource.plural}>\n")


def entities(resource: Resource, rows: Iterable[Row], display: Display, rendering: Rendering) -> bytes:
    """One or more entities without a list around them."""
    written = EntityWriter(resource, display, rendering)
    return document(*map(written.entity, rows))


class EntityWriter:
    """Writes entities of one resource; prepares once what is the same for all of them."""

    def __init__(self, resource: Resource, display: Display, rendering: Rendering) -> None:
        """For one answer."""
        self._resource = resource
        self._display = display
        self._rendering = rendering
        self._fields = [_prepared(field) for field in display.fields]

    def entity(self, row: Row) -> str:
        """One entity."""
        parts = [f"<{self._resource.node}>\n"]
        add = parts.append
        get = row.get
        base = self._rendering.base
        for field, name, default, opening, closing in self._fields:
            value = get(name, default)
            if field.translated:
                add(self._translated(field, row))
            elif field.link and (link := link_of(field.link, value, row)):
                add(f'\t<{name} xlink:href="{base}{link}"{opening[len(name) + 2 :]}{value}{closing}')
            else:
                add(f"{opening}{'' if value is None else value}{closing}")
        for alias, price in computed_prices(self._rendering, self._resource, row):
            add(f"\t<{alias}><![CDATA[{price}]]></{alias}>\n")
        if self._display.associations:
            add("<associations>\n")
            for association, shown in self._display.associations:
                add(self._association(association, shown, row))
            add("</associations>\n")
        add(f"</{self._resource.node}>\n")
        return "".join(parts)

    def _translated(self, field: Field, row: Row) -> str:
        address = f"{self._rendering.base}languages/"
        words = "".join(
            f'<language id="{language}" xlink:href="{address}{language}"><![CDATA[{text}]]></language>'
            for language, text in texts(row.get(field.name, field.default), self._rendering.languages)
        )
        computed = ' notFilterable="true"' if field.computed else ""
        return f"\t<{field.name}{computed}>{words}</{field.name}>\n"

    def _association(self, association: Association, shown: tuple[Part, ...], row: Row) -> str:
        kind = f'api="{association.api}"' if association.api else 'virtualEntity="true"'
        head = f'<{association.name} nodeType="{association.node}" {kind}'
        found = items(self._rendering.memory, self._resource, association, row)
        if not found:
            return f"{head}/>\n"
        base = self._rendering.base
        parts = [f"{head}>\n"]
        for item in found:
            link = ""
            if association.link:
                place = association.link.format(
                    owner=row.get("id"), id_product=row.get("id_product"), id=item.get("id")
                )
                link = f' xlink:href="{base}{place}"'
            elif association.api:
                link = f' xlink:href="{base}{association.api}/{item.get("id")}"'
            parts.append(f"\t<{association.node}{link}>\n")
            for part in shown:
                if part.name in item:
                    value = item[part.name]
                    address = f' xlink:href="{base}{part.link}/{value}"' if part.link else ""
                    parts.append(f"\t<{part.name}{address}><![CDATA[{value}]]></{part.name}>\n")
            parts.append(f"\t</{association.node}>\n")
        parts.append(f"</{association.name}>\n")
        return "".join(parts)


def _prepared(field: Field) -> tuple[Field, str, Value, str, str]:
    computed = ' notFilterable="true"' if field.computed else ""
    return (
        field,
        field.name,
        field.default,
        f"\t<{field.name}{computed}><![CDATA[",
        f"]]></{field.name}>\n",
    )
