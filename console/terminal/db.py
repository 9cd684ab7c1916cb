"""``navette db``: upgrade, look at, back up and purge the database."""

from pathlib import Path
from typing import Annotated

import typer

from console.terminal.session import AsJson, Person, session
from console.terminal.tables import facts, say, tell_json
from console.terminal.words import counted
from engine.actions import backups, installation, keys, retention
from engine.actions.platform import open_database
from engine.settings import load_settings
from storage import schema

app = typer.Typer(no_args_is_help=True, help="Upgrade, look at, back up and purge the database.")


@app.command("upgrade")
def upgrade() -> None:
    """Bring the tables up to date. Every process does so as it starts; this is for doing it beforehand."""
    with open_database(load_settings()) as database:
        done = schema.upgrade(database)
        if not done.has_changed:
            say(f"The database is up to date (step {done.after}).")
            return
        say(f"The database is at step {done.after} now{f' (was at {done.before})' if done.before else ''}.")
        if done.backup is not None:
            say(f"A copy from before is {done.backup}.")


@app.command("status")
def status(as_json: AsJson = False) -> None:
    """Show where the database is, its step, its size, and whether changes may leave from it."""
    with session() as platform:
        found = backups.status(platform)
        standing = installation.standing(platform)
        if as_json:
            tell_json(
                {
                    "kind": found.kind,
                    "place": found.place,
                    "step": found.step,
                    "bytes": found.bytes,
                    "is_confirmed": standing.is_confirmed,
                    "rows": found.rows,
                }
            )
            return
        facts(
            [
                ("database", found.kind),
                ("place", found.place),
                ("step", found.step),
                ("size", f"{found.bytes / 1_000_000:.1f} MB"),
                ("may change shops", "yes" if standing.is_confirmed else "no: copied or restored, and not confirmed"),
                *((f"rows in {name}", f"{count:,}") for name, count in found.rows.items()),
            ]
        )


@app.command("backup")
def backup(file: Annotated[Path, typer.Argument(help="The file to write; must not exist yet.")]) -> None:
    """Copy the embedded database to a file while work goes on."""
    with session() as platform:
        size = backups.backup(platform, file)
        say(f"Copied {size / 1_000_000:.1f} MB to {file}.")
        if not platform.settings.secret_keys.get_secret_value():
            say(f"Keep {platform.settings.key_file} with it: without that file its secrets cannot be read.")


@app.command("rotate-keys")
def rotate_keys(person: Person) -> None:
    """Encrypt every stored secret anew under the first of the keys; the others may be removed afterwards."""
    with session() as platform:
        count = keys.rotate(platform.database, platform.keys, person=person)
        say(f"{counted(count, 'secret')} put under the first key. Nothing needs the others any more.")


@app.command("purge")
def purge(person: Person) -> None:
    """Delete history that is older than it is kept, in small batches."""
    with session() as platform:
        done = retention.purge(platform, person=person)
        say(
            f"Deleted {counted(done.outcomes, 'outcome')}, {counted(done.executions, 'execution')} and "
            f"{counted(done.effects, 'effect')}; {counted(done.expired, 'withheld change')} dropped for age."
        )
