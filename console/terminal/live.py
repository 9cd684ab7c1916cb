"""What is going on, while “navette run” runs: a table that renews itself, or a line for each execution that ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from console.terminal.tables import Column, console, say, table
from console.terminal.words import STATE_STYLES, counted, counters, duration, printable, span, state
from domain import clock
from engine.actions import timetable
from engine.actions.timetable import FeedLine
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import heartbeats, history, integrations, issues
from storage.queries.history import Listed
from storage.queries.issues import Issue
from storage.rows import State

_LOOK_EVERY_SECONDS = 0.5
_TOLD = (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES, State.FAILED, State.CANCELLED)
_EXECUTIONS, _ISSUES, _FEEDS = 30, 10, 40
_LEAST_HEIGHT, _FIXED_LINES = 20, 10


@dataclass(frozen=True, slots=True)
class View:
    """Everything the table shows, of one moment."""

    now: datetime
    bell: int
    feeds: Sequence[FeedLine]
    executions: Sequence[Listed]
    issues: Sequence[Issue]
    processes: int
    integrations: int


def look(platform: Platform, unit: Unit) -> View:
    """Read one view."""
    feeds = [line for line in timetable.listed(platform, unit) if line.next_at is not None or line.running is not None]
    feeds.sort(key=lambda line: (line.running is None, line.next_at or unit.now))
    since = unit.now - timedelta(seconds=platform.settings.lease_seconds)
    return View(
        now=unit.now,
        bell=issues.open_errors(unit),
        feeds=feeds[:_FEEDS],
        executions=history.listed(unit, count=_EXECUTIONS),
        issues=issues.listed(unit, count=_ISSUES),
        processes=sum(1 for beat in heartbeats.listed(unit) if beat.at >= since),
        integrations=len(integrations.listed(unit)),
    )


def show_until(platform: Platform, stopping: Event, *, headline: str) -> None:
    """Show a table that renews itself until ``stopping`` is set."""
    with Live(console=console(), auto_refresh=False, screen=False) as live:
        while not stopping.is_set():
            view = platform.database.read(lambda unit: look(platform, unit))
            live.update(draw(view, headline=headline, height=live.console.height), refresh=True)
            stopping.wait(_LOOK_EVERY_SECONDS)


def tell_until(platform: Platform, stopping: Event) -> None:
    """Print a line for each execution that ends, until ``stopping`` is set."""
    known = {row.execution.id for row in _ended(platform)}
    while True:
        is_last = stopping.wait(_LOOK_EVERY_SECONDS)
        for row in reversed(_ended(platform)):
            if row.execution.id not in known:
                known.add(row.execution.id)
                say(line_of(row))
        if is_last:
            return


def _ended(platform: Platform) -> list[Listed]:
    return platform.database.read(lambda unit: history.listed(unit, states=_TOLD, count=200))


def line_of(row: Listed) -> str:
    """An execution that ended, in a line."""
    execution = row.execution
    took = span(duration(execution))
    why = f" – {execution.reason}" if execution.reason else ""
    return (
        f"{row.integration}/{row.flow} {state(execution.state)}: {counters(execution)} ({took or 'not started'}){why}"
    )


def draw(view: View, *, headline: str, height: int) -> RenderableType:
    """The view as tables that fit into so many lines."""
    bell = Text(f" {counted(view.bell, 'open error')} ", style="bold white on red" if view.bell else "green")
    head = Text.assemble((printable(headline), "bold"), "   ", bell, f"   {view.now:%H:%M:%S} UTC   Ctrl-C stops")
    parts: list[RenderableType] = [head]
    if not view.integrations:
        parts.append(
            Text("No shop is connected yet. In another terminal: navette integrations add <connector> --name <name>")
        )
    lines = max(height, _LEAST_HEIGHT) - _FIXED_LINES
    shown_issues = view.issues[: max(1, lines // 6)]
    shown_executions = view.executions[: max(3, (lines - len(shown_issues)) // 2)]
    shown_feeds = view.feeds[: max(3, lines - len(shown_issues) - len(shown_executions))]
    if shown_issues:
        parts.append(table(shown_issues, _ISSUE_COLUMNS, title="Open issues", is_compact=True))
    if shown_executions:
        parts.append(table(shown_executions, _EXECUTION_COLUMNS, title="Executions, newest first", is_compact=True))
    parts.append(table(shown_feeds, _feed_columns(view.now), title="Flows, next first", is_compact=True))
    return Group(*parts)


def _feed_columns(now: datetime) -> tuple[Column[FeedLine], ...]:
    def when(line: FeedLine) -> str:
        if line.running is not None:
            return str(line.running.state)
        assert line.next_at is not None, "only those are shown"
        return f"in {span(max(0.0, (line.next_at - now).total_seconds()))}"

    return (
        Column("flow", lambda line: line.name, "flow"),
        Column("schedule", lambda line: line.schedule, "schedule"),
        Column("next", when, "next run", style=lambda line: "cyan" if line.running else ""),
        Column("status", lambda line: line.status, "status", style=lambda line: "yellow" if line.why else "green"),
    )


def _took(row: Listed) -> str:
    execution = row.execution
    if execution.ended_at is None and execution.started_at is not None:
        return f"since {span(clock.now() - execution.started_at)}"
    return span(duration(execution))


_EXECUTION_COLUMNS: tuple[Column[Listed], ...] = (
    Column("id", lambda row: row.execution.id, "no.", is_number=True),
    Column("flow", lambda row: f"{row.integration}/{row.flow}", "flow"),
    Column(
        "state", lambda row: state(row.execution.state), "state", style=lambda row: STATE_STYLES[row.execution.state]
    ),
    Column(
        "records", lambda row: counters(row.execution) if row.execution.started_at else row.execution.reason, "records"
    ),
    Column("took", _took, "took", is_number=True),
)
_ISSUE_COLUMNS: tuple[Column[Issue], ...] = (
    Column("id", lambda row: row.id, "no.", is_number=True),
    Column(
        "message", lambda row: row.message, "what is wrong", style=lambda row: "red" if row.severity == "error" else ""
    ),
    Column("remedy", lambda row: row.remedy, "what to do"),
)
