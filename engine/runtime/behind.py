"""Flows that run behind another: stock is exported behind a fresh import of orders, which is started when there is none."""

from dataclasses import dataclass
from datetime import timedelta

from domain.errors import UserError
from engine.flow import Behind
from engine.runtime import executions as requests
from engine.runtime.executions import Claim
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import executions, feeds
from storage.rows import State, Trigger

_LONGEST_WAIT = timedelta(hours=1)
_LOOK_AGAIN = timedelta(seconds=30)
"""The end of the flow ahead rings at once; this is for the case that it never does."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The flow ahead is not done: look again in ``again_in``, or, where that is None, give up. ``ring`` was requested."""

    reason: str
    again_in: timedelta | None
    ring: int | None = None


def find(platform: Platform, unit: Unit, claim: Claim, *, behind: Behind) -> Waiting | None:
    """What an execution just claimed must wait for, its flow being declared ``behind`` another; None: it may run.

    May request the flow ahead, in this transaction.
    """
    ahead = feeds.find(unit, claim.integration.id, flow=behind.flow)
    if ahead is None:
        return None
    if ahead.succeeded_at is not None and ahead.succeeded_at >= unit.now - behind.within:
        return None
    title = platform.registry.flow(behind.flow).title
    requested_at = claim.execution.requested_at
    if unit.now - requested_at > _LONGEST_WAIT:
        return Waiting(f"“{title}” has not succeeded within an hour, and this flow runs behind it.", None)
    if any(execution.scope is None for execution in executions.contenders(unit, ahead.id)):
        return Waiting(f"Waits for “{title}”, which runs first.", _LOOK_AGAIN)
    last = executions.last_ended(unit, ahead.id)
    if last is not None and last.ended_at is not None and last.ended_at >= requested_at:
        state = "was cancelled" if last.state is State.CANCELLED else "failed"
        return Waiting(f"“{title}” {state} (execution {last.id}), and this flow runs behind it.", None)
    try:
        requested = requests.place(unit, ahead.id, trigger=Trigger.BEHIND)
    except UserError as error:
        return Waiting(f"This flow runs behind “{title}”, which cannot run: {error.message}", None)
    return Waiting(f"Waits for “{title}”, which runs first.", _LOOK_AGAIN, requested.execution_id)


def followers(platform: Platform, unit: Unit, claim: Claim) -> list[int]:
    """The feeds of the same integration whose flow runs behind the one that has just ended."""
    names = {
        flow.name
        for flow in platform.registry.flows.values()
        if flow.behind is not None and flow.behind.flow == claim.feed.flow
    }
    if not names:
        return []
    return [feed.id for feed in feeds.listed(unit, integration_id=claim.integration.id) if feed.flow in names]
