"""Takes one execution and answers for it: the one place that handles each severity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from random import Random
from typing import Any

import msgspec
import structlog

from domain import clock
from domain.errors import (
    AttentionError,
    BrokenInvariant,
    Cancelled,
    LeaseLost,
    PermissionMissing,
    PlatformError,
    RateLimited,
    TransientError,
    UserError,
)
from domain.rulebook import Rulebook
from engine.flow import Behind, Flow, Import
from engine.runtime import behind, executions, issues, opening, tokens
from engine.runtime.budget import DatabaseBudget
from engine.runtime.executions import Claim
from engine.runtime.platform import Platform
from engine.runtime.run import OUTCOMES, Lease, Run, Tally, Traffic
from storage.database import Conflict, StorageFull, Unit
from storage.queries import executions as rows
from storage.queries import feeds, integrations, queue
from storage.rows import State

log = structlog.get_logger()

MOST_TRIES = 8
"""Tries in a row without progress that may end with a passing fault; a rate limit is none."""
_FIRST_WAIT = 10.0
_LONGEST_WAIT = 900.0
_TRIES_WHILE_STOPPING = 4
_OUR_MISTAKE = "This is a mistake in Navette, not in your data. The log has the details; please report it."

_random = Random()  # noqa: S311 - spreads tries, not a secret


class Pause(Enum):
    """What stops along with an execution."""

    NOTHING = auto()
    FEED = auto()
    INTEGRATION = auto()


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ends. State ``queued``: it goes back, to be tried again after ``wait`` seconds."""

    state: State
    reason: str = ""
    error_code: str = ""
    remedy: str = ""
    wait: float = 0.0
    tries: int = 0
    has_issue: bool = False
    pauses: Pause = Pause.NOTHING


def run_execution(platform: Platform, execution_id: int) -> None:
    """Claim an execution, work on it, and save how it ended. Raises nothing: what goes wrong is part of how it ended.

    Nothing happens when it cannot be claimed: another worker has it, it ended, its feed runs already, or it is paused.
    """
    if platform.stopping.is_set():
        return
    try:
        claim = executions.claim(platform, execution_id)
    except (TransientError, Conflict) as error:
        log.warning("claim_failed", execution=execution_id, code=error.code, detail=error.detail)
        return
    if claim is None:
        return
    with structlog.contextvars.bound_contextvars(
        execution=execution_id, feed=claim.feed.id, flow=claim.feed.flow, integration=claim.integration.name
    ):
        log.info("execution_started", attempt=claim.execution.attempt, trigger=claim.execution.trigger)
        with platform.heartbeat.holding(claim.execution) as lease:
            run, end = _attempt(platform, claim, lease)
            _save(platform, claim, end=end, run=run)


def _attempt(platform: Platform, claim: Claim, lease: Lease) -> tuple[Run | None, End]:
    run = None
    started = clock.monotonic()
    try:
        flow = platform.registry.flow(claim.feed.flow)
        if flow.behind is not None and (end := _stay_behind(platform, claim, flow.behind)) is not None:
            return None, end
        connector = platform.registry.connector(claim.integration.connector)
        settings = opening.read_settings(platform, claim.integration, connector, secrets=claim.secrets)
        limits = connector.limits(settings)
        traffic = _traffic_so_far(claim)
        budget = DatabaseBudget(platform.database, claim.integration.id, per_second=limits.per_second)
        count = opening.count_into(traffic)
        with opening.open_door(
            platform,
            connector,
            settings,
            budget=budget,
            gate=opening.gate_of(platform, claim.execution, lease),
            on_traffic=count,
            renew=tokens.renewing(platform, claim.integration, connector, settings, budget=budget, on_traffic=count),
        ) as door:
            run = Run(
                database=platform.database,
                execution=claim.execution,
                feed=claim.feed,
                integration=claim.integration,
                flow=flow,
                connector=connector,
                registry=platform.registry,
                settings=settings,
                rulebook=_rulebook(claim),
                door=door,
                lease=lease,
                ring=lambda execution_id: _ring(platform, execution_id),
                tally=_tally_so_far(claim),
                traffic=traffic,
            )
            platform.works[type(flow.work)](run)
        traffic.spend("total", clock.monotonic() - started)
        return run, _succeeded(run.tally)
    except Exception as error:  # noqa: BLE001 - whatever it was, the execution must end with an answer
        return run, _judge(error, claim, has_progressed=run is not None and run.tally.read > claim.execution.read)


def _stay_behind(platform: Platform, claim: Claim, ahead: Behind) -> End | None:
    """How this attempt ends when another flow has to run first; None when it need not."""
    waiting = platform.database.write(lambda unit: behind.find(platform, unit, claim, behind=ahead))
    if waiting is None:
        return None
    if waiting.ring is not None:
        platform.dispatcher.ring([waiting.ring])
    if waiting.again_in is None:
        return End(State.SKIPPED, waiting.reason)
    return End(State.QUEUED, waiting.reason, wait=waiting.again_in.total_seconds(), tries=claim.execution.tries)


