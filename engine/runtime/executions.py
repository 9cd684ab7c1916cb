"""The single way to request, claim, end or cancel an execution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from domain.errors import UserError
from engine.runtime.platform import Platform
from storage.database import Conflict, Unit
from storage.queries import executions, feeds, integrations, webhooks
from storage.queries.executions import Contender
from storage.rows import Execution, Feed, Integration, State, Trigger

log = structlog.get_logger()

_MOST_GATHERED = 500


@dataclass(frozen=True, slots=True)
class Requested:
    """What became of a request. ``joined`` is ``new``, ``joined`` (an equal one waits already) or ``queued_behind``."""

    execution_id: int
    joined: str
    message: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An execution that is ours to work on, with the rows it belongs to as they were at that moment; secrets as ciphertext."""

    execution: Execution
    feed: Feed
    integration: Integration
    secrets: Mapping[str, str]


def request(
    platform: Platform,
    feed_id: int,
    *,
    trigger: Trigger,
    person: str = "",
    scope: Mapping[str, Any] | None = None,
    accepts_volume: bool = False,
) -> Requested:
    """Ask for an execution and tell a worker. Asking twice is harmless: the second request joins the first.

    Raises ``UserError`` when the feed is switched off or paused, or its integration is; the message says what to do.
    """
    requested = platform.database.write(
        lambda unit: place(unit, feed_id, trigger=trigger, person=person, scope=scope, accepts_volume=accepts_volume)
    )
    platform.dispatcher.ring([requested.execution_id])
    return requested


def place(
    unit: Unit,
    feed_id: int,
    *,
    trigger: Trigger,
    person: str = "",
    scope: Mapping[str, Any] | None = None,
    accepts_volume: bool = False,
) -> Requested:
    """The same within a transaction of the caller, who rings ``execution_id`` after commit."""
    found = feeds.with_integration(unit, feed_id, locks=True)
    if found is None:
        raise UserError("This flow does not exist any more.")
    _demand_open(*found)
    unfinished = executions.contenders(unit, feed_id)
    wanted = dict(scope) if scope is not None else None
    for waiting in unfinished:
        if waiting.state is State.QUEUED and (waiting.scope == wanted or _gather(unit, waiting, trigger, wanted)):
            if trigger is not Trigger.WEBHOOK:  # a hint makes nobody knock sooner at a door that asked for patience
                executions.join(unit, waiting.id, accepts_volume=accepts_volume)
            message = f"Execution {waiting.id} of this flow was already waiting to start; this request joined it."
            return Requested(waiting.id, "joined", message)
    execution_id = executions.insert(
        unit, feed_id=feed_id, trigger=trigger, person=person, scope=wanted, accepts_volume=accepts_volume
    )
    assert execution_id is not None  # without a due_at there is no slot to be taken
    if unfinished:
        former = unfinished[-1]
        stage = "still runs" if former.state is State.RUNNING else "waits to start"
        message = (
            f"Execution {former.id} of this flow {stage}; execution {execution_id} starts as soon as it has ended."
        )
        return Requested(execution_id, "queued_behind", message)
    return Requested(execution_id, "new", f"Execution {execution_id} is queued and starts at once.")


def claim(platform: Platform, execution_id: int) -> Claim | None:
    """Take an execution under a lease of this worker. None: nothing to do, or not yet; nothing is counted."""

    def work(unit: Unit) -> Claim | None:
        execution = executions.claim(
            unit, execution_id, worker=platform.worker, lease_seconds=platform.settings.lease_seconds
        )
        if execution is None:
            return None
        found = feeds.with_integration(unit, execution.feed_id)
        assert found is not None  # a foreign key
        feed, integration = found
        secrets = integrations.secrets_of(unit, integration.id)
        return Claim(execution=execution, feed=feed, integration=integration, secrets=secrets)

    try:
        return platform.database.write(work)
    except Conflict:
        return None  # another worker took the feed's running slot at this moment; its end rings for this one


def cancel(platform: Platform, execution_id: int, *, person: str) -> str:
    """Cancel an execution and say what happens now. Raises ``UserError`` when it has ended already."""
    found = platform.database.write(
        lambda unit: executions.cancel(unit, execution_id, reason=f"Cancelled by {person}." if person else "Cancelled.")
    )
    if found is None:
        raise UserError(f"Execution {execution_id} has ended already; there is nothing to cancel.")
    log.info("execution_cancelled", execution=execution_id, person=person, state=found)
    if found is State.QUEUED:
        return f"Execution {execution_id} is cancelled; it had not started."
    return f"Execution {execution_id} stops after the record at hand; what is saved stays saved."


def _gather(unit: Unit, waiting: Contender, trigger: Trigger, wanted: Mapping[str, Any] | None) -> bool:
    """Let a waiting execution of webhooks look at further records too: a thousand hints are not a thousand executions."""
    former, further = (waiting.scope or {}).get("ids"), (wanted or {}).get("ids")
    if trigger is not Trigger.WEBHOOK or waiting.trigger is not trigger or not former or not further:
        return False
    ids = sorted({*former, *further})
    return len(ids) <= _MOST_GATHERED and webhooks.widen(unit, waiting.id, ids=ids)


def _demand_open(feed: Feed, integration: Integration) -> None:
    name = integration.title or integration.name
    if not feed.is_enabled:
        raise UserError(f"The flow {feed.flow} of {name} is switched off. Switch it on first.")
    if feed.paused_at is not None:
        raise UserError(
            f"The flow {feed.flow} of {name} is paused. {feed.pause_reason} Resume it first.".replace("  ", " ")
        )
    if integration.paused_at is not None:
        raise UserError(
            f"{name} is paused. {integration.attention} Put that right and resume it first.".replace("  ", " ")
        )
