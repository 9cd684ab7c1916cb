"""Who did what: a row for every action of a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Unit
from storage.tables import audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One action."""

    id: int
    at: datetime
    person: str
    action: str
    subject: str
    detail: Any


def record(unit: Unit, *, person: str, action: str, subject: str, detail: object = None) -> None:
    """Keep an action. ``detail`` must hold no secret."""
    unit.connection.execute(
        audit.insert().values(at=unit.now, person=person, action=action, subject=subject, detail=detail)
    )


def latest(unit: Unit, *, count: int = 100, before: int | None = None) -> list[AuditRow]:
    """The newest actions first; ``before`` is the id to go on from."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(count)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [AuditRow(**row) for row in unit.connection.execute(query).mappings()]
