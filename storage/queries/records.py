"""Canonical records and the references that tie them to the ids of outside systems."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from domain.records import KINDS, Blob, Record, fold
from storage.bulk import insert_rows, next_ids, one_of, upsert_rows
from storage.database import Unit
from storage.tables import integrations, records, references
from storage.types import instant_to_driver


def _blob_key(value: Any) -> str:  # noqa: ANN401 - msgspec's hook
    """A record's body names its blobs by hash; the bytes are kept apart."""
    if isinstance(value, Blob):
        return value.key
    raise NotImplementedError(type(value))


def _blob_of_key(_kind: type, value: Any) -> Blob:  # noqa: ANN401
    return Blob(b"", key=value)


_encode = msgspec.json.Encoder(order="deterministic", enc_hook=_blob_key).encode
_decoders = {kind: msgspec.json.Decoder(record, dec_hook=_blob_of_key).decode for kind, record in KINDS.items()}


def encode(record: Record) -> bytes:
    """The stored form of a record: the same bytes for equal records."""
    return _encode(record)


def fingerprint(body: bytes) -> bytes:
    """What tells two versions of a record apart."""
    return blake2b(body, digest_size=12).digest()


class Known(NamedTuple):
    """A record already tied to a remote id."""

    remote_id: str
    record_id: int
    fingerprint: bytes
    is_gone: bool


class Saving(NamedTuple):
    """A record to write: its body is the encoded record, its fingerprint that of what the shop told."""

    record: Record
    body: bytes
    fingerprint: bytes


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


def bodies(unit: Unit, kind: str, record_ids: Sequence[int]) -> dict[int, Any]:
    """The stored records of one kind by their ids."""
    decode = _decoders[kind]
    query = sa.select(records.c.id, records.c.body).where(one_of(records.c.id))
    return {row[0]: decode(row[1]) for row in unit.connection.execute(query, {"ids": list(record_ids)})}


class Candidate(NamedTuple):
    """A record that shares a link key. ``own_remote_id`` is its id in the asking integration, if it has one there."""

    key: str
    record_id: int
    label: str
    own_remote_id: str | None


def candidates(unit: Unit, integration_id: int, *, kind: str, keys: Sequence[str]) -> list[Candidate]:
    """Records of a kind found under any of the link keys."""
    if not keys:
        return []
    return [
        Candidate(*row[:4])
        for query in _CANDIDATES
        for row in unit.connection.execute(query, {"integration": integration_id, "ids": keys})
        if row[4] == kind
    ]


_CANDIDATES = [
    # The kind is compared by us: told of it, SQLite would walk all records of the kind instead of the few of the keys.
    sa.select(column, records.c.id, records.c.label, references.c.remote_id, records.c.kind)
    .select_from(
        records.outerjoin(
            references,
            (references.c.record_id == records.c.id) & (references.c.integration_id == sa.bindparam("integration")),
        )
    )
    .where(one_of(column))
    for column in (records.c.first_key, records.c.second_key)
]


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


def insert(
    unit: Unit, integration_id: int, *, kind: str, savings: Sequence[Saving], parents: Sequence[int] | None = None
) -> list[int]:
    """Insert new records with their references; returns their ids, in order."""
    ids = next_ids(unit, records, len(savings))
    now = instant_to_driver(unit.now, unit.dialect)
    dialect = unit.dialect
    rows = []
    for index, (record_id, saving) in enumerate(zip(ids, savings, strict=True)):
        record = saving.record
        keys = record.link_keys
        occurred_at = record.occurred_at
        rows.append(
            (
                record_id,
                kind,
                integration_id,
                parents[index] if parents is not None else None,
                record.label,
                keys[0] if keys else None,
                keys[1] if len(keys) > 1 else None,
                record.state,
                saving.body,
                instant_to_driver(occurred_at, dialect) if occurred_at is not None else None,
                now,
                now,
            )
        )
    insert_rows(unit, records, _RECORD_COLUMNS, rows)
    refer(
        unit,
        integration_id,
        kind=kind,
        rows=[(s.record.remote_id, i, s.fingerprint) for i, s in zip(ids, savings, strict=True)],
    )
    return ids


