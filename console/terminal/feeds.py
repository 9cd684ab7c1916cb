"""``navette feeds``: run flows now, pause them, set their schedules."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from console.terminal import following
from console.terminal.session import AsJson, Person, session
from console.terminal.tables import Column, say, show, tell_json, warn
from console.terminal.words import STATE_STYLES, exact, moment, span, state
from domain.errors import UserError
from domain.schedule import Missed, Overlap, Schedule, Upcoming, describe
from engine.actions import feeds as actions
from engine.actions import timetable
from engine.actions.names import feed_named
from engine.actions.timetable import FeedLine
from engine.runtime.platform import Platform

app = typer.Typer(no_args_is_help=True, help="Run flows now, pause them, set their schedules.")

Name = Annotated[str, typer.Argument(metavar="INTEGRATION/FLOW", help="Such as shop/import_new_orders.")]
_STYLES = {"on": "green", "withheld": "yellow", "paused": "red", "locked": "dim", "off": "dim"}


def _last(line: FeedLine) -> str:
    if line.last is None:
        return "never"
    return f"{state(line.last.state)}, {moment(line.last.ended_at, line.time_zone)}"


COLUMNS: tuple[Column[FeedLine], ...] = (
    Column("name", lambda line: line.name, "flow"),
    Column("title", lambda line: line.flow.title),
    Column("direction", lambda line: line.flow.direction, "direction"),
    Column("status", lambda line: line.status, "status", style=lambda line: _STYLES[line.status]),
    Column("why", lambda line: line.why, "why"),
    Column("schedule", lambda line: line.schedule, "schedule"),
    Column("next_at", lambda line: line.next_at, "next run", lambda line: moment(line.next_at, line.time_zone)),
    Column(
        "running",
        lambda line: line.running.id if line.running else None,
        "now",
        lambda line: f"{line.running.state} ({line.running.id})" if line.running else "",
    ),
    Column(
        "last_state",
        lambda line: line.last.state if line.last else None,
        "last run",
        _last,
        style=lambda line: STATE_STYLES[line.last.state] if line.last else "dim",
    ),
    Column("last_ended_at", lambda line: line.last.ended_at if line.last else None),
    Column("last_execution", lambda line: line.last.id if line.last else None),
    Column("succeeded_at", lambda line: line.named.feed.succeeded_at),
    Column(
        "average_seconds",
        lambda line: line.named.feed.average_seconds,
        "usually",
        lambda line: span(line.named.feed.average_seconds),
    ),
    Column("time_zone", lambda line: line.time_zone),
)


@app.command("list")
def list_feeds(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION]", help="Only this integration.")] = "",
    as_json: AsJson = False,
) -> None:
    """List flows: when each runs next, and how it went last."""
    with session() as platform:
        lines = platform.database.read(lambda unit: timetable.listed(platform, unit, of=of))
        show(
            lines,
            COLUMNS,
            as_json=as_json,
            empty="No shop is connected yet, so there are no flows. Connect one with: navette integrations add",
        )


@app.command("run")
def run(
    name: Name,
    person: Person,
    *,
    find: Annotated[str, typer.Option(help="Only this record: an order number, a SKU.")] = "",
    since: Annotated[str, typer.Option(metavar="WHEN", help="Start of a past window, such as 2026-03-01.")] = "",
    until: Annotated[str, typer.Option(metavar="WHEN", help="End of the window.")] = "",
    accept_volume: Annotated[
        bool, typer.Option("--accept-volume", help="Let this one run make a change of unusual size.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it to its end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a flow now. Its schedule stays as it is; asking twice, or while it runs, is harmless."""
    with session() as platform:
        zone = platform.database.read(lambda unit: feed_named(unit, name)).integration.time_zone
        requested = actions.run_now(
            platform,
            name,
            person=person,
            find=find,
            since=_moment(since, zone),
            until=_moment(until, zone),
            accepts_volume=accept_volume,
        )
        if not as_json:
            say(requested.message)
        if not wait:
            if as_json:
                tell_json({"execution": requested.execution_id, "joined": requested.joined})
            elif not following.is_anybody_working(platform):
                warn("No worker is running, so it waits. Start one with “navette run”, or add --wait to run it here.")
            return
        execution = following.follow(platform, requested.execution_id)
        if as_json:
            tell_json({"execution": execution, "joined": requested.joined})
        else:
            following.tell_end(platform, execution)
        if execution.state in following.FAILED:
            raise typer.Exit(1)


