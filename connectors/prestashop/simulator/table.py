"""The rows of one resource, with what makes asking for a few of a hundred thousand fast."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

from connectors.prestashop.simulator.compare import folded
from connectors.prestashop.simulator.schema import Resource, Row, Value


class Table:
    """Rows by id. A row holds ``id`` and only what differs from its fields' defaults.

    ``revision`` grows with every change, so that what was worked out from the table can be kept until then.
    """

    def __init__(self, resource: Resource) -> None:
        """Empty; the next id is 1."""
        self.resource = resource
        self.rows: dict[int, Row] = {}
        self.ids: list[int] = []
        self.next_id = 1
        self.revision = 0
        self._indexes: dict[str, dict[Value, list[int]]] = {name: {} for name in resource.indexes}

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """The rows in the order of their ids."""
        return (self.rows[identity] for identity in self.ids)

    def __contains__(self, identity: object) -> bool:
        """Whether there is a row with this id."""
        return identity in self.rows

    def get(self, identity: int) -> Row | None:
        """The row, or None."""
        return self.rows.get(identity)

    def value(self, row: Row, name: str) -> Value:
        """A field of a row, its default when the row does not hold it."""
        return row[name] if name in row else self.resource.by_name[name].default

    def insert(self, row: Row) -> int:
        """Add a row; without an id it gets the next one. Returns the id. Rows of an index come in the order of ids."""
        identity = row.get("id")
        if not isinstance(identity, int):
            identity = self.next_id
            row = {"id": identity, **row}
        self.next_id = max(self.next_id, identity + 1)
        self.rows[identity] = row
        if self.ids and identity < self.ids[-1]:
            insort(self.ids, identity)
        else:
            self.ids.append(identity)
        for name, index in self._indexes.items():
            value = _key(self.value(row, name))
            found = index.get(value)
            if found is None:
                index[value] = [identity]
            else:
                insort(found, identity)
        self.revision += 1
        return identity

    def update(self, identity: int, changes: Row) -> None:
        """Change fields of an existing row."""
        row = self.rows[identity]
        for name, index in self._indexes.items():
            if name in changes:
                before, after = _key(self.value(row, name)), _key(changes[name])
                if before != after:
                    index[before].remove(identity)
                    insort(index.setdefault(after, []), identity)
        row.update(changes)
        self.revision += 1

    def delete(self, identity: int) -> None:
        """Remove an existing row."""
        row = self.rows.pop(identity)
        self.ids.remove(identity)
        for name, index in self._indexes.items():
            index[_key(self.value(row, name))].remove(identity)
        self.revision += 1

    def indexed(self, name: str) -> bool:
        """Whether the field can be looked up without looking at every row."""
        return name in self._indexes

    def having(self, name: str, values: Iterable[Value]) -> list[int]:
        """Ids of rows whose indexed field has one of these values, ascending."""
        index = self._indexes[name]
        lists = [found for value in dict.fromkeys(_key(value) for value in values) if (found := index.get(value))]
        if len(lists) == 1:
            return lists[0]
        return sorted(identity for found in lists for identity in found)

    def between(self, name: str, low: float, high: float) -> list[int]:
        """Ids of rows whose indexed whole number lies between both ends, ends included."""
        index = self._indexes[name]
        if high - low < len(index):
            return self.having(name, range(int(low), int(high) + 1))
        return self.having(name, (value for value in index if isinstance(value, int) and low <= value <= high))

    def ids_between(self, low: float, high: float) -> list[int]:
        """Ids between both ends, ends included."""
        return self.ids[bisect_left(self.ids, low) : bisect_right(self.ids, high)]

    def related(self, name: str, value: Value) -> list[Row]:
        """The rows whose indexed field has this value, in the order of their ids."""
        return [self.rows[identity] for identity in self._indexes[name].get(_key(value), ())]


def _key(value: Value) -> Value:
    """Texts are looked up as the database compares them."""
    return folded(value) if isinstance(value, str) else value
