"""Executions: look at them, cancel them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import UserError
from engine.actions.names import feed_named, integration_named
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, executions, history, outcomes
from storage.queries.history import Listed
from storage.queries.outcomes import OutcomeRow
from storage.rows import State, Trigger


@dataclass(frozen=True, slots=True)
class Shown:
    """One execution with its first outcomes and the zone its times are shown in."""

    listed: Listed
    time_zone: str
    outcomes: Sequence[OutcomeRow]


def listed(
    unit: Unit,
    *,
    of: str = "",
    states: Sequence[State] = (),
    trigger: Trigger | None = None,
    since: datetime | None = None,
    before: int | None = None,
    count: int = 50,
) -> list[Listed]:
    """Executions, newest first; ``of`` is an integration or ``integration/flow``."""
    integration_id = feed_id = None
    if "/" in of:
        feed_id = feed_named(unit, of).feed.id
    elif of:
        integration_id = integration_named(unit, of).id
    return history.listed(
        unit,
        integration_id=integration_id,
        feed_id=feed_id,
        states=states,
        trigger=trigger,
        since=since,
        before=before,
        count=count,
    )


def show(unit: Unit, execution_id: int, *, outcome: str | None = None, count: int = 50, after: int = 0) -> Shown:
    """One execution in full. ``outcome`` narrows its records."""
    found = history.listed(unit, before=execution_id + 1, count=1)
    if not found or found[0].execution.id != execution_id:
        raise UserError(f"There is no execution {execution_id}. List them with: navette executions list")
    named = integration_named(unit, found[0].integration)
    rows = outcomes.of_execution(unit, execution_id, outcome=outcome, count=count, after=after)
    return Shown(found[0], named.time_zone, rows)


def cancel(platform: Platform, execution_id: int, *, person: str) -> str:
    """Cancel at once what waits; what runs stops between two records and keeps what is saved. Says which."""

    def work(unit: Unit) -> str:
        listed = show(unit, execution_id, count=0).listed
        found = executions.cancel(unit, execution_id, reason=f"Cancelled by {person}.")
        if found is None:
            raise UserError(f"Execution {execution_id} has ended already; there is nothing to cancel.")
        audit.record(
            unit,
            person=person,
            action="cancel_execution",
            subject=f"{listed.integration}/{listed.flow}",
            detail={"execution": execution_id},
        )
        if found is State.QUEUED:
            return f"Execution {execution_id} is cancelled; it had not started."
        return f"Execution {execution_id} stops after the record at hand; what is saved stays saved."

    return platform.database.write(work)
