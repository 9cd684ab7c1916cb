"""The ``navette`` command: what there is to ask for, each loaded when it is asked for; and how errors are told."""

import importlib
import sys
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from console.terminal import failures
from console.version import VERSION


class Noun(NamedTuple):
    """Where a command's code is, and what it is for."""

    module: str
    app: str
    summary: str


NOUNS = {
    "run": Noun("run", "run_app", "Run everything in one process; --demo with a simulated shop."),
    "demo": Noun("demo", "app", "Show in a minute what Navette does, on a simulated shop."),
    "scheduler": Noun("run", "scheduler_app", "Run a scheduler; two of them are safe."),
    "worker": Noun("run", "worker_app", "Run a worker; any number of them share the work."),
    "integrations": Noun("integrations", "app", "Connect shops, test and change their settings."),
    "feeds": Noun("feeds", "app", "Run flows now, pause them, set their schedules."),
    "executions": Noun("executions", "app", "See what ran and what became of each record; cancel."),
    "issues": Noun("issues", "app", "See what needs a person, put it right, try again."),
    "records": Noun("records", "app", "Find a record and its history; see what is held back."),
    "effects": Noun("effects", "app", "See changes meant for the outside; release or discard them."),
    "go-live": Noun("go_live", "app", "Check whether a shop can go live, go live, go back to test."),
    "stock": Noun("stock", "app", "See and correct stock levels and differences."),
    "orders": Noun("orders", "app", "See orders and ship them."),
    "mappings": Noun("mappings", "app", "Map statuses, shipping and payment methods."),
    "rules": Noun("rules", "app", "See, try and change the rules of an integration."),
    "simulate": Noun("simulate", "app", "Run a simulated shop to play with."),
    "db": Noun("db", "app", "Upgrade, look at, back up and purge the database."),
    "settings": Noun("settings", "app", "See every setting, its value and where it comes from."),
}


class Commands(TyperGroup):
    """The nouns. Listing them loads none of them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's own type and signature
        """In the order above."""
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        """Enough for the list of commands."""
        noun = NOUNS.get(cmd_name)
        return TyperCommand(cmd_name, help=noun.summary, add_help_option=False) if noun is not None else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """The command itself, loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        noun = NOUNS.get(name or "")
        if noun is None:
            return name, command, rest
        module = importlib.import_module(f"console.terminal.{noun.module}")
        loaded = typer.main.get_command(getattr(module, noun.app))
        loaded.name = name
        return name, loaded, rest

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run a command; whatever goes wrong is told in a sentence."""
        with failures.told():
            return super().invoke(ctx)


app = typer.Typer(cls=Commands, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"navette {VERSION}")
        raise typer.Exit


@app.callback()
def navette(
    debug: Annotated[bool, typer.Option("--debug", help="Write the log to standard error, with every detail.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", "-V", help="Tell the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Navette moves a merchant's data between shops and the hub, and tells you only what you must know."""
    failures.DEBUG.set(debug)


def main() -> None:
    """Run the command line; does not return."""
    sys.exit(app(prog_name="navette"))
