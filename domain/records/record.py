"""What every canonical record has in common."""

import unicodedata
from datetime import datetime
from typing import ClassVar

import msgspec

from domain.records.blob import Blob


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A canonical record: frozen, comparable, with the id it has in the system it came from.

    ``kind`` names the sort of record in the database, on pages and in messages.
    """

    kind: ClassVar[str] = ""

    remote_id: str

    @property
    def label(self) -> str:
        """How a person names the record: a SKU, an order number, a name."""
        return self.remote_id

    @property
    def link_keys(self) -> tuple[str, ...]:
        """What ties this record to one already known from elsewhere, strongest first: folded SKU, then barcode."""
        return ()

    @property
    def parts(self) -> "tuple[Record, ...]":
        """Records that live and die with this one, and have references of their own (the variants of a product)."""
        return ()

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Bytes that are kept apart from the record, under their hash."""
        return ()

    @property
    def state(self) -> str:
        """One word on where the record stands: ``active`` unless the kind says otherwise."""
        return "active"

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened, for lists in the order of time (an order's date), if that means anything."""
        return None


def fold(text: str) -> str:
    """The form under which two SKUs are the same: case, width, accents' composition and outer or doubled spaces aside."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
