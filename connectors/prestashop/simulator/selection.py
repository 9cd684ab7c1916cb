"""Which rows a list shows, and in which order."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.prestashop.simulator.compare import as_number, folded
from connectors.prestashop.simulator.filters import DATES, Filter, filterable, read_filters
from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.parameters import Languages, Parameters
from connectors.prestashop.simulator.refusals import Fatal, bad_list
from connectors.prestashop.simulator.schema import Resource, Row, Value
from connectors.prestashop.simulator.table import Table

KEPT_SELECTIONS = 64
SORT_FORM = (
    'The "sort" value has to be formed as this example: "field_ASC" or '
    "'[field_1_DESC,field_2_ASC,field_3_ASC,...]' (\"field\" has to be an available field)"
)


@dataclass(frozen=True, slots=True)
class Context:
    """The shops a request speaks about; ``writes_to`` is where a write goes, None for all of them."""

    shops: frozenset[int]
    is_all: bool = False

    @property
    def single(self) -> int | None:
        """The one shop, or None."""
        return next(iter(self.shops)) if len(self.shops) == 1 and not self.is_all else None


class Selections:
    """Works out lists, and keeps the last ones until their table changes, so that paging through one costs little."""

    def __init__(self, memory: Memory) -> None:
        """For one installation."""
        self._memory = memory
        self._kept: OrderedDict[object, tuple[int, Sequence[int]]] = OrderedDict()

    def ids(
        self, resource: Resource, parameters: Parameters, *, context: Context, languages: Languages
    ) -> Sequence[int]:
        """The ids of the page asked for; Refused or Fatal as the parameters deserve."""
        with_dates = parameters.get("date") == "1"
        filters = read_filters(resource, parameters.filters, with_dates=with_dates)
        order = _read_sort(resource, parameters.plain.get("sort"), with_dates=with_dates)
        first, last = _read_limit(parameters.plain.get("limit"))
        identity = (
            resource.name,
            tuple(parameters.filters.items()),
            tuple(order),
            context.shops,
            languages.ids,
            with_dates,
        )
        revision = self._memory.tables[resource.name].revision + self._memory.extra_revision
        kept = self._kept.get(identity)
        if kept is not None and kept[0] == revision:
            found = kept[1]
            self._kept.move_to_end(identity)
        else:
            found = self._find(resource, filters, order, context=context, languages=languages)
            self._kept[identity] = (revision, found)
            if len(self._kept) > KEPT_SELECTIONS:
                self._kept.popitem(last=False)
        return found[first:last]

    def _find(
        self,
        resource: Resource,
        filters: list[Filter],
        order: list[tuple[str, bool]],
        *,
        context: Context,
        languages: Languages,
    ) -> Sequence[int]:
        table = self._memory.tables[resource.name]
        found: Sequence[int] | None = None
        left: list[Filter] = []
        # What can be looked up narrows first; only what is left is looked at row by row.
        for wanted in sorted(filters, key=lambda one: one.field.name != "id"):
            narrowed = _looked_up(table, wanted) if found is None else None
            if narrowed is None:
                left.append(wanted)
            else:
                found = narrowed
        for wanted in left:
            found = _scanned(table, wanted, found, languages)
        if found is None:
            found = table.ids
        found = self._in_shops(resource, found, context)
        if not order:
            return self._naturally(table, found, filters)
        return _sorted(table, found, order, languages)

    def _in_shops(self, resource: Resource, found: Sequence[int], context: Context) -> Sequence[int]:
        if context.is_all or context.shops >= frozenset(self._memory.shops()):
            return found
        if resource.name == "products":
            return [one for one in found if self._memory.product_shops(one) & context.shops]
        if resource.shop_field:
            table = self._memory.tables[resource.name]
            return [one for one in found if table.value(table.rows[one], resource.shop_field) in context.shops]
        return found

    def _naturally(self, table: Table, found: Sequence[int], filters: list[Filter]) -> Sequence[int]:
        """The order the database's indexes gave: its own, or that of a filtered text."""
        names = table.resource.natural
        if not names and any(one.field.name == "reference" for one in filters):
            names = ("reference",)
        if not names or (names[0] == "id_supplier" and not filters):
            return found
        return sorted(found, key=lambda one: tuple(_sort_value(table.value(table.rows[one], name)) for name in names))


