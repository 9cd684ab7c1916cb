"""Canonical records; ``references`` ties them to the ids of outside systems."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from domain.records import KINDS, Blob, Record, fold
from storage.bulk import insert_rows, next_ids, one_of
from storage.database import Unit
from storage.queries.references import again, refer
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


class Saving(NamedTuple):
    """A record to write: its body is the encoded record, its fingerprint that of what the shop told."""

    record: Record
    body: bytes
    fingerprint: bytes


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
    again(
        unit,
        integration_id,
        kind=kind,
        rows=[(saving.record.remote_id, record_id, saving.fingerprint) for record_id, saving in changes],
    )


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


def replace_body(unit: Unit, record_id: int, record: Record) -> None:
    """Save a record the hub itself changed."""
    unit.connection.execute(
        records.update()
        .where(records.c.id == record_id)
        .values(label=record.label, state=record.state, body=encode(record), updated_at=unit.now)
    )


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
