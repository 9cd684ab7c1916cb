"""``navette settings``: every setting of the installation."""

import typer

from console.terminal.session import AsJson
from console.terminal.tables import Column, show
from engine.settings import Setting, list_settings, load_settings

app = typer.Typer(help="See every setting, its value and where it comes from.")

COLUMNS: tuple[Column[Setting], ...] = (
    Column("name", lambda setting: setting.name, "setting"),
    Column("value", lambda setting: setting.value, "value"),
    Column(
        "origin",
        lambda setting: setting.origin,
        "from",
        style=lambda setting: "" if setting.origin != "default" else "dim",
    ),
    Column("description", lambda setting: setting.description, "meaning"),
)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List settings: their values, with secrets masked, and whether they come from the environment, the file or by default."""
    show(list_settings(load_settings()), COLUMNS, as_json=as_json, empty="")


@app.callback(invoke_without_command=True)
def settings(context: typer.Context) -> None:
    """See every setting, its value and where it comes from."""
    if context.invoked_subcommand is None:
        list_all(as_json=False)