def _looked_up(table: Table, wanted: Filter) -> Sequence[int] | None:
    """The ids a filter leaves, without looking at every row; None when that is not possible."""
    name = wanted.field.name
    if name == "id":
        return _looked_up_ids(table, wanted)
    if not table.indexed(name) or wanted.kind not in {"equal", "any", "between"}:
        return None
    if not wanted.field.is_number:
        return None if wanted.kind == "between" else table.having(name, wanted.values)
    numbers = [as_number(value) for value in wanted.values if value != ""]
    if wanted.kind == "between":
        return table.between(name, numbers[0], numbers[1])
    return table.having(name, [int(one) for one in numbers if one == int(one)])


def _looked_up_ids(table: Table, wanted: Filter) -> Sequence[int] | None:
    numbers = [as_number(value) for value in wanted.values if value != ""]
    match wanted.kind:
        case "equal" | "any":
            return sorted({int(one) for one in numbers if one in table.rows})
        case "between":
            return table.ids_between(numbers[0], numbers[1])
        case "above":
            return table.ids_between(numbers[0] + 0.5 if numbers else 0.5, float("inf"))
        case "below":
            return table.ids_between(float("-inf"), numbers[0] - 0.5 if numbers else -0.5)
        case _:
            return None


def _scanned(table: Table, wanted: Filter, found: Sequence[int] | None, languages: Languages) -> list[int]:
    test = wanted.test
    name = wanted.field.name
    default = wanted.field.default
    rows = table.rows
    places = table.ids if found is None else found
    if not wanted.field.translated:
        return [one for one in places if test(rows[one].get(name, default))]
    return [one for one in places if any(test(word) for word in spoken(rows[one].get(name, default), languages.ids))]


def spoken(value: Value, languages: tuple[int, ...]) -> list[str]:
    """A translated text in each of these languages."""
    if isinstance(value, dict):
        return [value.get(language, "") for language in languages]
    return [str(value)] * len(languages)


def _sorted(table: Table, found: Sequence[int], order: list[tuple[str, bool]], languages: Languages) -> Sequence[int]:
    if order == [("id", False)]:
        return found
    rows = table.rows

    def value_of(row: Row, name: str) -> tuple[int, float, str]:
        value = row["id"] if name == "id" else table.value(row, name)
        field = table.resource.by_name.get(name)
        if field is not None and field.translated:
            value = spoken(value, languages.ids)[0]
        return _sort_value(value) if field is None or not field.is_number else (0, as_number(value), "")

    result = list(found)
    for name, is_descending in reversed(order):
        result.sort(key=lambda one, name=name: value_of(rows[one], name), reverse=is_descending)  # type: ignore[misc]
    return result


def _sort_value(value: Value) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, int) else (0, 0.0, folded(str(value)))


def _read_sort(resource: Resource, text: str | None, *, with_dates: bool) -> list[tuple[str, bool]]:
    """Pairs of field and whether it descends; Refused with 37 or 38."""
    if text is None:
        return []
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    order: list[tuple[str, bool]] = []
    for word in inner.split(","):
        name, _, direction = word.strip().rpartition("_")
        if not name or direction.upper() not in {"ASC", "DESC"}:
            raise bad_list(37, SORT_FORM)
        field = resource.by_name.get(name)
        if name in DATES and with_dates and field is None:
            raise Fatal
        if name != "id" and (field is None or field.computed or (name in DATES and not with_dates)):
            names = ", ".join(filterable(resource, with_dates=with_dates))
            raise bad_list(38, f"Unable to filter by this field. However, these are available: {names}")
        order.append((name, direction.upper() == "DESC"))
    return order


def _read_limit(text: str | None) -> tuple[int, int | None]:
    """The slice asked for; Refused with 39, Fatal for what the database does not take."""
    if text is None:
        return 0, None
    words = text.split(",")
    if len(words) > 2:
        raise bad_list(39, 'The "limit" value has to be formed as this example: "5,25" or "10"')
    numbers = [int(as_number(word)) for word in words]
    if min(numbers) < 0:
        raise Fatal
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[0] + numbers[1])
