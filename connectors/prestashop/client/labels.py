"""The names combinations are made of: attributes such as *Size* and values such as *S*."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import OPTION_VALUES, OPTIONS, above, fields
from connectors.prestashop.client.paging import check_order
from connectors.prestashop.client.rows import Broken, OptionRow, OptionValueRow
from connectors.prestashop.client.tables import Table

Row = TypeVar("Row")

_PORTION = 1_000


@dataclass(frozen=True, slots=True)
class Labels:
    """The rows by id. ``digest`` stands for all of them: a value renamed renames variants."""

    options: dict[str, OptionRow]
    values: dict[str, OptionValueRow]
    digest: bytes


def labels(account: Account) -> Labels:
    """All of them, read once."""
    return account.once("labels", lambda: _read(account))


def _read(account: Account) -> Labels:
    digest = blake2b(digest_size=16)
    options = dict(_whole(account, OPTIONS, fields("id", "position", "name"), digest))
    values = dict(_whole(account, OPTION_VALUES, fields("id", "id_attribute_group", "name"), digest))
    return Labels(options, values, digest.digest())


def _whole(account: Account, table: Table[Row], display: str, digest: "blake2b") -> Iterator[tuple[str, Row]]:
    last = 0
    while True:
        request = account.speech.listing(
            table.resource, display=display, filters={"id": above(last)}, limit=_PORTION, is_translated=True
        )
        answer = account.door.send(request)
        digest.update(answer.body)
        rows = account.rows(table, request, answer)
        last = check_order(table.resource, rows, after=last)
        yield from ((str(row.id), row) for row in rows if not isinstance(row, Broken))  # type: ignore[attr-defined]
        if len(rows) < _PORTION:
            return