def _judge(error: Exception, claim: Claim, *, has_progressed: bool) -> End:
    """What each severity comes to."""
    tries = 0 if has_progressed else claim.execution.tries
    match error:
        case Cancelled():
            return End(State.CANCELLED, reason=error.message)
        case LeaseLost():
            return End(State.QUEUED, tries=tries)
        case StorageFull():
            return End(
                State.QUEUED,
                error.message,
                error.code,
                wait=_FIRST_WAIT,
                tries=tries,
                has_issue=True,
                remedy="Free some space.",
            )
        case RateLimited():
            return End(State.QUEUED, error.message, error.code, wait=_wait(error, tries), tries=tries)
        case TransientError() | Conflict() if tries + 1 < MOST_TRIES:
            return End(State.QUEUED, error.message, error.code, wait=_wait(error, tries), tries=tries + 1)
        case PermissionMissing():
            remedy = (
                f"{error.remedy} Then resume the flow: navette feeds resume {claim.integration.name}/{claim.feed.flow}"
            )
            return _failed(error, remedy=remedy.strip(), pauses=Pause.FEED)
        case AttentionError():
            return _failed(error, remedy=error.remedy, pauses=Pause.INTEGRATION)
        case UserError():
            return End(State.FAILED, error.message, error.code)
        case PlatformError() if not isinstance(error, BrokenInvariant):
            return _failed(error)
        case _:
            log.error("execution_broke", exc_info=error)
            return End(State.FAILED, _OUR_MISTAKE, BrokenInvariant.code, has_issue=True)


def _failed(error: PlatformError, *, remedy: str = "", pauses: Pause = Pause.NOTHING) -> End:
    log.warning("execution_failed", code=error.code, message=error.message, detail=error.detail)
    return End(State.FAILED, error.message, error.code, remedy=remedy, has_issue=True, pauses=pauses)


def _succeeded(tally: Tally) -> End:
    return End(State.SUCCEEDED_WITH_ISSUES if tally.failed else State.SUCCEEDED)


def _wait(error: PlatformError, tries: int) -> float:
    """Full jitter, but never sooner than the other side asked for."""
    wait = _random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**tries))
    if isinstance(error, TransientError) and error.retry_after is not None:
        return error.retry_after.total_seconds() + min(wait, _FIRST_WAIT)
    return wait


def _save(platform: Platform, claim: Claim, *, end: End, run: Run | None) -> None:
    """Save how an attempt ended, however long the database takes to let us; then ring for those who waited for it.

    A process that is stopping tries a few times only: the sweep finds what it leaves.
    """
    pause, tries_left = 0.5, _TRIES_WHILE_STOPPING
    while True:
        try:
            waiting = platform.database.write(lambda unit: _conclude(platform, unit, claim, end=end, run=run))
        except (TransientError, Conflict) as error:
            log.warning("end_not_saved", code=error.code, detail=error.detail)
            if platform.stopping.is_set():
                tries_left -= 1
                if not tries_left:
                    return
            clock.sleep(pause)
            pause = min(2 * pause, 5.0)
        else:
            platform.dispatcher.ring(waiting)
            return


def _conclude(platform: Platform, unit: Unit, claim: Claim, *, end: End, run: Run | None) -> list[int]:
    """One transaction: the execution's end, what it means for its feed and integration, and who waited for it."""
    execution, feed = claim.execution, claim.feed
    if end.state is State.QUEUED:
        available_at = unit.now + timedelta(seconds=end.wait)
        is_ours = rows.release(
            unit, execution.id, attempt=execution.attempt, available_at=available_at, tries=end.tries, reason=end.reason
        )
    else:
        is_ours = rows.finish(
            unit,
            execution.id,
            attempt=execution.attempt,
            state=end.state,
            reason=end.reason,
            error_code=end.error_code,
            columns={**run.tally.columns, **run.traffic.columns} if run is not None else None,
        )
    if not is_ours:
        log.info("execution_left", attempt=execution.attempt)
        return []
    log.info("execution_ended", state=end.state, code=end.error_code, **(run.tally.columns if run is not None else {}))
    if end.has_issue:
        issues.raise_issue(
            unit,
            integration_id=claim.integration.id,
            feed_id=feed.id,
            cause=f"{feed.flow}:{end.error_code}",
            message=end.reason,
            remedy=end.remedy,
        )
    if end.pauses is Pause.INTEGRATION:
        integrations.pause(unit, claim.integration.id, attention=end.reason)
    elif end.pauses is Pause.FEED:
        feeds.pause(unit, feed.id, reason=end.reason)
    if end.state in (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES) and execution.scope is None and run is not None:
        _note_success(unit, claim, flow=run.flow, tally=run.tally)
    waiting = behind.followers(platform, unit, claim)
    if waiting and end.state is not State.QUEUED:
        queue.advance(unit, waiting)
    return queue.next_queued(unit, [feed.id, *waiting])


def _note_success(unit: Unit, claim: Claim, *, flow: Flow, tally: Tally) -> None:
    """The feed is well: its own issues close, and a flow that runs once is locked, unless there was nothing for it yet."""
    started_at = claim.execution.started_at
    has_open_issue = feeds.succeeded(
        unit, claim.feed.id, seconds=(unit.now - started_at).total_seconds() if started_at else 0.0
    )
    if has_open_issue:
        for cause in feeds.open_causes(unit, claim.integration.id, flow=claim.feed.flow):
            if cause.count(":") == 1:  # longer ones concern single records, and close with them
                issues.settle(unit, integration_id=claim.integration.id, cause=cause, by="a successful run")
    has_saved = tally.created + tally.updated + tally.unchanged > 0
    if isinstance(flow.work, Import) and flow.work.locks and has_saved:
        feeds.change(unit, claim.feed.id, is_enabled=False, due_at=None)


def _rulebook(claim: Claim) -> Rulebook:
    stored: Mapping[str, Any] = {**claim.integration.rulebook, "integration": claim.integration.name}
    return msgspec.convert(stored, Rulebook)


def _tally_so_far(claim: Claim) -> Tally:
    return Tally(**{outcome: getattr(claim.execution, outcome) for outcome in OUTCOMES})


def _traffic_so_far(claim: Claim) -> Traffic:
    execution = claim.execution
    return Traffic(calls=execution.calls, bytes=execution.bytes, phases=dict(execution.phases or {}))


def _ring(platform: Platform, execution_id: int) -> None:
    platform.dispatcher.ring([execution_id])
