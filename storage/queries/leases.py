"""Leases: the right to work on an execution until a deadline. All deadlines are in the database's own time."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from storage.bulk import one_of
from storage.database import Unit
from storage.queries.executions import COLUMNS, is_held, to_executions
from storage.rows import Execution, State
from storage.tables import executions


def renew(unit: Unit, execution_ids: Sequence[int], *, worker: str, lease_seconds: float) -> dict[int, int]:
    """The heartbeat: renew the leases a worker holds. Returns the attempt by execution; those not returned are lost."""
    statement = (
        executions.update()
        .where(one_of(executions.c.id), executions.c.state == State.RUNNING, executions.c.worker == worker)
        .values(lease_until=unit.now + timedelta(seconds=lease_seconds))
        .returning(executions.c.id, executions.c.attempt)
    )
    renewed = unit.connection.execute(statement, {"ids": list(execution_ids)})
    return {row.id: row.attempt for row in renewed}


def shorten_leases(unit: Unit, *, lease_seconds: float) -> int:
    """Cut leases that end further away than any lease can: the clock was set back. Their holders renew them, if they live."""
    until = unit.now + timedelta(seconds=lease_seconds)
    statement = (
        executions.update()
        .where(executions.c.state == State.RUNNING, executions.c.lease_until > until + timedelta(seconds=lease_seconds))
        .values(lease_until=until)
    )
    return unit.connection.execute(statement).rowcount


def lost(unit: Unit, *, count: int = 200) -> list[Execution]:
    """Running executions whose lease ran out, oldest first."""
    query = (
        sa.select(*COLUMNS)
        .where(executions.c.state == State.RUNNING, executions.c.lease_until < unit.now)
        .order_by(executions.c.id)
        .limit(count)
    )
    return to_executions(unit.connection.execute(query))


def take_back(unit: Unit, execution: Execution, *, state: State, reason: str) -> bool:
    """Count a lost lease and queue or fail the execution; False when its holder came back in between."""
    ended = {"ended_at": unit.now} if state is not State.QUEUED else {}
    statement = (
        executions.update()
        .where(is_held(execution.id, execution.attempt), executions.c.lease_until < unit.now)
        .values(
            state=state,
            reason=reason,
            lost_leases=executions.c.lost_leases + 1,
            lease_until=None,
            rung_at=None,
            error_code="lease_lost" if ended else "",
            **ended,
        )
    )
    return unit.connection.execute(statement).rowcount == 1
