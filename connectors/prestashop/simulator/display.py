"""Which fields an answer shows."""

import re
from dataclasses import dataclass

from connectors.prestashop.simulator.refusals import bad_list
from connectors.prestashop.simulator.schema import Association, Field, Part, Resource

ASSOCIATION = re.compile(r"([a-z_]+)\[([^\]]*)\]")
IDENTITY = Field("id", "int", 0)


@dataclass(frozen=True, slots=True)
class Display:
    """The fields and associations to show. ``only_ids`` is a list without any fields."""

    fields: tuple[Field, ...] = ()
    associations: tuple[tuple[Association, tuple[Part, ...]], ...] = ()
    only_ids: bool = False
    is_full: bool = False


def full(resource: Resource) -> Display:
    """Everything."""
    return Display(
        (IDENTITY, *resource.fields),
        tuple((one, one.parts) for one in resource.associations),
        is_full=True,
    )


def read_display(resource: Resource, text: str | None, *, default: Display) -> Display:
    """The ``display`` parameter; Refused with 35 or 36."""
    if text is None:
        return default
    if text == "full":
        return full(resource)
    if text == "minimum":
        return Display(only_ids=True)
    names = ["id", *(one.name for one in resource.fields)]
    if not (text.startswith("[") and text.endswith("]")):
        raise bad_list(
            36,
            "The 'display' syntax is wrong. You can set 'full' or '[field_1,field_2,field_3,...]'. "
            f"These are available: {', '.join(names)}",
        )
    inner = text[1:-1]
    associations = tuple(
        chosen
        for match in ASSOCIATION.finditer(inner)
        if (chosen := _association(resource, match.group(1), match.group(2), names=names))
    )
    wanted = {name for word in ASSOCIATION.sub("", inner).split(",") if (name := word.strip())}
    for name in sorted(wanted):
        if name not in names:
            raise _undisplayable(name, names)
    # The order is the server's, not that of the request.
    fields = tuple(one for one in (IDENTITY, *resource.fields) if one.name in wanted)
    return Display(fields, associations)


def _association(
    resource: Resource, name: str, inner: str, *, names: list[str]
) -> tuple[Association, tuple[Part, ...]] | None:
    association = next((one for one in resource.associations if one.name == name), None)
    if association is None:
        raise _undisplayable(name, names)
    wanted = [word.strip() for word in inner.split(",")]
    for word in wanted:
        if word not in {part.name for part in association.parts}:
            raise _undisplayable(word, [part.name for part in association.parts])
    if not resource.selectable_associations:
        return None
    return association, tuple(part for part in association.parts if part.name in wanted)


def _undisplayable(name: str, names: list[str]) -> Exception:
    available = ", ".join(names)
    return bad_list(35, f'Unable to display this field "{name}". However, these are available: {available}')
