"""Bytes stored once by content."""

from collections.abc import Iterable

import sqlalchemy as sa

from domain.records import Blob
from storage.bulk import upsert_rows
from storage.database import Unit
from storage.tables import blobs


def keep(unit: Unit, new: Iterable[Blob]) -> None:
    """Store what is not stored yet."""
    by_key = {blob.key: blob for blob in new if blob.content}
    upsert_rows(
        unit,
        blobs,
        ("hash", "media_type", "size", "content"),
        [(bytes.fromhex(key), blob.media_type, len(blob.content), blob.content) for key, blob in by_key.items()],
        keys=("hash",),
    )


def get(unit: Unit, key: str) -> Blob | None:
    """The bytes under a hash."""
    row = unit.connection.execute(sa.select(blobs).where(blobs.c.hash == bytes.fromhex(key))).one_or_none()
    return Blob(bytes(row.content), media_type=row.media_type, key=key) if row else None
