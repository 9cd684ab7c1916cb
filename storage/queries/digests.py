"""Digests of pages whose every record was saved: a page with the same bytes need not be decoded again."""

from collections.abc import Iterable

import sqlalchemy as sa

from storage.bulk import one_of, upsert_rows
from storage.database import Unit
from storage.tables import page_digests


def within(unit: Unit, feed_id: int, pages: Iterable[str]) -> dict[str, tuple[bytes, int]]:
    """The digests of these pages, with the number of records on each. Others are forgotten: a record may have moved on."""
    query = sa.select(page_digests.c.page, page_digests.c.digest, page_digests.c.records).where(
        page_digests.c.feed_id == feed_id
    )
    saved = {row[0]: (bytes(row[1]), row[2]) for row in unit.connection.execute(query)}
    kept = {page: saved.pop(page) for page in pages if page in saved}
    if saved:
        unit.connection.execute(
            page_digests.delete().where(page_digests.c.feed_id == feed_id, one_of(page_digests.c.page)),
            {"ids": list(saved)},
        )
    return kept


def keep(unit: Unit, feed_id: int, *, page: str, digest: bytes, count: int) -> None:
    """Remember that everything on a page is saved."""
    upsert_rows(
        unit,
        page_digests,
        ("feed_id", "page", "digest", "records"),
        [(feed_id, page, digest, count)],
        keys=("feed_id", "page"),
    )


def forget(unit: Unit, feed_id: int) -> None:
    """Every page is decoded again next time."""
    unit.connection.execute(page_digests.delete().where(page_digests.c.feed_id == feed_id))
