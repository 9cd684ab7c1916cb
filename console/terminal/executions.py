"""``navette executions``: what ran, what became of each record, and how to stop it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from console.terminal.session import AsJson, Count, Person, session
from console.terminal.tables import Column, console, facts, say, show, table, tell_json
from console.terminal.words import STATE_STYLES, counted, counters, duration, exact, moment, size, span, state
from engine.actions import executions as actions
from engine.actions.executions import Shown
from storage.database import Unit
from storage.queries import integrations
from storage.queries.history import Listed
from storage.queries.outcomes import OutcomeRow
from storage.rows import Execution, State, Trigger

app = typer.Typer(no_args_is_help=True, help="See what ran and what became of each record; cancel.")

Number = Annotated[int, typer.Argument(metavar="EXECUTION", help="Its number.")]

OUTCOME_STYLES = {
    "created": "green",
    "updated": "green",
    "skipped": "dim",
    "waiting": "yellow",
    "failed": "red",
    "withheld": "cyan",
}


def zones(unit: Unit) -> dict[str, str]:
    """The time zone of each integration, by name."""
    return {row.name: row.time_zone for row in integrations.listed(unit)}


def columns(zone_of: dict[str, str]) -> tuple[Column[Listed], ...]:
    """An execution in a list."""
    return (
        Column("id", lambda row: row.execution.id, "no.", is_number=True),
        Column("flow", lambda row: f"{row.integration}/{row.flow}", "flow"),
        Column(
            "state",
            lambda row: row.execution.state,
            "state",
            lambda row: state(row.execution.state),
            style=lambda row: STATE_STYLES[row.execution.state],
        ),
        Column("trigger", lambda row: row.execution.trigger, "trigger", lambda row: _why(row.execution)),
        Column("person", lambda row: row.execution.person),
        Column("due_at", lambda row: row.execution.due_at),
        Column("requested_at", lambda row: row.execution.requested_at),
        Column(
            "started_at",
            lambda row: row.execution.started_at,
            "when",
            lambda row: moment(
                row.execution.started_at or row.execution.due_at or row.execution.requested_at, zone_of[row.integration]
            ),
        ),
        Column("ended_at", lambda row: row.execution.ended_at),
        Column(
            "seconds",
            lambda row: duration(row.execution),
            "took",
            lambda row: span(duration(row.execution)),
            is_number=True,
        ),
        *(
            Column(name, _counter(name), name if name not in ("unchanged", "withheld") else "", is_number=True)
            for name in ("read", "created", "updated", "unchanged", "skipped", "waiting", "failed", "withheld")
        ),
        Column("reason", lambda row: row.execution.reason, "reason"),
    )


def _counter(name: str) -> Callable[[Listed], object]:
    return lambda row: getattr(row.execution, name)


def _why(execution: Execution) -> str:
    words = execution.trigger.replace("_", " ")
    return f"{words}, {execution.person}" if execution.person else words


@app.command("list")
def list_executions(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION[/FLOW]]", help="Only these.")] = "",
    states: Annotated[list[State] | None, typer.Option("--state", help="Only this state; may be repeated.")] = None,
    trigger: Annotated[Trigger | None, typer.Option(help="Only what ran for this reason.")] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="Only those of the last hours.")] = None,
    before: Annotated[int | None, typer.Option(metavar="EXECUTION", help="Go on from this number.")] = None,
    count: Count = 20,
    as_json: AsJson = False,
) -> None:
    """List executions, newest first: also those that were skipped or missed, with the reason."""
    with session() as platform, platform.database.reading() as unit:
        rows = actions.listed(
            unit,
            of=of,
            states=states or (),
            trigger=trigger,
            since=unit.now - timedelta(hours=hours) if hours is not None else None,
            before=before,
            count=count,
        )
        show(
            rows,
            columns(zones(unit)),
            as_json=as_json,
            empty="Nothing has run that fits. Run a flow with: navette feeds run <integration>/<flow> --wait",
        )


OUTCOMES: tuple[Column[OutcomeRow], ...] = (
    Column("id", lambda row: row.id),
    Column("kind", lambda row: row.kind, "kind"),
    Column("label", lambda row: row.label, "record"),
    Column("remote_id", lambda row: row.remote_id, "id there"),
    Column("record_id", lambda row: row.record_id, "id here", lambda row: str(row.record_id or ""), is_number=True),
    Column("outcome", lambda row: row.outcome, "outcome", style=lambda row: OUTCOME_STYLES.get(row.outcome, "")),
    Column("reason", lambda row: row.reason, "reason"),
    Column("at", lambda row: row.at),
)


@app.command("show")
def show_execution(
    number: Number,
    outcome: Annotated[str, typer.Option(help="Only records with this outcome, such as failed.")] = "",
    after: Annotated[int, typer.Option(metavar="ID", help="Go on after this outcome.")] = 0,
    count: Count = 50,
    as_json: AsJson = False,
) -> None:
    """Show one execution: its counters, its cost, and each record that is not unchanged."""
    with session() as platform:
        shown = platform.database.read(
            lambda unit: actions.show(unit, number, outcome=outcome or None, count=count, after=after)
        )
        if as_json:
            tell_json(
                {
                    "integration": shown.listed.integration,
                    "flow": shown.listed.flow,
                    "execution": shown.listed.execution,
                    "outcomes": [{column.key: column.value(row) for column in OUTCOMES} for row in shown.outcomes],
                }
            )
            return
        facts(_facts(shown))
        _tell_outcomes(shown.outcomes, count)


def _facts(shown: Shown) -> list[tuple[str, str]]:
    execution, zone = shown.listed.execution, shown.time_zone
    phases = execution.phases or {}
    return [
        ("execution", str(execution.id)),
        ("flow", f"{shown.listed.integration}/{shown.listed.flow}"),
        ("state", state(execution.state)),
        ("reason", execution.reason),
        ("error", execution.error_code),
        ("trigger", _why(execution)),
        ("stands for", counted(execution.occurrences, "moment") if execution.occurrences > 1 else ""),
        ("only", _scope(execution)),
        ("planned for", exact(execution.due_at, zone)),
        ("requested", exact(execution.requested_at, zone)),
        ("started", exact(execution.started_at, zone)),
        ("ended", exact(execution.ended_at, zone)),
        ("took", span(duration(execution))),
        ("attempt", str(execution.attempt) if execution.attempt > 1 else ""),
        ("settings version", str(execution.settings_version or "")),
        ("records", counters(execution) if execution.started_at is not None else ""),
        ("expected", f"{execution.expected:,}" if execution.expected is not None else ""),
        ("traffic", f"{counted(execution.calls, 'call')}, {size(execution.bytes)}" if execution.calls else ""),
        ("time by phase", ", ".join(f"{name} {span(seconds)}" for name, seconds in phases.items())),
    ]


def _scope(execution: Execution) -> str:
    scope = execution.scope or {}
    if "ids" in scope:
        return counted(len(scope["ids"]), "record") + ": " + ", ".join(map(str, scope["ids"][:10]))
    if "find" in scope:
        return f"“{scope['find']}”"
    return " to ".join(str(scope[name]) for name in ("since", "until") if name in scope)


def _tell_outcomes(rows: Sequence[OutcomeRow], count: int) -> None:
    if not rows:
        say("No record of it changed, was left out or failed.")
        return
    console().print(table(rows, OUTCOMES))
    if len(rows) == count:
        say(f"There may be more: add --after {rows[-1].id}")


@app.command("cancel")
def cancel(number: Number, person: Person) -> None:
    """Cancel an execution. One that runs stops between two records; what is saved stays."""
    with session() as platform:
        say(actions.cancel(platform, number, person=person))
