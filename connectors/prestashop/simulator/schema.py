"""The words resources are declared in: fields, associations, resources.

Stored values are plain: numbers of kind ``int`` as int, everything else as the text PrestaShop shows (``23.900000``,
``2026-10-01 09:00:00``), translated texts as one text for all languages or as ``{language id: text}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Value = int | str | None | dict[int, str] | tuple[int, ...] | tuple[dict[str, int | str], ...]
Row = dict[str, Value]

NO_MOMENT = "0000-00-00 00:00:00"
NO_DAY = "0000-00-00"
ZERO = "0.000000"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity.

    ``kind`` is int, decimal, rate, percent, text, day, moment or mixed; ``check`` is the name of PrestaShop's validation.
    ``computed`` fields cannot be filtered by; ``read_only`` ones may not be sent. ``number`` is shown as a number in JSON.
    ``link`` is the resource of a foreign key, or a form with ``{id}`` and ``{value}``.
    """

    name: str
    kind: str = "text"
    default: Value = ""
    check: str = ""
    required: bool = False
    size: int = 0
    link: str = ""
    translated: bool = False
    computed: bool = False
    read_only: bool = False
    number: bool = False
    since: tuple[int, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether the database column is numeric, which decides how filters compare."""
        return self.kind in {"int", "decimal", "rate", "percent", "mixed"}


def key(name: str, link: str = "", *, required: bool = False, since: tuple[int, ...] = ()) -> Field:
    """An id of something else; 0 is none."""
    return Field(name, "int", 0, "isUnsignedId", required, link=link, since=since)


def flag(name: str, *, default: int = 0, required: bool = False) -> Field:
    """0 or 1."""
    return Field(name, "int", default, "isBool", required)


def number(
    name: str, *, check: str = "isInt", default: int = 0, required: bool = False, computed: bool = False
) -> Field:
    """A whole number."""
    return Field(name, "int", default, check, required, computed=computed)


def decimal(name: str, *, check: str = "isPrice", required: bool = False, kind: str = "decimal") -> Field:
    """A number with six digits after the point (``rate``: three, ``percent``: two)."""
    return Field(name, kind, {"decimal": ZERO, "rate": "0.000", "percent": "0.00"}[kind], check, required)


def text(
    name: str,
    size: int = 0,
    *,
    check: str = "",
    required: bool = False,
    default: Value = "",
    since: tuple[int, ...] = (),
) -> Field:
    """A text that is the same in every language."""
    return Field(name, "text", default, check, required, size, since=since)


def words(
    name: str,
    size: int = 0,
    *,
    check: str = "isGenericName",
    required: bool = False,
    since: tuple[int, ...] = (),
) -> Field:
    """A text per language."""
    return Field(name, "text", "", check, required, size, translated=True, since=since)


def moment(name: str, *, check: str = "isDate") -> Field:
    """A local time."""
    return Field(name, "moment", NO_MOMENT, check)


def day(name: str) -> Field:
    """A date."""
    return Field(name, "day", NO_DAY, "isDateFormat")


def shown(name: str, kind: str = "text", default: Value = "", *, link: str = "", number: bool = False) -> Field:
    """A computed field that may be sent back."""
    return Field(name, kind, default, link=link, computed=True, number=number)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of an association's items."""

    name: str
    link: str = ""
    required: bool = False
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Association:
    """A list inside an entity. ``api`` is the resource of its items, or nothing when their fields are inline.

    ``stored`` associations are kept as sent; the others are worked out from other tables. ``link`` makes an item's address.
    """

    name: str
    node: str
    api: str = ""
    parts: tuple[Part, ...] = (Part("id", required=True),)
    stored: bool = False
    link: str = ""


@dataclass(frozen=True)
class Resource:
    """One resource of the webservice.

    ``natural`` are the fields rows come in the order of when no sort is asked for, as the database's indexes gave it
    on a real shop; ``indexes`` are the fields that are looked up fast. ``shop_field`` limits lists to the shop context.
    ``older`` says, by field, until which version what was different about it.
    """

    name: str
    node: str
    model: str
    description: str
    fields: tuple[Field, ...] = ()
    associations: tuple[Association, ...] = ()
    list_node: str = ""
    never: frozenset[str] = frozenset()
    natural: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    shop_field: str = ""
    priced: bool = False
    has_schema: bool = True
    since: tuple[int, ...] = ()
    until: tuple[int, ...] = ()
    selectable_associations: bool = True
    older: Mapping[str, tuple[tuple[int, ...], dict[str, Any]]] = field(default_factory=dict)
    by_name: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fields by their names."""
        self.by_name.update({one.name: one for one in self.fields})

    @property
    def plural(self) -> str:
        """The list's node name; not always the resource's name."""
        return self.list_node or self.name

    def at(self, version: tuple[int, ...]) -> "Resource":
        """The resource as this version of PrestaShop has it."""
        fields = tuple(self._older(one, version) for one in self.fields if one.since <= version)
        return self if fields == self.fields else replace(self, fields=fields, by_name={})

    def _older(self, one: Field, version: tuple[int, ...]) -> Field:
        until, changes = self.older.get(one.name, ((), {}))
        return replace(one, **changes) if version < until else one
