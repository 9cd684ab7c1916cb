"""Records held back: waiting for their next try, or failed until a person acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.bulk import one_of, upsert_rows
from storage.database import Unit
from storage.tables import feeds, held, integrations
from storage.types import instant_to_driver

_COLUMNS = (
    "integration_id",
    "kind",
    "remote_id",
    "feed_id",
    "label",
    "severity",
    "cause",
    "message",
    "issue_id",
    "first_at",
    "last_at",
    "next_try_at",
    "give_up_at",
    "give_up_as",
    "tries",
)


@dataclass(frozen=True, slots=True)
class Held:
    """One record held back, with its cause and, while it waits, its next try and its end."""

    integration_id: int
    kind: str
    remote_id: str
    feed_id: int
    label: str
    severity: str
    cause: str
    message: str
    issue_id: int | None
    first_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    give_up_at: datetime | None
    give_up_as: str
    tries: int


def among(unit: Unit, integration_id: int, *, kind: str, remote_ids: Sequence[str]) -> dict[str, Held]:
    """Those of the ids that are held back."""
    query = sa.select(held).where(
        held.c.integration_id == integration_id, held.c.kind == kind, one_of(held.c.remote_id)
    )
    rows = unit.connection.execute(query, {"ids": list(remote_ids)}).mappings()
    return {row["remote_id"]: Held(**row) for row in rows}


def hold(unit: Unit, rows: Sequence[Held]) -> None:
    """Hold records back, or say anew why."""

    def driver(row: Held) -> tuple[Any, ...]:
        values = (getattr(row, column) for column in _COLUMNS)
        return tuple(
            instant_to_driver(value, unit.dialect) if isinstance(value, datetime) else value for value in values
        )

    upsert_rows(unit, held, _COLUMNS, [driver(row) for row in rows], keys=("integration_id", "kind", "remote_id"))


def release(unit: Unit, integration_id: int, *, kind: str, remote_ids: Sequence[str]) -> None:
    """They passed, or are gone: no longer held back."""
    if remote_ids:
        unit.connection.execute(
            held.delete().where(held.c.integration_id == integration_id, held.c.kind == kind, one_of(held.c.remote_id)),
            {"ids": list(remote_ids)},
        )


def due(unit: Unit, integration_id: int, *, count: int, after: tuple[str, str] | None = None) -> list[Held]:
    """Waiting records whose next try has come, in the order of kind and id; ``after`` is the last one seen."""
    query = (
        sa.select(held)
        .where(held.c.integration_id == integration_id, held.c.next_try_at <= unit.now)
        .order_by(held.c.kind, held.c.remote_id)
        .limit(count)
    )
    if after is not None:
        query = query.where(sa.tuple_(held.c.kind, held.c.remote_id) > sa.tuple_(*map(sa.literal, after)))
    return [Held(**row) for row in unit.connection.execute(query).mappings()]


def of_causes(unit: Unit, integration_id: int, *, prefix: str) -> list[Held]:
    """Records held back by causes that start with ``prefix``."""
    query = sa.select(held).where(
        held.c.integration_id == integration_id, held.c.cause.startswith(prefix, autoescape=True)
    )
    return [Held(**row) for row in unit.connection.execute(query).mappings()]


def of_issue(unit: Unit, issue_id: int) -> list[Held]:
    """Records an issue holds back."""
    query = sa.select(held).where(held.c.issue_id == issue_id).order_by(held.c.kind, held.c.remote_id)
    return [Held(**row) for row in unit.connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A held record as a list shows it."""

    integration: str
    flow: str
    kind: str
    remote_id: str
    label: str
    severity: str
    message: str
    first_at: datetime
    next_try_at: datetime | None
    give_up_at: datetime | None
    tries: int


def listed(
    unit: Unit, *, integration_id: int | None = None, severity: str | None = None, count: int = 100
) -> list[HeldLine]:
    """Held records for people, those tried next first."""
    query = (
        sa.select(
            integrations.c.name.label("integration"),
            feeds.c.flow,
            *(held.c[name] for name in HeldLine.__dataclass_fields__ if name not in ("integration", "flow")),
        )
        .select_from(
            held.join(integrations, integrations.c.id == held.c.integration_id).join(
                feeds, feeds.c.id == held.c.feed_id
            )
        )
        .order_by(held.c.next_try_at, held.c.first_at)
        .limit(count)
    )
    if integration_id is not None:
        query = query.where(held.c.integration_id == integration_id)
    if severity is not None:
        query = query.where(held.c.severity == severity)
    return [HeldLine(**row) for row in unit.connection.execute(query).mappings()]
