"""References: what ties canonical records to the ids of outside systems."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from storage.bulk import insert_rows, one_of, upsert_rows
from storage.database import Unit
from storage.tables import integrations, records, references
from storage.types import instant_to_driver


class Known(NamedTuple):
    """A record already tied to a remote id."""

    remote_id: str
    record_id: int
    fingerprint: bytes
    is_gone: bool


def known(unit: Unit, integration_id: int, *, kind: str, remote_ids: Sequence[str]) -> dict[str, Known]:
    """Those of the remote ids that are tied to a record."""
    rows = unit.connection.execute(_KNOWN, {"integration": integration_id, "kind": kind, "ids": remote_ids})
    return {row[0]: Known(row[0], row[1], bytes(row[2]), row[3] is not None) for row in rows}


_KNOWN = sa.select(
    references.c.remote_id, references.c.record_id, references.c.fingerprint, references.c.gone_at
).where(
    references.c.integration_id == sa.bindparam("integration"),
    references.c.kind == sa.bindparam("kind"),
    one_of(references.c.remote_id),
)


def refer(unit: Unit, integration_id: int, *, kind: str, rows: Sequence[tuple[str, int, bytes]]) -> None:
    """Tie records to remote ids: ``(remote id, record id, fingerprint)``."""
    now = instant_to_driver(unit.now, unit.dialect)
    insert_rows(
        unit,
        references,
        ("integration_id", "kind", "remote_id", "record_id", "fingerprint", "changed_at"),
        [(integration_id, kind, *row, now) for row in rows],
    )


def again(unit: Unit, integration_id: int, *, kind: str, rows: Sequence[tuple[str, int, bytes]]) -> None:
    """The same for remote ids that may be tied already: their record came anew, or came back."""
    now = instant_to_driver(unit.now, unit.dialect)
    upsert_rows(
        unit,
        references,
        ("integration_id", "kind", "remote_id", "record_id", "fingerprint", "changed_at", "gone_at"),
        [(integration_id, kind, *row, now, None) for row in rows],
        keys=("integration_id", "kind", "remote_id"),
    )


def remote_ids(unit: Unit, integration_id: int, *, kind: str, chunk: int = 5000) -> Iterator[list[str]]:
    """All remote ids of a kind that are still there, in chunks."""
    last = ""
    while True:
        query = (
            sa.select(references.c.remote_id)
            .where(
                references.c.integration_id == integration_id,
                references.c.kind == kind,
                references.c.gone_at.is_(None),
                references.c.remote_id > last,
            )
            .order_by(references.c.remote_id)
            .limit(chunk)
        )
        ids = list(unit.connection.execute(query).scalars())
        if not ids:
            return
        yield ids
        last = ids[-1]


def count(unit: Unit, integration_id: int, *, kind: str) -> int:
    """How many records of a kind the integration has, those that are gone aside."""
    query = sa.select(sa.func.count()).where(
        references.c.integration_id == integration_id, references.c.kind == kind, references.c.gone_at.is_(None)
    )
    return unit.connection.execute(query).scalar_one()


def mark_gone(unit: Unit, integration_id: int, *, kind: str, remote_ids: Sequence[str]) -> list[tuple[int, str, str]]:
    """The shop no longer has them. Returns ``(record id, remote id, label)`` of those that were there until now."""
    if not remote_ids:
        return []
    where = (
        (references.c.integration_id == integration_id) & (references.c.kind == kind) & one_of(references.c.remote_id)
    )
    gone = unit.connection.execute(
        sa.select(records.c.id, references.c.remote_id, records.c.label)
        .select_from(references.join(records, records.c.id == references.c.record_id))
        .where(where, references.c.gone_at.is_(None)),
        {"ids": list(remote_ids)},
    ).all()
    unit.connection.execute(references.update().where(where).values(gone_at=unit.now), {"ids": list(remote_ids)})
    unit.connection.execute(
        records.update()
        .where(one_of(records.c.id), records.c.integration_id == integration_id)
        .values(state="gone", updated_at=unit.now),
        {"ids": [row[0] for row in gone]},
    )
    return [(row[0], row[1], row[2]) for row in gone]


def changed_since(
    unit: Unit, integration_id: int, *, kind: str, after: tuple[datetime | None, str], count: int
) -> list[tuple[datetime, str]]:
    """References written after a point, oldest first: ``(changed at, remote id)``."""
    query = (
        sa.select(references.c.changed_at, references.c.remote_id)
        .where(references.c.integration_id == integration_id, references.c.kind == kind, references.c.gone_at.is_(None))
        .order_by(references.c.changed_at, references.c.remote_id)
        .limit(count)
    )
    since, last = after
    if since is not None:
        query = query.where(
            sa.or_(
                references.c.changed_at > since,
                sa.and_(references.c.changed_at == since, references.c.remote_id > last),
            )
        )
    return [(row[0], row[1]) for row in unit.connection.execute(query)]


def of_record(unit: Unit, record_id: int) -> list[tuple[str, str, datetime | None]]:
    """Where a record is known: ``(integration, remote id, gone since)``."""
    query = (
        sa.select(integrations.c.name, references.c.remote_id, references.c.gone_at)
        .select_from(references.join(integrations, integrations.c.id == references.c.integration_id))
        .where(references.c.record_id == record_id)
    )
    return [(row[0], row[1], row[2]) for row in unit.connection.execute(query)]


def parts_besides(
    unit: Unit, integration_id: int, *, kind: str, parents: Sequence[int], remote_ids: Sequence[str]
) -> list[str]:
    """Remote ids of parts of these parents that are not among ``remote_ids``: no longer told of."""
    query = (
        sa.select(references.c.remote_id)
        .select_from(records.join(references, references.c.record_id == records.c.id))
        .where(
            one_of(records.c.parent_id),
            records.c.kind == kind,
            references.c.integration_id == integration_id,
            references.c.gone_at.is_(None),
        )
    )
    told = set(remote_ids)
    return [found for found in unit.connection.execute(query, {"ids": list(parents)}).scalars() if found not in told]


def is_known_elsewhere(unit: Unit, integration_id: int, *, kind: str) -> bool:
    """Whether any other integration has records of a kind, or one that was removed left some: else there is nothing to
    link to.
    """
    theirs = sa.select(references.c.record_id).where(
        references.c.integration_id == integrations.c.id, references.c.kind == kind
    )
    others = sa.select(integrations.c.id).where(integrations.c.id != integration_id, theirs.exists())
    orphaned = sa.select(records.c.id).where(records.c.kind == kind, records.c.integration_id.is_(None))
    return any(unit.connection.execute(query.limit(1)).first() is not None for query in (others, orphaned))