_RECORD_COLUMNS = (
    "id",
    "kind",
    "integration_id",
    "parent_id",
    "label",
    "first_key",
    "second_key",
    "state",
    "body",
    "occurred_at",
    "created_at",
    "updated_at",
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


def update(unit: Unit, integration_id: int, *, kind: str, changes: Sequence[tuple[int, Saving]]) -> None:
    """Write changed records and their new fingerprints. A record this integration does not own keeps its body."""
    if not changes:
        return
    unit.connection.execute(
        records.update()
        .where(
            records.c.id == sa.bindparam("record"),
            sa.or_(records.c.integration_id.is_(None), records.c.integration_id == integration_id),
        )
        .values(
            label=sa.bindparam("new_label"),
            first_key=sa.bindparam("new_first"),
            second_key=sa.bindparam("new_second"),
            state=sa.bindparam("new_state"),
            body=sa.bindparam("new_body"),
            occurred_at=sa.bindparam("new_occurred"),
            updated_at=unit.now,
        ),
        [
            {
                "record": record_id,
                "new_label": saving.record.label,
                "new_first": keys[0] if (keys := saving.record.link_keys) else None,
                "new_second": keys[1] if len(keys) > 1 else None,
                "new_state": saving.record.state,
                "new_body": saving.body,
                "new_occurred": saving.record.occurred_at,
            }
            for record_id, saving in changes
        ],
    )
    upsert_rows(
        unit,
        references,
        ("integration_id", "kind", "remote_id", "record_id", "fingerprint", "changed_at", "gone_at"),
        [
            (
                integration_id,
                kind,
                saving.record.remote_id,
                record_id,
                saving.fingerprint,
                instant_to_driver(unit.now, unit.dialect),
                None,
            )
            for record_id, saving in changes
        ],
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


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as a list shows it."""

    id: int
    kind: str
    label: str
    state: str
    integration: str
    occurred_at: datetime | None
    created_at: datetime
    updated_at: datetime
    record: Any


def _rows(unit: Unit, query: sa.Select[Any]) -> list[RecordRow]:
    return [
        RecordRow(
            id=row.id,
            kind=row.kind,
            label=row.label,
            state=row.state,
            integration=row.integration,
            occurred_at=row.occurred_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            record=_decoders[row.kind](row.body),
        )
        for row in unit.connection.execute(query)
    ]


def _select() -> sa.Select[Any]:
    return sa.select(records, sa.func.coalesce(integrations.c.name, "").label("integration")).select_from(
        records.outerjoin(integrations, integrations.c.id == records.c.integration_id)
    )


def listed(
    unit: Unit,
    *,
    kind: str,
    integration_id: int | None = None,
    state: str | None = None,
    text: str = "",
    count: int = 100,
    before: int | None = None,
) -> list[RecordRow]:
    """Records of a kind, newest first; ``text`` is a SKU, a barcode or a label."""
    query = _select().where(records.c.kind == kind).order_by(records.c.id.desc()).limit(count)
    if integration_id is not None:
        query = query.where(records.c.integration_id == integration_id)
    if state is not None:
        query = query.where(records.c.state == state)
    if text:
        folded = fold(text)
        query = query.where(
            sa.or_(
                records.c.label == text,
                records.c.first_key == f"sku:{folded}",
                records.c.first_key == f"barcode:{folded}",
                records.c.second_key == f"barcode:{folded}",
            )
        )
    if before is not None:
        query = query.where(records.c.id < before)
    return _rows(unit, query)


def get(unit: Unit, record_id: int) -> RecordRow | None:
    """One record."""
    rows = _rows(unit, _select().where(records.c.id == record_id))
    return rows[0] if rows else None


def references_of(unit: Unit, record_id: int) -> list[tuple[str, str, datetime | None]]:
    """Where a record is known: ``(integration, remote id, gone since)``."""
    query = (
        sa.select(integrations.c.name, references.c.remote_id, references.c.gone_at)
        .select_from(references.join(integrations, integrations.c.id == references.c.integration_id))
        .where(references.c.record_id == record_id)
    )
    return [(row[0], row[1], row[2]) for row in unit.connection.execute(query)]


def replace_body(unit: Unit, record_id: int, record: Record) -> None:
    """Save a record the hub itself changed."""
    unit.connection.execute(
        records.update()
        .where(records.c.id == record_id)
        .values(label=record.label, state=record.state, body=encode(record), updated_at=unit.now)
    )


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


def shared_keys(
    unit: Unit, integration_id: int, *, kinds: Sequence[str], prefix: str
) -> dict[str, list[tuple[str, str]]]:
    """Link keys that several records of one integration share: key to ``(remote id, label)`` of each."""
    # Two steps, the first on an index alone: in one, SQLite sorted all keys in memory, eight megabytes for 60,000 products.
    shared = sa.select(records.c.first_key).where(records.c.first_key.startswith(prefix))
    keys = unit.connection.execute(shared.group_by(records.c.first_key).having(sa.func.count() > 1)).scalars().all()
    if not keys:
        return {}
    query = (
        sa.select(records.c.first_key, references.c.remote_id, records.c.label, records.c.id, records.c.parent_id)
        .select_from(records.join(references, references.c.record_id == records.c.id))
        .where(
            references.c.integration_id == integration_id,
            references.c.kind.in_(kinds),
            references.c.gone_at.is_(None),
            one_of(records.c.first_key),
        )
        .order_by(records.c.first_key, records.c.id)
    )
    rows = unit.connection.execute(query, {"ids": keys}).all()
    parents = {row.parent_id for row in rows}
    found: dict[str, list[tuple[str, str]]] = {}
    for key, remote_id, label, record_id, _ in rows:
        if record_id not in parents:  # a product may share the SKU of its own variant: only the variant is sold
            found.setdefault(key, []).append((remote_id, label))
    return {key: members for key, members in found.items() if len(members) > 1}
