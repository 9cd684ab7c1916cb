"""``navette effects``: changes meant for the outside, before and after, and what becomes of them."""

import re
from typing import Annotated

import typer

from console.terminal.session import AsJson, Count, Person, session
from console.terminal.tables import Column, say, show
from console.terminal.words import counted
from domain.errors import UserError
from engine.actions import effects as actions
from storage.database import Unit
from storage.queries import effects
from storage.queries.effects import EffectLine
from storage.rows import EffectState

app = typer.Typer(no_args_is_help=True, help="See changes meant for the outside; release or discard them.")

Numbers = Annotated[list[int] | None, typer.Argument(metavar="[EFFECT]...", help="Their numbers.")]
Everything = Annotated[
    str, typer.Option("--all", metavar="INTEGRATION[/FLOW]", help="All of them, in place of numbers.")
]

_STYLES = {
    EffectState.WITHHELD: "yellow",
    EffectState.DONE: "green",
    EffectState.FAILED: "red",
    EffectState.UNKNOWN: "magenta",
    EffectState.PENDING: "cyan",
    EffectState.SENDING: "cyan",
}
_ID_FIELDS = ("remote_id", "item_remote_id", "order_remote_id", "order_number")
_MOST = 100_000
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)\S*Z$")


def in_words(value: object) -> str:
    """What is known or wanted there, without the ids that only say where."""
    if value is None:
        return "not known"
    if not isinstance(value, dict):
        return str(value)
    shown = {name: text for name, text in value.items() if name not in _ID_FIELDS and text not in ("", None)}
    return ", ".join(
        f"{name.replace('_', ' ')} {_MOMENT.sub(_to_the_minute, str(text))}" for name, text in shown.items()
    )


def _to_the_minute(found: re.Match[str]) -> str:
    return f"{found[1]} {found[2]} UTC"


COLUMNS: tuple[Column[EffectLine], ...] = (
    Column("id", lambda line: line.effect.id, "no.", is_number=True),
    Column("flow", lambda line: f"{line.integration}/{line.flow}", "flow"),
    Column("kind", lambda line: line.effect.kind, "kind"),
    Column("target", lambda line: line.effect.target, "id there"),
    Column("label", lambda line: line.effect.label, "record"),
    Column("before", lambda line: line.effect.before, "before", lambda line: in_words(line.effect.before)),
    Column("after", lambda line: line.effect.after, "after", lambda line: in_words(line.effect.after)),
    Column("state", lambda line: line.effect.state, "state", style=lambda line: _STYLES.get(line.effect.state, "dim")),
    Column("reason", lambda line: line.effect.reason, "why"),
    Column("attempts", lambda line: line.effect.attempts),
    Column("execution", lambda line: line.effect.execution_id),
    Column("receipt", lambda line: line.effect.receipt),
    Column("created_at", lambda line: line.effect.created_at),
    Column("updated_at", lambda line: line.effect.updated_at),
)


@app.command("list")
def list_effects(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION[/FLOW]]", help="Only these.")] = "",
    states: Annotated[
        list[EffectState] | None, typer.Option("--state", help="Only this state; may be repeated.")
    ] = None,
    target: Annotated[str, typer.Option(help="Only this item or order.")] = "",
    before: Annotated[int | None, typer.Option(metavar="EFFECT", help="Go on from this number.")] = None,
    count: Count = 50,
    as_json: AsJson = False,
) -> None:
    """List changes meant for the outside, newest first: what is there, what would be there, and why it waits."""
    with session() as platform, platform.database.reading() as unit:
        rows = actions.listed(unit, of=of, states=states or (), target=target, before=before, count=count)
        show(
            rows,
            COLUMNS,
            as_json=as_json,
            empty="No such change. Outbound flows make them, also in test mode: navette feeds run <integration>/export_stock",
        )


@app.command("release")
def release(person: Person, numbers: Numbers = None, everything: Everything = "") -> None:
    """Let withheld changes go with the next run of their flow. Only after go-live."""
    with session() as platform:
        chosen = platform.database.read(lambda unit: _chosen(unit, numbers, everything, EffectState.WITHHELD))
        count = actions.release(platform, chosen, person=person)
        say(f"{counted(count, 'change')} released: sent by the next run of {'its' if count == 1 else 'their'} flow.")


@app.command("discard")
def discard(person: Person, numbers: Numbers = None, everything: Everything = "") -> None:
    """Drop changes that were not sent yet."""
    with session() as platform:
        chosen = platform.database.read(lambda unit: _chosen(unit, numbers, everything, *effects.UNSENT))
        count = actions.discard(platform, chosen, person=person)
        say(f"{counted(count, 'change')} discarded.")


@app.command("decide")
def decide(
    person: Person,
    numbers: Numbers = None,
    everything: Everything = "",
    happened: Annotated[
        bool | None, typer.Option("--happened/--did-not-happen", help="Whether the change is there on the other side.")
    ] = None,
) -> None:
    """Say of changes of unknown outcome whether they are there. Those that are not are sent again."""
    if happened is None:
        raise UserError("Look on the other side whether the change is there, then say --happened or --did-not-happen.")
    with session() as platform:
        chosen = platform.database.read(lambda unit: _chosen(unit, numbers, everything, EffectState.UNKNOWN))
        count = actions.decide(platform, chosen, has_happened=happened, person=person)
        words = "taken as done" if happened else "sent again by the next run"
        say(f"{counted(count, 'change')}: {words}.")


def _chosen(unit: Unit, numbers: list[int] | None, everything: str, *states: EffectState) -> list[int]:
    if bool(numbers) == bool(everything):
        raise UserError("Name the changes by their numbers, or all of an integration with --all INTEGRATION.")
    if numbers:
        return numbers
    found = [line.effect.id for line in actions.listed(unit, of=everything, states=states, count=_MOST)]
    if not found:
        raise UserError(f"{everything} has no change in the state {' or '.join(states)}.")
    return found
