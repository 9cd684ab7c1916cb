"""``navette rules``: the rules of an integration, tried before they are changed."""

from typing import Annotated

import typer

from console.terminal.mappings import Name, Remote, Table
from console.terminal.session import AsJson, Person, session
from console.terminal.tables import Column, say, show
from console.terminal.words import counted
from domain.errors import UserError
from engine.actions import rulebooks
from engine.actions import rules as actions
from engine.actions.names import integration_named
from engine.actions.rulebooks import Rule
from engine.actions.rules import FateChange

app = typer.Typer(no_args_is_help=True, help="See, try and change the rules of an integration.")

_RULES: tuple[Column[Rule], ...] = (
    Column("name", lambda rule: rule.name, "rule"),
    Column("value", lambda rule: rule.value, "value"),
    Column("meaning", lambda rule: rule.meaning, "meaning"),
)
_CHANGES: tuple[Column[FateChange], ...] = (
    Column("kind", lambda change: change.kind, "kind"),
    Column("label", lambda change: change.label, "record"),
    Column("remote_id", lambda change: change.remote_id, "id there"),
    Column("is_held", lambda change: change.is_held, "where", lambda change: "held back" if change.is_held else "here"),
    Column("before", lambda change: change.before.verdict, "now", style=lambda _: "dim"),
    Column("after", lambda change: change.after.verdict, "then", style=lambda _: "bold"),
    Column("reason", lambda change: change.after.reason, "why"),
)


@app.command("list")
def list_rules(name: Name, as_json: AsJson = False) -> None:
    """List the rules that are single values; tables are listed by “navette mappings list”."""
    with session() as platform:
        integration = platform.database.read(lambda unit: integration_named(unit, name))
        show(rulebooks.listed(integration), _RULES, as_json=as_json, empty="")


@app.command("set")
def set_rules(
    name: Name,
    values: Annotated[list[str], typer.Argument(metavar="RULE=VALUE", help="Such as safety_buffer=2.")],
    person: Person,
) -> None:
    """Change rules; they hold for every execution that starts from now on."""
    wanted: dict[str, str] = {}
    for text in values:
        rule, sign, value = text.partition("=")
        if not sign:
            raise UserError(f"“{text}” is not written as rule=value.")
        wanted[rule.strip()] = value
    with session() as platform:
        version = rulebooks.change(platform, name, values=wanted, person=person)
        say(f"The rules of {name} are saved as settings version {version}.")


@app.command("try")
def try_rule(
    name: Name,
    table: Table,
    remote: Remote,
    hub: Annotated[
        str, typer.Argument(metavar="[HERE]", help="What it would be here; nothing: without the entry.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Try an entry of a table, without saving it: which orders would change their fate?"""
    with session() as platform:
        trial = actions.try_entry(platform, name, table, remote, hub)
        show(
            trial.changes,
            _CHANGES,
            as_json=as_json,
            empty=f"Tried on {counted(trial.tried, 'record')}: none would change its fate.",
        )
        if trial.changes and not as_json:
            say(f"{counted(len(trial.changes), 'record')} of {trial.tried:,} would change. Nothing was saved.")
            say(f"Save it with: navette mappings {'set' if hub else 'unset'} {name} {table} {remote} {hub}".rstrip())
