"""Budgets: how often an integration may be called, shared by all processes. Moments are seconds of the database's time."""

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.tables import budgets

_IS_IT = budgets.c.integration_id == sa.bindparam("integration")
_READ = sa.select(budgets.c.slot_at, budgets.c.blocked_until, budgets.c.failures).where(_IS_IT)
_LOCK = _READ.with_for_update()
_SAVE = budgets.update().where(_IS_IT)
_FRESH = {
    name: dialect.insert(budgets).on_conflict_do_nothing(index_elements=["integration_id"])
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """When the next request may start, until when none may, and failures in a row."""

    slot_at: float
    blocked_until: float
    failures: int


def read(unit: Unit, integration_id: int) -> BudgetRow:
    """The budget as it is; a fresh one where nothing was ever sent."""
    row = unit.connection.execute(_READ, {"integration": integration_id}).one_or_none()
    return BudgetRow(*row) if row is not None else BudgetRow(0.0, 0.0, 0)


def lock(unit: Unit, integration_id: int) -> BudgetRow:
    """The budget, kept from other writers until the transaction ends."""
    fresh = {"integration_id": integration_id, "slot_at": 0.0, "blocked_until": 0.0, "failures": 0}
    unit.connection.execute(_FRESH[unit.dialect], fresh)
    row = unit.connection.execute(_LOCK, {"integration": integration_id}).one()
    return BudgetRow(*row)


def save(unit: Unit, integration_id: int, row: BudgetRow) -> None:
    """Keep what was decided under ``lock``."""
    unit.connection.execute(_SAVE, {"integration": integration_id, **asdict(row)})
