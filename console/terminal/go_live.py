"""``navette go-live``: from test mode to production after computed checks, and back at once."""

from typing import Annotated

import typer

from console.terminal.session import AsJson, Person, session
from console.terminal.tables import Column, say, show, warn
from console.terminal.words import counted, moment
from engine.actions import go_live as actions
from engine.actions import installation
from engine.runtime.production.readiness import Line, Verdict, failing

app = typer.Typer(no_args_is_help=True, help="Check whether a shop can go live, go live, go back to test.")

Name = Annotated[str, typer.Argument(metavar="INTEGRATION", help="The integration's name.")]
Flows = Annotated[list[str] | None, typer.Option("--flow", help="Only this outbound flow; may be repeated.")]
Check = Annotated[str, typer.Argument(metavar="CHECK", help="The check's name, as listed.")]

_STYLES = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red", Verdict.WAIVED: "magenta"}


def _what_to_do(line: Line) -> str:
    return f"Waived by {line.waiver.person}: {line.waiver.reason}" if line.waiver else line.remedy


COLUMNS: tuple[Column[Line], ...] = (
    Column("verdict", lambda line: line.verdict, "verdict", style=lambda line: _STYLES[line.verdict]),
    Column("name", lambda line: line.name, "check"),
    Column("title", lambda line: line.title, "asks"),
    Column("evidence", lambda line: line.evidence, "found"),
    Column("remedy", lambda line: line.remedy, "what to do", _what_to_do),
    Column("place", lambda line: line.place),
    Column("waived_by", lambda line: line.waiver.person if line.waiver else ""),
    Column("waived_because", lambda line: line.waiver.reason if line.waiver else ""),
)


@app.command("check")
def check(
    name: Name,
    person: Person,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Test the connection first.")] = True,
    as_json: AsJson = False,
) -> None:
    """Show every check, with what was found and what to do. Exit status 1 while one fails."""
    with session() as platform:
        lines = actions.checks(platform, name, tests=test, person=person)
        show(lines, COLUMNS, as_json=as_json, empty="")
        failed = failing(lines)
        if failed:
            if not as_json:
                warn(f"{counted(len(failed), 'check')} in the way of going live.")
            raise typer.Exit(1)
        if not as_json:
            say(f"{name} is ready. Go live with: navette go-live start {name}")


@app.command("start")
def start(name: Name, person: Person, flows: Flows = None) -> None:
    """Go live: outbound flows change the shop from now on. Refused while a check fails."""
    with session() as platform:
        actions.checks(platform, name, tests=True, person=person)
        live = actions.go_live(platform, name, flows=flows or (), person=person)
        say(f"{name} is in production: {', '.join(live)} from now on changes the shop.")
        say("What was withheld stays here until you release it: navette effects list " + name + " --state withheld")
        say(f"Go back at once, at any time, with: navette go-live back {name}")


@app.command("back")
def back(name: Name, person: Person, flows: Flows = None) -> None:
    """Go back to test mode at once, without any check."""
    with session() as platform:
        stopped = actions.back_to_test(platform, name, flows=flows or (), person=person)
        waiting = f"{counted(stopped, 'change')} that waited to be sent {'is' if stopped == 1 else 'are'} withheld."
        say(f"{', '.join(flows) if flows else name} is in test mode again. {waiting}")


@app.command("waive")
def waive(
    name: Name,
    check: Check,
    person: Person,
    reason: Annotated[str, typer.Option(help="Why it may be passed over; kept.")],
) -> None:
    """Accept a failing check, with a reason."""
    with session() as platform:
        actions.waive(platform, name, check, reason=reason, person=person)
        say(f"The check {check} of {name} is waived.")


@app.command("unwaive")
def unwaive(name: Name, check: Check, person: Person) -> None:
    """Take a waiver back."""
    with session() as platform:
        actions.unwaive(platform, name, check, person=person)
        say(f"The check {check} of {name} counts again.")


@app.command("looked")
def looked(name: Name, person: Person) -> None:
    """Say that you looked at the withheld changes."""
    with session() as platform:
        actions.look_at_withheld(platform, name, person=person)
        say(f"Noted: {person} looked at what {name} withholds.")


@app.command("confirm-installation")
def confirm_installation(person: Person) -> None:
    """After a copy or restore: say that this is the real database, so that changes may leave again."""
    with session() as platform:
        doubtful = installation.confirm(platform, person=person)
        say("This database is confirmed as the real one.")
        if doubtful:
            say(f"{counted(doubtful, 'change')} may have been sent before; each is looked up first.")


@app.command("installation")
def show_installation() -> None:
    """Show whether changes may leave from this database."""
    with session() as platform:
        found = installation.standing(platform)
        if found.is_confirmed:
            by = f" by {found.confirmed_by}" if found.confirmed_by else ""
            say(f"This is the real database, confirmed{by} at {moment(found.confirmed_at, 'UTC')}.")
        else:
            say("This database was copied or restored: nothing leaves until you confirm that it is the real one with")
            say("  navette go-live confirm-installation")
