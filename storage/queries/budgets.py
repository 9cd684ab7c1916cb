"""Budgets: how often an integration may be called, shared by all processes. Moments are seconds of the database's time."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.tables import budgets


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """When the next request may start, until when none may, and failures in a row."""

    slot_at: float
    blocked_until: float
    failures: int


def read(unit: Unit, integration_id: int) -> BudgetRow:
    """The budget as it is; a fresh one where nothing was ever sent."""
    query = sa.select(budgets.c.slot_at, budgets.c.blocked_until, budgets.c.failures)
    row = unit.connection.execute(query.where(budgets.c.integration_id == integration_id)).one_or_none()
    return BudgetRow(*row) if row is not None else BudgetRow(0.0, 0.0, 0)


def lock(unit: Unit, integration_id: int) -> BudgetRow:
    """The budget, kept from other writers until the transaction ends."""
    table = postgresql.insert(budgets) if unit.dialect == "postgresql" else sqlite.insert(budgets)
    fresh = table.values(integration_id=integration_id, slot_at=0.0, blocked_until=0.0, failures=0)
    unit.connection.execute(fresh.on_conflict_do_nothing(index_elements=["integration_id"]))
    query = sa.select(budgets.c.slot_at, budgets.c.blocked_until, budgets.c.failures)
    row = unit.connection.execute(query.where(budgets.c.integration_id == integration_id).with_for_update()).one()
    return BudgetRow(*row)


def save(unit: Unit, integration_id: int, row: BudgetRow) -> None:
    """Keep what was decided under ``lock``."""
    unit.connection.execute(
        budgets.update()
        .where(budgets.c.integration_id == integration_id)
        .values(slot_at=row.slot_at, blocked_until=row.blocked_until, failures=row.failures)
    )
