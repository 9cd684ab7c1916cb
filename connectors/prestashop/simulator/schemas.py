"""``schema=blank`` and ``schema=synopsis``: XML only."""

from connectors.prestashop.simulator import json_writer, xml_writer
from connectors.prestashop.simulator.refusals import bad_list
from connectors.prestashop.simulator.rendering import Rendering
from connectors.prestashop.simulator.schema import Association, Field, Part, Resource

EMPTY = "<![CDATA[]]>"
CHOICE = (
    "Please select a schema of type 'synopsis' to get the whole schema informations (which fields are required, "
    "which kind of content...) or 'blank' to get an empty schema to fill before using POST request"
)


def schema(resource: Resource, kind: str, is_json: bool, *, rendering: Rendering) -> bytes:
    """An empty entity; with its rules for ``synopsis``. Refused with 28 for any other kind."""
    if kind not in {"blank", "synopsis"}:
        raise bad_list(28, CHOICE)
    if is_json:
        return json_writer.encoded({resource.node: []})
    is_blank = kind == "blank"
    parts = [f"<{resource.node}>\n", f"\t<id>{EMPTY}</id>\n" if is_blank else ""]
    parts += [_field(one, rendering, is_blank=is_blank) for one in resource.fields if not (is_blank and one.read_only)]
    if resource.associations:
        parts.append("<associations>\n")
        parts += [_association(one, rendering, is_blank=is_blank) for one in resource.associations]
        parts.append("</associations>\n")
    parts.append(f"</{resource.node}>\n")
    return xml_writer.document(*parts)


def _field(field: Field, rendering: Rendering, *, is_blank: bool) -> str:
    rules = "" if is_blank else _rules(field)
    if not field.translated:
        return f"\t<{field.name}{rules}>{EMPTY}</{field.name}>\n"
    words = "".join(
        f'<language id="{one}">{EMPTY}</language>'
        if is_blank
        else f'<language id="{one}" xlink:href="{rendering.base}languages/{one}" format="isUnsignedId" >'
        f"{EMPTY}</language>"
        for one in rendering.languages.ids
    )
    return f"\t<{field.name}{rules}>{words}</{field.name}>\n"


def _rules(field: Field) -> str:
    rules = [
        'required="true"' if field.required else "",
        f'maxSize="{field.size}"' if field.size else "",
        f'format="{field.check}"' if field.check else "",
        'notFilterable="true"' if field.computed else "",
        'read_only="true" readOnly="true"' if field.read_only else "",
    ]
    return "".join(f" {rule}" for rule in rules if rule)


def _association(association: Association, rendering: Rendering, *, is_blank: bool) -> str:
    kind = f'api="{association.api}"' if association.api else 'virtualEntity="true"'
    head = association.name if is_blank else f'{association.name} nodeType="{association.node}" {kind}'
    inner = "".join(_part(part, rendering, is_blank=is_blank) for part in association.parts)
    return f"<{head}>\n\t<{association.node}>\n{inner}\t</{association.node}>\n</{association.name}>\n"


def _part(part: Part, rendering: Rendering, *, is_blank: bool) -> str:
    rules = ""
    if not is_blank:
        rules = f' xlink:href="{rendering.base}{part.link}/"' if part.link else ""
        rules += ' required="true"' if part.required else ""
        rules += ' read_only="true" readOnly="true"' if part.read_only else ""
    return f"\t<{part.name}{rules}>{EMPTY}</{part.name}>\n"
