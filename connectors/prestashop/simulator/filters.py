"""The filter grammar, taken literally: what looks odd here was seen on a real shop."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.prestashop.simulator.compare import as_moment, as_number, folded, like
from connectors.prestashop.simulator.refusals import Fatal, bad_list, did_you_mean
from connectors.prestashop.simulator.schema import Field, Resource, Value

BRACKETS = re.compile(r"^(.*)\[(.*)\](.*)$", re.DOTALL)
RANGE = re.compile(r"^([\d.:\-\s]+),([\d.:\-\s]+)$")
OPERATORS = {">": "above", "<": "below", "!": "none"}
DATES = ("date_add", "date_upd")
Test = Callable[[Value], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter on one field: ``kind`` is equal, like, any, between, above, below or none; ``values`` its operands."""

    field: Field
    kind: str
    values: tuple[str, ...]

    @property
    def test(self) -> Test:
        """Whether a single value passes."""
        if self.kind == "like":
            pattern = like(self.values[0])
            return lambda value: pattern.fullmatch(folded(str(value))) is not None
        if self.field.is_number:
            return _number_test(self.kind, self.values)
        if self.field.kind in {"moment", "day"}:
            return _moment_test(self.kind, self.values)
        return _text_test(self.kind, self.values)


def read_filters(resource: Resource, wanted: dict[str, str], *, with_dates: bool) -> list[Filter]:
    """The filters of a list; Refused with 32, 33 or 34. Filters PrestaShop ignores are left out."""
    filters: list[Filter] = []
    for name, text in wanted.items():
        field = _field(resource, name, with_dates=with_dates)
        if text == "":
            raise bad_list(33, f'The filter "{name}" is malformed.')
        read = _read(field, text)
        if read is not None:
            filters.append(read)
    return filters


def filterable(resource: Resource, *, with_dates: bool) -> list[str]:
    """The names an error lists: neither translated fields nor, without ``date=1``, the dates."""
    names = [one.name for one in resource.fields if not one.translated and (with_dates or one.name not in DATES)]
    return ["id", *names]


IDENTITY = Field("id", "int", 0)


def _field(resource: Resource, name: str, *, with_dates: bool) -> Field:
    if name == "id":
        return IDENTITY
    field = resource.by_name.get(name)
    if name in DATES and with_dates and field is None:
        raise Fatal  # the column is asked for and does not exist
    if field is None or (name in DATES and not with_dates):
        known = filterable(resource, with_dates=with_dates)
        raise did_you_mean(32, "This filter does not exist", name, known, is_list_error=True)
    if field.computed:
        raise bad_list(34, f'The field "{name}" is dynamic. It is not possible to filter GET query with this field.')
    return field


def _read(field: Field, text: str) -> Filter | None:
    match = BRACKETS.match(text)
    if match is None:
        return Filter(field, "equal", (text,))
    before, inner, after = match.groups()
    if "%" in (before, after):
        return Filter(field, "like", (f"{before}{inner}{after}",))
    if not before and not after:
        if inner.find("|") > 0:
            return Filter(field, "any", tuple(inner.split("|")))
        if found := RANGE.match(inner):
            ends = sorted(found.groups(), key=_sort_key)
            return Filter(field, "between", tuple(ends))
        return Filter(field, "equal", (inner,))
    kind = OPERATORS.get(before)
    if kind is None:
        return None
    return Filter(field, kind, tuple(inner.split("|")) if kind == "none" else (inner,))


def _sort_key(text: str) -> tuple[int, float, str]:
    """PHP sorts two numbers as numbers, anything else as text."""
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)


def _number_test(kind: str, values: tuple[str, ...]) -> Test:
    numbers = [as_number(value) for value in values]
    first = numbers[0]
    if kind in {"equal", "any"}:
        # An empty text matches no row of a numeric column.
        wanted = {number for number, value in zip(numbers, values, strict=True) if value != ""}
        return lambda value: value != "" and as_number(value) in wanted
    if kind == "none":
        refused = set(numbers)
        return lambda value: as_number(value) not in refused
    if kind == "between":
        last = numbers[1]
        return lambda value: first <= as_number(value) <= last
    if kind == "above":
        return lambda value: as_number(value) > first
    return lambda value: as_number(value) < first


def _moment_test(kind: str, values: tuple[str, ...]) -> Test:
    # A time with a T is understood in comparisons, not in ranges: there it is one text that equals nothing.
    return _ordered_test(kind, tuple(as_moment(value) for value in values), lambda value: as_moment(str(value)))


def _text_test(kind: str, values: tuple[str, ...]) -> Test:
    return _ordered_test(kind, tuple(folded(value) for value in values), lambda value: folded(str(value)))


def _ordered_test(kind: str, values: tuple[str, ...], shown: Callable[[Value], str]) -> Test:
    first = values[0]
    if kind in {"equal", "any"}:
        wanted = frozenset(values)
        return lambda value: shown(value) in wanted
    if kind == "none":
        refused = frozenset(values)
        return lambda value: shown(value) not in refused
    if kind == "between":
        last = values[1]
        return lambda value: first <= shown(value) <= last
    if kind == "above":
        return lambda value: shown(value) > first
    return lambda value: shown(value) < first