def _moment(text: str, zone: str) -> datetime | None:
    """A moment as people write it, on the integration's clock unless it names its own zone."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"“{text}” is not a moment. Write it like 2026-03-01 or 2026-03-01T08:00.") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))


@app.command("pause")
def pause(name: Name, person: Person, reason: Annotated[str, typer.Option(help="Why; others see it.")] = "") -> None:
    """Stop a flow until it is resumed."""
    with session() as platform:
        actions.pause(platform, name, person=person, reason=reason)
        say(f"{name} is paused. Resume it with: navette feeds resume {name}")


@app.command("resume")
def resume(name: Name, person: Person) -> None:
    """Let a paused flow go on."""
    with session() as platform:
        actions.resume(platform, name, person=person)
        _tell_next(platform, name, f"{name} goes on.")


@app.command("on")
def switch_on(name: Name, person: Person) -> None:
    """Switch a flow on."""
    with session() as platform:
        actions.switch(platform, name, is_on=True, person=person)
        _tell_next(platform, name, f"{name} is on.")


@app.command("off")
def switch_off(name: Name, person: Person) -> None:
    """Switch a flow off; unlike a pause, nothing is counted as skipped."""
    with session() as platform:
        actions.switch(platform, name, is_on=False, person=person)
        say(f"{name} is off.")


def _tell_next(platform: Platform, name: str, words: str) -> None:
    line = platform.database.read(lambda unit: timetable.listed(platform, unit, of=name))[0]
    say(f"{words} Next run: {moment(line.next_at, line.time_zone) or 'when you ask for it'}.")


@app.command("schedule")
def schedule(
    name: Name,
    person: Person,
    *,
    every: Annotated[str, typer.Option(metavar="SPAN", help="An interval, such as 30m, 2h or 1d.")] = "",
    cron: Annotated[
        str, typer.Option(metavar="EXPRESSION", help="Five fields on the shop's clock, such as “30 2 * * *”.")
    ] = "",
    by_hand: Annotated[bool, typer.Option("--by-hand", help="No schedule: only run when asked to.")] = False,
    jitter: Annotated[str, typer.Option(metavar="SPAN", help="Shift all runs by a fixed part of this.")] = "",
    overlap: Annotated[Overlap, typer.Option(help="When it is due while it still runs.")] = Overlap.SKIP,
    missed: Annotated[Missed, typer.Option(help="What to do after downtime.")] = Missed.RUN_ONCE,
    preview: Annotated[bool, typer.Option("--preview", help="Show the next ten runs and save nothing.")] = False,
) -> None:
    """Set a flow's schedule; shows the next ten runs, clock changes marked."""
    with session() as platform:
        if by_hand:
            if every or cron:
                raise UserError("Choose --by-hand or a schedule, not both.")
            actions.set_schedule(platform, name, None, person=person)
            say(f"{name} only runs when somebody asks for it.")
            return
        wanted = Schedule(
            every=_span(every) if every else None,
            cron=cron or None,
            jitter=_span(jitter) if jitter else timedelta(0),
            overlap=overlap,
            missed=missed,
        )
        moments = actions.preview(platform, name, wanted)
        zone = platform.database.read(lambda unit: feed_named(unit, name)).integration.time_zone
        say(f"{name} {'would run' if preview else 'runs'} {describe(wanted)}, in the time of {zone}:")
        show(moments, _upcoming_columns(zone), as_json=False, empty="")
        if not preview:
            actions.set_schedule(platform, name, wanted, person=person)


def _upcoming_columns(zone: str) -> tuple[Column[Upcoming], ...]:
    return (
        Column("at", lambda row: row.at_utc, "run", lambda row: f"{row.local:%A} {exact(row.at_utc, zone)}"),
        Column("clock_change", lambda row: row.clock_change, "clock change"),
    )


_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def _span(text: str) -> timedelta:
    number = text.rstrip("smhdin").strip()
    unit = _UNITS.get(text[len(number) :].strip() or "m")
    if not number.isdecimal() or unit is None:
        raise UserError(f"“{text}” is not a span of time. Write it like 30m, 2h or 1d.")
    return timedelta(**{unit: int(number)})


@app.command("unlock")
def unlock(
    name: Name,
    person: Person,
    confirm: Annotated[
        str, typer.Option(metavar="INTEGRATION/FLOW", help="Its name once more, to skip the questions.")
    ] = "",
) -> None:
    """Let a flow run again that is meant to run once. Asked twice, and kept in the audit."""
    with session() as platform:
        words = confirm
        if not confirm:
            typer.confirm(f"{name} overwrites what the hub holds with what the shop shows. Are you sure?", abort=True)
            words = typer.prompt("Write its name once more to unlock it")
        actions.unlock(platform, name, person=person, confirmed=words)
        say(f"{name} is unlocked. It locks itself again after its next success. Run it with: navette feeds run {name}")
