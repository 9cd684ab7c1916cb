"""Follows an execution to its end: with a bar on a terminal, and at work in this very process when nobody else is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from console.terminal.tables import console, say
from console.terminal.words import counted, counters, duration, exact, size, span, state
from domain import clock
from engine.actions.names import feed_of
from engine.runtime.platform import Platform
from engine.runtime.service import Role, serve
from storage.queries import executions, heartbeats, issues
from storage.rows import Execution, State

FAILED = (State.FAILED, State.CANCELLED, State.SKIPPED, State.MISSED)
_LOOK_EVERY_SECONDS = 0.15
_RING_EVERY_SECONDS = 2.0


def is_anybody_working(platform: Platform) -> bool:
    """Whether a worker of any process shows life."""
    with platform.database.reading() as unit:
        since = unit.now - timedelta(seconds=platform.settings.lease_seconds)
        return any(row.role == Role.WORKER and row.at >= since for row in heartbeats.listed(unit))


@contextmanager
def working(platform: Platform) -> Iterator[None]:
    """Be a worker until the block ends."""
    ready = Event()
    thread = Thread(target=serve, args=(platform, [Role.WORKER]), kwargs={"ready": ready.set}, name="service")
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        platform.stopping.set()
        thread.join()


def follow(platform: Platform, execution_id: int) -> Execution:
    """Wait until an execution has ended, and return how. Works on it here when no worker is alive, or none can be told."""
    if platform.settings.redis_url and is_anybody_working(platform):
        return watch(platform, execution_id, rings=False)
    with working(platform):
        return watch(platform, execution_id, rings=True)


def watch(platform: Platform, execution_id: int, *, rings: bool) -> Execution:
    """Wait for the end; ``rings``: the worker is in this process and nobody else would call it again after a wait."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[told]}", markup=False),
        TimeRemainingColumn(),
        console=console(),
        transient=True,
        disable=not sys.stdout.isatty(),
    ) as progress:
        bar = progress.add_task("starting", total=None, told="")
        rung_at = clock.monotonic()
        while True:
            execution = _get(platform, execution_id)
            if execution.ended_at is not None:
                return execution
            _draw(progress, bar, execution)
            if rings and execution.state is State.QUEUED and clock.monotonic() - rung_at > _RING_EVERY_SECONDS:
                platform.dispatcher.ring([execution_id])  # its time may have come; nobody else would say so
                rung_at = clock.monotonic()
            clock.sleep(_LOOK_EVERY_SECONDS)


def _get(platform: Platform, execution_id: int) -> Execution:
    execution = platform.database.read(lambda unit: executions.get(unit, execution_id))
    assert execution is not None, "an unfinished execution is never deleted"
    return execution


def _draw(progress: Progress, bar: TaskID, execution: Execution) -> None:
    words = execution.reason if execution.state is State.QUEUED and execution.reason else state(execution.state)
    total = f" of {execution.expected:,}" if execution.expected else ""
    told = f"{execution.read:,}{total} read, {counted(execution.calls, 'call')}"
    progress.update(bar, description=words, total=execution.expected, completed=execution.read, told=told)


def tell_end(platform: Platform, execution: Execution) -> None:
    """Print how an execution ended: counters that add up, what it cost, and what to do about its issues."""
    with platform.database.reading() as unit:
        named = feed_of(unit, execution.feed_id)
        open_issues = [
            issue
            for issue in issues.listed(unit, integration_id=named.integration.id)
            if issue.feed_id == execution.feed_id and issue.last_at >= (execution.started_at or execution.requested_at)
        ]
    took = span(duration(execution))
    say(f"{named.name}: execution {execution.id} {state(execution.state)}{f' in {took}' if took else ''}.")
    if execution.reason:
        say(f"  {execution.reason}")
    if execution.started_at is not None:
        say(f"  {counters(execution)}")
        say(f"  {counted(execution.calls, 'call')}, {size(execution.bytes)}")
    for issue in open_issues:
        held = f", holds back {counted(issue.records, 'record')}" if issue.records else ""
        say(f"  Issue {issue.id}{held}: {issue.message}")
        if issue.remedy:
            say(f"    {issue.remedy}")
    if execution.waiting:
        say(f"  Waiting records are tried again by themselves: navette records held {named.integration.name}")
    if execution.withheld:
        say(f"  Withheld changes, with before and after: navette effects list {named.integration.name}")
    if execution.state is State.QUEUED:
        say(f"  It is tried again at {exact(execution.available_at, named.integration.time_zone)}.")
