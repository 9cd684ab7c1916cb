"""Issues: problems folded by cause, one row each for their whole life."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from storage.bulk import one_of
from storage.database import Unit
from storage.tables import feeds, held, integrations, issues


@dataclass(frozen=True, slots=True)
class Issue:
    """A folded problem. ``records`` is the number of records it holds back now."""

    id: int
    integration_id: int
    integration: str
    feed_id: int | None
    flow: str
    cause: str
    severity: str
    state: str
    message: str
    remedy: str
    occurrences: int
    records: int
    first_at: datetime
    last_at: datetime
    opened_at: datetime
    reopened: int
    resolved_at: datetime | None
    resolved_by: str
    snoozed_until: datetime | None
    assignee: str
    note: str


@dataclass(frozen=True, slots=True)
class Folded:
    """What folding a problem did: opened a new issue, reopened a closed one, or counted in an open one."""

    id: int
    has_rung: bool


def fold(
    unit: Unit,
    *,
    integration_id: int,
    cause: str,
    severity: str,
    message: str,
    remedy: str = "",
    feed_id: int | None = None,
    occurrences: int = 1,
) -> Folded:
    """Count a problem under its cause. Safe when two workers fold the same cause at once."""
    where = (issues.c.integration_id == integration_id) & (issues.c.cause == cause)
    values = {
        "message": message,
        "remedy": remedy,
        "severity": severity,
        "last_at": unit.now,
        "occurrences": issues.c.occurrences + occurrences,
    }
    updated = unit.connection.execute(
        issues.update().where(where, issues.c.state == "open").values(**values).returning(issues.c.id)
    ).scalar_one_or_none()
    if updated is not None:
        return Folded(updated, has_rung=False)
    reopened = unit.connection.execute(
        issues.update()
        .where(where)
        .values(
            **values,
            feed_id=feed_id,
            state="open",
            opened_at=unit.now,
            reopened=issues.c.reopened + 1,
            resolved_at=None,
            resolved_by="",
        )
        .returning(issues.c.id)
    ).scalar_one_or_none()
    if reopened is not None:
        return Folded(reopened, has_rung=True)
    created: int = unit.connection.execute(
        issues.insert()
        .values(
            integration_id=integration_id,
            feed_id=feed_id,
            cause=cause,
            severity=severity,
            state="open",
            message=message,
            remedy=remedy,
            occurrences=occurrences,
            first_at=unit.now,
            last_at=unit.now,
            opened_at=unit.now,
        )
        .returning(issues.c.id)
    ).scalar_one()
    return Folded(created, has_rung=True)


def resolve(unit: Unit, issue_ids: Sequence[int], *, by: str) -> int:
    """Close open issues; tells how many were open."""
    return unit.connection.execute(
        issues.update()
        .where(one_of(issues.c.id), issues.c.state == "open")
        .values(state="resolved", resolved_at=unit.now, resolved_by=by, snoozed_until=None),
        {"ids": list(issue_ids)},
    ).rowcount


def resolve_cause(unit: Unit, integration_id: int, *, cause: str, by: str) -> bool:
    """Close the issue of a cause, if it is open."""
    closed = unit.connection.execute(
        issues.update()
        .where(issues.c.integration_id == integration_id, issues.c.cause == cause, issues.c.state == "open")
        .values(state="resolved", resolved_at=unit.now, resolved_by=by, snoozed_until=None)
    )
    return closed.rowcount > 0


def resolve_emptied(unit: Unit, issue_ids: Sequence[int], *, by: str) -> int:
    """Close those of the issues that no longer hold any record back."""
    if not issue_ids:
        return 0
    holding = sa.select(held.c.issue_id).where(held.c.issue_id == issues.c.id).exists()
    return unit.connection.execute(
        issues.update()
        .where(one_of(issues.c.id), issues.c.state == "open", ~holding)
        .values(state="resolved", resolved_at=unit.now, resolved_by=by, snoozed_until=None),
        {"ids": list(issue_ids)},
    ).rowcount


def annotate(unit: Unit, issue_id: int, **values: object) -> bool:
    """Set ``assignee``, ``note`` or ``snoozed_until``; False when there is no such issue."""
    return unit.connection.execute(issues.update().where(issues.c.id == issue_id).values(**values)).rowcount == 1


def _select() -> sa.Select[tuple[object, ...]]:
    count = sa.select(sa.func.count()).where(held.c.issue_id == issues.c.id).scalar_subquery()
    return sa.select(
        issues,
        integrations.c.name.label("integration"),
        sa.func.coalesce(feeds.c.flow, "").label("flow"),
        count.label("records"),
    ).select_from(
        issues.join(integrations, integrations.c.id == issues.c.integration_id).outerjoin(
            feeds, feeds.c.id == issues.c.feed_id
        )
    )


def get(unit: Unit, issue_id: int) -> Issue | None:
    """One issue."""
    row = unit.connection.execute(_select().where(issues.c.id == issue_id)).mappings().one_or_none()
    return Issue(**row) if row else None


def listed(
    unit: Unit,
    *,
    state: str | None = "open",
    severity: str | None = None,
    integration_id: int | None = None,
    count: int = 100,
    before: int | None = None,
) -> list[Issue]:
    """Issues, newest first; ``before`` is the id to go on from."""
    query = _select().order_by(issues.c.id.desc()).limit(count)
    for column, value in (
        (issues.c.state, state),
        (issues.c.severity, severity),
        (issues.c.integration_id, integration_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(issues.c.id < before)
    return [Issue(**row) for row in unit.connection.execute(query).mappings()]


def open_errors(unit: Unit, integration_id: int | None = None) -> int:
    """The number on the bell: open errors that are not snoozed."""
    query = sa.select(sa.func.count()).where(
        issues.c.state == "open",
        issues.c.severity == "error",
        sa.or_(issues.c.snoozed_until.is_(None), issues.c.snoozed_until <= unit.now),
    )
    if integration_id is not None:
        query = query.where(issues.c.integration_id == integration_id)
    return unit.connection.execute(query).scalar_one()
