"""Leases: the right to work on an execution until a deadline. All deadlines are in the database's own time."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from storage.bulk import one_of
from storage.database import Unit
from storage.queries.executions import COLUMNS, HELD, held, to_executions
from storage.rows import Execution, State
from storage.tables import executions

_RENEW = (
    executions.update()
    .where(
        one_of(executions.c.id),
        executions.c.state == State.RUNNING,
        executions.c.worker == sa.bindparam("holder"),
    )
    .returning(executions.c.id, executions.c.attempt)
)
_TAKE_BACK = (
    executions.update()
    .where(HELD, executions.c.lease_until < sa.bindparam("moment"))
    .values(lost_leases=executions.c.lost_leases + 1, lease_until=None, rung_at=None)
)


def renew(unit: Unit, execution_ids: Sequence[int], *, worker: str, lease_seconds: float) -> dict[int, int]:
    """The heartbeat: renew the leases a worker holds. Returns the attempt by execution; those not returned are lost."""
    values = {
        "ids": list(execution_ids),
        "holder": worker,
        "lease_until": unit.now + timedelta(seconds=lease_seconds),
    }
    renewed = unit.connection.execute(_RENEW, values)
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
    values = {**held(execution.id, execution.attempt), "moment": unit.now, "state": state, "reason": reason}
    if state is not State.QUEUED:
        values |= {"ended_at": unit.now, "error_code": "lease_lost"}
    else:
        values |= {"error_code": ""}
    return unit.connection.execute(_TAKE_BACK, values).rowcount == 1
