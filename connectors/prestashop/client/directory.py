"""What records point to – customers, carriers, currencies – read in bulk and kept by id."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import chunks, one_of
from connectors.prestashop.client.rows import Broken
from connectors.prestashop.client.tables import Table
from engine.connector import Answer, Request

Row = TypeVar("Row")

_NONE = frozenset({"", "0", "None"})


class Directory(Generic[Row]):
    """Rows of one resource by id. One that no longer exists is remembered as None, one that cannot be read as ``Broken``."""

    def __init__(self, table: Table[Row], *, display: str, is_translated: bool = False, keeps: int = 20_000) -> None:
        """``keeps`` bounds the memory: beyond it everything is forgotten and read again when needed."""
        self._table = table
        self._display = display
        self._is_translated = is_translated
        self._keeps = keeps
        self._rows: dict[str, Row | Broken | None] = {}

    def get(self, remote_id: object) -> Row | None:
        """The row, if it exists and can be read."""
        found = self._rows.get(str(remote_id))
        return None if isinstance(found, Broken) else found

    def broken(self, remote_id: object) -> Broken | None:
        """Why a row that exists cannot be read."""
        found = self._rows.get(str(remote_id))
        return name_place(found, self._table.resource) if isinstance(found, Broken) else None

    def requests(self, account: Account, wanted: Iterable[object]) -> list[Request]:
        """What has to be asked for all of ``wanted`` to be known."""
        if len(self._rows) > self._keeps:
            self._rows.clear()
        names = {str(remote_id) for remote_id in wanted} - _NONE
        missing = sorted(name for name in names - self._rows.keys() if name.isascii() and name.isdecimal())
        self._rows.update(dict.fromkeys(missing))
        return [
            account.speech.listing(
                self._table.resource,
                display=self._display,
                filters={"id": one_of(portion)},
                is_translated=self._is_translated,
            )
            for portion in chunks(missing)
        ]

    def take(self, account: Account, request: Request, answer: Answer) -> None:
        """Keep the rows of an answer."""
        for row in account.rows(self._table, request, answer):
            self._rows[str(row.id)] = row  # type: ignore[union-attr]


def name_place(broken: Broken, resource: str) -> Broken:
    """The same, its field named as what it is of a record that points to it."""
    place = f"{resource} {broken.id}"
    return Broken(id=broken.id, field=f"{place}: {broken.field}" if broken.field else place, message=broken.message)


def fill(account: Account, *wanted: tuple[Directory[Any], Iterable[object]]) -> None:
    """Make all of these known, with as few requests as can be, several at once."""
    plan: Sequence[tuple[Directory[Any], Request]] = [
        (directory, request) for directory, names in wanted for request in directory.requests(account, names)
    ]
    answers = account.door.stream(request for _, request in plan)
    for (directory, request), answer in zip(plan, answers, strict=True):
        directory.take(account, request, answer)
