"""``navette mappings``: order statuses, shipping methods and payment methods of a shop, and what they are here."""

from typing import Annotated

import typer

from console.terminal.retrying import tell_retried
from console.terminal.session import AsJson, Person, session
from console.terminal.tables import Column, say, show
from engine.actions import mappings as actions
from engine.actions.mappings import Entry

app = typer.Typer(no_args_is_help=True, help="Map statuses, shipping and payment methods.")

Name = Annotated[str, typer.Argument(metavar="INTEGRATION", help="The integration's name.")]
Table = Annotated[str, typer.Argument(metavar="TABLE", help=f"One of: {', '.join(actions.TABLES)}.")]
Remote = Annotated[str, typer.Argument(metavar="REMOTE", help="The value in the shop; * for any not named.")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Follow what runs again to its end.")]

COLUMNS: tuple[Column[Entry], ...] = (
    Column("table", lambda row: row.table, "table"),
    Column("remote", lambda row: row.remote, "in the shop"),
    Column("label", lambda row: row.label, "its name there"),
    Column(
        "hub",
        lambda row: row.hub,
        "here",
        lambda row: row.hub or "not mapped",
        style=lambda row: "" if row.hub else "yellow",
    ),
    Column("held", lambda row: row.held, "records waiting for it", lambda row: str(row.held or ""), is_number=True),
)


@app.command("list")
def list_mappings(
    name: Name,
    table: Annotated[str, typer.Argument(metavar="[TABLE]", help=f"Only one of: {', '.join(actions.TABLES)}.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what is mapped, and what the shop has that is not."""
    with session() as platform:
        rows = platform.database.read(lambda unit: actions.listed(unit, name, table=table))
        show(
            rows,
            COLUMNS,
            as_json=as_json,
            empty=f"Nothing is known of it yet. Look into the shop with: navette integrations test {name}",
        )


@app.command("set")
def set_mapping(
    name: Name,
    table: Table,
    remote: Remote,
    hub: Annotated[str, typer.Argument(metavar="HERE", help="What it is here.")],
    person: Person,
    wait: Wait = False,
) -> None:
    """Map a value. Exactly the records that waited for it run again at once."""
    with session() as platform:
        changed = actions.set_entry(platform, name, table, remote, hub, person=person)
        before = f" (was {changed.before})" if changed.before and changed.before != changed.after else ""
        say(
            f"{name}: {table.replace('_', ' ')} {remote} is {changed.after}{before}. Settings version {changed.version}."
        )
        tell_retried(platform, changed.retried, waits=wait)


@app.command("unset")
def unset_mapping(name: Name, table: Table, remote: Remote, person: Person) -> None:
    """Take a value out of a table."""
    with session() as platform:
        changed = actions.unset_entry(platform, name, table, remote, person=person)
        say(
            f"{name}: {table.replace('_', ' ')} {remote} is no longer {changed.before}. Settings version {changed.version}."
        )
