"""Finds records by what a person types."""

import msgspec

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import above, fields
from connectors.prestashop.client.rows import Id, Scalar
from connectors.prestashop.client.tables import Table
from domain.records import fold


class _ReferenceRow(msgspec.Struct, gc=False):
    id: Id
    reference: Scalar = None


_TABLES = {resource: Table(resource, _ReferenceRow) for resource in ("products", "combinations", "orders")}


def find_by_reference(account: Account, resource: str, text: str) -> list[str]:
    """The ids of the records with this reference, whatever its case."""
    if not is_plain(text):
        return []
    request = account.speech.listing(
        resource, display=fields("id", "reference"), filters={"reference": text, "id": above(0)}, limit=100
    )
    rows = account.read_sound(_TABLES[resource], request)
    return [str(row.id) for row in rows if fold(str(row.reference or "")) == fold(text)]


def is_plain(text: str) -> bool:
    """Whether PrestaShop takes a text as a value: it reads some characters as operators, and answers another question."""
    return 0 < len(text) <= 128 and not any(character in text for character in "[]%<>!|\0")
