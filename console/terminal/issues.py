"""``navette issues``: what needs a person, how to put it right, and the records to try again."""

from datetime import timedelta
from typing import Annotated

import typer

from console.terminal.executions import zones
from console.terminal.retrying import tell_retried
from console.terminal.session import AsJson, Count, Person, session
from console.terminal.tables import Column, console, facts, say, show, table, tell_json
from console.terminal.words import counted, moment
from domain.errors import UserError
from engine.actions import issues as actions
from engine.actions.names import integration_named
from storage.queries import issues
from storage.queries.held import Held
from storage.queries.issues import Issue

app = typer.Typer(no_args_is_help=True, help="See what needs a person, put it right, try again.")

Number = Annotated[int, typer.Argument(metavar="ISSUE", help="Its number.")]


def columns(zone_of: dict[str, str]) -> tuple[Column[Issue], ...]:
    """An issue in a list."""
    return (
        Column("id", lambda row: row.id, "no.", is_number=True),
        Column("integration", lambda row: row.integration, "shop"),
        Column("flow", lambda row: row.flow, "flow"),
        Column("severity", lambda row: row.severity),
        Column("state", lambda row: row.state),
        Column("cause", lambda row: row.cause),
        Column("message", lambda row: row.message, "what is wrong", style=lambda row: "red" if _rings(row) else "dim"),
        Column("remedy", lambda row: row.remedy, "what to do"),
        Column("records", lambda row: row.records, "holds back", is_number=True),
        Column("occurrences", lambda row: row.occurrences, "times", is_number=True),
        Column("first_at", lambda row: row.first_at),
        Column("last_at", lambda row: row.last_at, "last", lambda row: moment(row.last_at, zone_of[row.integration])),
        Column("reopened", lambda row: row.reopened),
        Column("resolved_at", lambda row: row.resolved_at),
        Column("resolved_by", lambda row: row.resolved_by),
        Column("snoozed_until", lambda row: row.snoozed_until),
        Column("assignee", lambda row: row.assignee, "looks after it"),
        Column("note", lambda row: row.note),
    )


def _rings(row: Issue) -> bool:
    return row.severity == "error" and row.state == "open"


@app.command("list")
def list_issues(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION]", help="Only this integration.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    before: Annotated[int | None, typer.Option(metavar="ISSUE", help="Go on from this number.")] = None,
    count: Count = 50,
    as_json: AsJson = False,
) -> None:
    """List open issues: one for each cause, however many records it holds back."""
    with session() as platform, platform.database.reading() as unit:
        rows = issues.listed(
            unit,
            state=None if everything else "open",
            integration_id=integration_named(unit, of).id if of else None,
            count=count,
            before=before,
        )
        show(
            rows,
            columns(zones(unit)),
            as_json=as_json,
            empty="No open issue: nothing needs you. What waits by itself is listed by: navette records held",
        )


HELD: tuple[Column[Held], ...] = (
    Column("kind", lambda row: row.kind, "kind"),
    Column("label", lambda row: row.label, "record"),
    Column("remote_id", lambda row: row.remote_id, "id there"),
    Column("message", lambda row: row.message, "why"),
    Column("tries", lambda row: row.tries, "tries", is_number=True),
    Column("next_try_at", lambda row: row.next_try_at),
)


@app.command("show")
def show_issue(number: Number, as_json: AsJson = False) -> None:
    """Show one issue and the records it holds back."""
    with session() as platform, platform.database.reading() as unit:
        issue, rows = actions.show(unit, number)
        zone = zones(unit)[issue.integration]
    if as_json:
        tell_json({"issue": issue, "held": rows})
        return
    again = f", came back {counted(issue.reopened, 'time')}" if issue.reopened else ""
    facts(
        [
            ("issue", str(issue.id)),
            ("of", f"{issue.integration}/{issue.flow}" if issue.flow else issue.integration),
            ("severity", issue.severity),
            ("state", f"{issue.state}{again}"),
            ("what is wrong", issue.message),
            ("what to do", issue.remedy),
            ("times", f"{issue.occurrences:,}"),
            ("first", moment(issue.first_at, zone)),
            ("last", moment(issue.last_at, zone)),
            ("snoozed until", moment(issue.snoozed_until, zone)),
            ("looks after it", issue.assignee),
            ("note", issue.note),
            ("resolved", moment(issue.resolved_at, zone)),
            ("resolved by", issue.resolved_by),
        ]
    )
    if rows:
        console().print(table(rows, HELD, title=f"Holds back {counted(len(rows), 'record')}"))
        say(f"When it is put right, run them again with: navette issues retry {issue.id}")


@app.command("retry")
def retry(
    number: Number,
    person: Person,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it to its end.")] = False,
) -> None:
    """Run again only the records an issue holds back."""
    with session() as platform:
        retried = actions.retry(platform, number, person=person)
        tell_retried(platform, retried, waits=wait)


@app.command("resolve")
def resolve(number: Number, person: Person, note: Annotated[str, typer.Option(help="What was done.")] = "") -> None:
    """Close an issue by hand. It opens again when its cause comes back."""
    with session() as platform:
        issue = actions.resolve(platform, number, person=person, note=note)
        held = (
            f" The {counted(issue.records, 'record')} it holds back are still tried again by themselves."
            if issue.records
            else ""
        )
        say(f"Issue {number} is resolved.{held}")


@app.command("snooze")
def snooze(
    number: Number,
    person: Person,
    hours: Annotated[float, typer.Option(min=0, help="For how long.")] = 24,
) -> None:
    """Keep an issue off the bell for a while."""
    with session() as platform:
        until = platform.database.now() + timedelta(hours=hours)
        issue = actions.snooze(platform, number, until=until, person=person)
        zone = platform.database.read(lambda unit: zones(unit)[issue.integration])
        say(f"Issue {number} is off the bell until {moment(until, zone)}.")


@app.command("assign")
def assign(
    number: Number, person: Person, to: Annotated[str, typer.Argument(help="Who looks after it; empty: nobody.")]
) -> None:
    """Say who looks after an issue."""
    with session() as platform:
        actions.assign(platform, number, to=to, person=person)
        say(f"{to} looks after issue {number}." if to else f"Nobody looks after issue {number} now.")


@app.command("note")
def note(number: Number, text: Annotated[str, typer.Argument(help="What is known.")], person: Person) -> None:
    """Write down what is known about an issue."""
    with session() as platform:
        if not text.strip():
            raise UserError("A note needs some words.")
        actions.note(platform, number, text=text.strip(), person=person)
        say(f"Noted on issue {number}.")
