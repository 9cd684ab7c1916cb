"""``navette integrations``: connect shops, test and change their settings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from console.terminal.secrets import read_secret
from console.terminal.session import AsJson, Person, session
from console.terminal.tables import Column, console, facts, say, show, table, tell_json, warn
from console.terminal.words import counted, moment
from domain.errors import UserError
from engine.actions import integrations as actions
from engine.actions import probes
from engine.actions.names import integration_named
from engine.connector import Check, Connector, Probe
from storage.queries import feeds, integrations, issues
from storage.rows import Integration, Mode

app = typer.Typer(no_args_is_help=True, help="Connect shops, test and change their settings.")

Name = Annotated[str, typer.Argument(help="The integration's name.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the connector; may be repeated.")
]
Url = Annotated[str | None, typer.Option(help="Address of the shop.")]
Key = Annotated[
    str | None,
    typer.Option(envvar="NAVETTE_KEY", show_envvar=True, metavar="-", help="Read the key from standard input."),
]
KeyFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="File that holds the key.")]
Force = Annotated[bool, typer.Option("--force", help="Go on although the connection test does not pass.")]

CHECKS: tuple[Column[Check], ...] = (
    Column("passed", lambda check: check.passed, "", None),
    Column("name", lambda check: check.name, "check"),
    Column(
        "result",
        lambda check: "passed" if check.passed else "failed",
        "result",
        style=lambda check: "green" if check.passed else "red",
    ),
    Column("message", lambda check: check.message, "what was found"),
    Column("remedy", lambda check: check.remedy, "what to do"),
)


@app.command("connectors")
def list_connectors(as_json: AsJson = False) -> None:
    """List the systems that can be connected, with their settings."""
    with session() as platform:
        rows = [
            (connector, name, field)
            for connector in map(platform.registry.connector, platform.registry.connector_names)
            for name, field in connector.settings.model_fields.items()
        ]
        columns: tuple[Column[tuple[Connector, str, Any]], ...] = (
            Column("connector", lambda row: row[0].name, "connector"),
            Column("setting", lambda row: row[1], "setting"),
            Column(
                "is_required",
                lambda row: row[2].is_required(),
                "needed",
                lambda row: "yes" if row[2].is_required() else "",
            ),
            Column("is_secret", lambda row: row[1] in probes.secret_names(row[0])),
            Column("meaning", lambda row: ": ".join(filter(None, (row[2].title, row[2].description))), "meaning"),
        )
        show(rows, columns, as_json=as_json, empty="No connector is installed.")


@app.command("add")
def add(  # noqa: PLR0913 - the options of a command
    ctx: typer.Context,
    connector: Annotated[str, typer.Argument(help="The kind of system, such as prestashop.")],
    *,
    name: Annotated[str, typer.Option(help="A short name of your own, such as shop.")],
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
    settings: Sets = None,
    title: Annotated[str, typer.Option(help="How lists call it; empty: the shop's own name.")] = "",
    time_zone: Annotated[str, typer.Option(help="Time zone of its schedules; empty: the shop's.")] = "",
    force: Force = False,
    person: Person,
) -> None:
    """Connect a shop, in test mode. The connection is tested first; the key is asked for, and kept encrypted."""
    with session() as platform:
        actions.check_name(name)
        declared = platform.registry.connector(connector)
        values = _values(declared, settings, url)
        values |= _secrets(ctx, declared, key, key_file, is_new=True)
        added = actions.add(
            platform, connector, name=name, values=values, title=title, time_zone=time_zone, force=force, person=person
        )
        for check in probes.failures(added.probe):
            warn(f"{check.message} {check.remedy}".strip())
        integration = added.integration
        say(f"Connected {integration.title or name} as “{name}”, in test mode: nothing is changed in the shop.")
        say(
            f"{counted(len(added.flows), 'flow')} run on schedules in the time of {integration.time_zone} whenever "
            "“navette run” is running. Next:"
        )
        say(f"  navette feeds run {name}/{_first(added.flows)} --wait")
        say(f"  navette mappings list {name}")


def _first(flows: Sequence[str]) -> str:
    return next((flow for flow in flows if flow.startswith("import_new_")), flows[0] if flows else "retry")


@app.command("test")
def try_connection(name: Name, person: Person, as_json: AsJson = False) -> None:
    """Test the connection: does the shop answer, and has the key every right it needs?"""
    with session() as platform:
        found = actions.test_connection(platform, name, person=person)
        show(found.checks, CHECKS, as_json=as_json, empty="The connection test found nothing.")
        failed = probes.failures(found)
        if failed:
            if not as_json:
                warn(f"{counted(len(failed), 'check')} did not pass. Put that right, then test again.")
            raise typer.Exit(1)


@app.command("list")
def list_integrations(as_json: AsJson = False) -> None:
    """List the integrations."""
    with session() as platform, platform.database.reading() as unit:
        rows = [
            (row, len(feeds.listed(unit, integration_id=row.id)), issues.open_errors(unit, row.id))
            for row in integrations.listed(unit)
        ]
        columns: tuple[Column[tuple[Integration, int, int]], ...] = (
            Column("name", lambda row: row[0].name, "name"),
            Column("title", lambda row: row[0].title, "title"),
            Column("connector", lambda row: row[0].connector, "connector"),
            Column("mode", lambda row: row[0].mode, "mode", style=lambda row: _mode_style(row[0].mode)),
            Column("is_paused", lambda row: row[0].paused_at is not None),
            Column("state", _state_of, "state"),
            Column("time_zone", lambda row: row[0].time_zone, "time zone"),
            Column("flows", lambda row: row[1], "flows", is_number=True),
            Column(
                "open_errors", lambda row: row[2], "errors", is_number=True, style=lambda row: "red" if row[2] else ""
            ),
            Column("settings_version", lambda row: row[0].settings_version),
        )
        show(
            rows,
            columns,
            as_json=as_json,
            empty="No shop is connected yet. Connect one with: navette integrations add <connector> --name <name> --url "
            "<address>, or see a simulated one at work with: navette run --demo",
        )


def _state_of(row: tuple[Integration, int, int]) -> str:
    return f"paused: {row[0].attention}" if row[0].paused_at is not None else "on"


def _mode_style(mode: Mode) -> str:
    return "green" if mode is Mode.PRODUCTION else "yellow"


@app.command("show")
def show_integration(name: Name, as_json: AsJson = False) -> None:
    """Show one integration: its settings, without secrets, and what the last connection test found."""
    with session() as platform:
        integration = platform.database.read(lambda unit: integration_named(unit, name))
        secrets = platform.database.read(lambda unit: sorted(integrations.secrets_of(unit, integration.id)))
        found = probes.read_probe(integration)
        if as_json:
            _show_json(integration, secrets, found)
            return
        zone = integration.time_zone
        facts(
            [
                ("name", integration.name),
                ("title", integration.title),
                ("connector", integration.connector),
                ("mode", integration.mode),
                ("paused since", moment(integration.paused_at, zone)),
                ("attention", integration.attention),
                ("time zone", zone),
                ("settings version", str(integration.settings_version)),
                *(
                    (f"setting {key}", "" if value is None else str(value))
                    for key, value in integration.settings.items()
                ),
                *((f"setting {secret}", "(kept encrypted)") for secret in secrets),
            ]
        )
        if found is not None:
            console().print(table(found.checks, CHECKS, title="The last connection test"))


def _show_json(integration: Integration, secrets: Sequence[str], found: Probe | None) -> None:
    tell_json(
        {
            "name": integration.name,
            "title": integration.title,
            "connector": integration.connector,
            "mode": integration.mode,
            "is_paused": integration.paused_at is not None,
            "attention": integration.attention,
            "time_zone": integration.time_zone,
            "settings_version": integration.settings_version,
            "settings": integration.settings,
            "secrets": secrets,
            "checks": [] if found is None else found.checks,
        }
    )


@app.command("set")
def change_settings(  # noqa: PLR0913 - the options of a command
    ctx: typer.Context,
    name: Name,
    *,
    settings: Sets = None,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
    title: Annotated[str | None, typer.Option(help="How lists call it.")] = None,
    time_zone: Annotated[str, typer.Option(help="Time zone of its schedules.")] = "",
    force: Force = False,
    person: Person,
) -> None:
    """Change settings. Only what is named changes; the connection is tested before anything is saved."""
    with session() as platform:
        integration = platform.database.read(lambda unit: integration_named(unit, name))
        declared = platform.registry.connector(integration.connector)
        values = _values(declared, settings, url)
        values |= _secrets(ctx, declared, key, key_file, is_new=False)
        if not values and title is None and not time_zone:
            raise UserError("Nothing was named to change. Example: --set page_size=100")
        found = actions.change_settings(
            platform, name, values=values, title=title, time_zone=time_zone, force=force, person=person
        )
        for check in probes.failures(found):
            warn(f"{check.message} {check.remedy}".strip())
        say(f"The settings of {name} are saved. They hold for every execution that starts from now on.")


@app.command("pause")
def pause(name: Name, person: Person, reason: Annotated[str, typer.Option(help="Why; others see it.")] = "") -> None:
    """Stop every flow of an integration until it is resumed."""
    with session() as platform:
        actions.pause(platform, name, person=person, reason=reason)
        say(f"{name} is paused: no flow of it starts until you resume it with: navette integrations resume {name}")


@app.command("resume")
def resume(name: Name, person: Person) -> None:
    """Let the flows of a paused integration go on."""
    with session() as platform:
        actions.resume(platform, name, person=person)
        say(f"{name} goes on. What was due in the meantime is listed by: navette executions list {name}")


@app.command("remove")
def remove(
    name: Name,
    person: Person,
    confirm: Annotated[str, typer.Option(metavar="NAME", help="Its name once more, to skip the question.")] = "",
) -> None:
    """Forget an integration with its orders, links and history, for good. Products and stock levels stay."""
    with session() as platform:
        platform.database.read(lambda unit: integration_named(unit, name))
        words = confirm or typer.prompt(
            f"This deletes the orders, links and history of {name} for good. Its name, to go on",
            default="",
            show_default=False,
        )
        removed = actions.remove(platform, name, person=person, confirmed=words)
        say(
            f"{name} is removed, with {counted(removed.orders, 'order')} and {counted(removed.executions, 'execution')}. "
            f"{counted(removed.products_kept, 'product or variant', 'products and variants')} stay in the hub."
        )


def _values(connector: Connector, settings: list[str] | None, url: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {} if url is None else {"url": url}
    for text in settings or []:
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"“{text}” is not written as name=value.", param_hint="--set")
        if name.strip() in probes.secret_names(connector):
            raise UserError(
                f"The setting {name.strip()} is secret and does not belong on the command line. Use --key-file, --key - or "
                "the question."
            )
        values[name.strip()] = value.strip()
    return values


def _secrets(
    ctx: typer.Context, connector: Connector, key: str | None, key_file: Path | None, *, is_new: bool
) -> dict[str, str]:
    """The first secret from the key options; further ones a connector needs are asked for."""
    source = ctx.get_parameter_source("key")
    is_from_environment = source is not None and source.name == "ENVIRONMENT"
    found: dict[str, str] = {}
    for index, name in enumerate(probes.secret_names(connector)):
        field = connector.settings.model_fields[name]
        secret = read_secret(
            name=field.title or name,
            argument=key if index == 0 else None,
            is_from_environment=is_from_environment,
            file=key_file if index == 0 else None,
            is_needed=is_new and field.is_required(),
        )
        if secret is not None:
            found[name] = secret
    return found
