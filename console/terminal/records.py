"""``navette records``: find a record and its history across all flows; see what is held back."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer

from console.terminal.executions import OUTCOME_STYLES
from console.terminal.session import AsJson, Count, session
from console.terminal.tables import Column, console, facts, show, table, tell_json
from console.terminal.words import moment
from domain.errors import UserError
from domain.records import KINDS
from engine.actions.names import integration_named, suggest
from storage.database import Unit
from storage.queries import held, integrations, outcomes, records, references
from storage.queries.held import HeldLine
from storage.queries.outcomes import OutcomeRow
from storage.queries.records import RecordRow

app = typer.Typer(no_args_is_help=True, help="Find a record and its history; see what is held back.")

_LOCAL = "UTC"
_STORED = tuple(kind for kind in KINDS if kind != "stock_level")


def _zone(unit: Unit, name: str) -> str:
    found = integrations.find(unit, name) if name else None
    return found.time_zone if found is not None else _LOCAL


@app.command("list")
def list_records(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(_STORED)}.")],
    text: Annotated[str, typer.Option("--find", help="A SKU, a barcode, an order number or another name.")] = "",
    of: Annotated[str, typer.Option("--integration", help="Only those that came from this integration.")] = "",
    state: Annotated[str, typer.Option(help="Only this state, such as open, active or gone.")] = "",
    before: Annotated[int | None, typer.Option(metavar="ID", help="Go on from this record.")] = None,
    count: Count = 50,
    as_json: AsJson = False,
) -> None:
    """List records of one kind, newest first."""
    if kind not in _STORED:
        raise UserError(f"There is no kind of record called “{kind}”. {suggest(kind, _STORED)}")
    with session() as platform, platform.database.reading() as unit:
        rows = records.listed(
            unit,
            kind=kind,
            integration_id=integration_named(unit, of).id if of else None,
            state=state or None,
            text=text,
            count=count,
            before=before,
        )
        columns: tuple[Column[RecordRow], ...] = (
            Column("id", lambda row: row.id, "id", is_number=True),
            Column("label", lambda row: row.label, "record"),
            Column("name", lambda row: getattr(row.record, "name", ""), "name"),
            Column("state", lambda row: row.state, "state"),
            Column("integration", lambda row: row.integration, "from"),
            Column("occurred_at", lambda row: row.occurred_at),
            Column(
                "updated_at",
                lambda row: row.updated_at,
                "changed",
                lambda row: moment(row.updated_at, _zone(unit, row.integration)),
            ),
            Column("created_at", lambda row: row.created_at),
        )
        show(
            rows,
            columns,
            as_json=as_json,
            empty="No such record. Records come in by flows: navette feeds list",
        )


@app.command("show")
def show_record(
    record_id: Annotated[int, typer.Argument(metavar="ID", help="Its id here.")], as_json: AsJson = False
) -> None:
    """Show one record: its fields, where it is known, and everything that happened to it."""
    with session() as platform, platform.database.reading() as unit:
        row = records.get(unit, record_id)
        if row is None:
            raise UserError(f"There is no record {record_id}. Find one with: navette records list product --find <SKU>")
        known_as = references.of_record(unit, record_id)
        history = outcomes.of_record(unit, record_id)
        zone = _zone(unit, row.integration)
        if as_json:
            tell_json({"record": row, "references": known_as, "history": history})
            return
        facts(
            [
                ("id", str(row.id)),
                ("kind", row.kind),
                ("state", row.state),
                *_fields(row.record),
                ("created", moment(row.created_at, zone)),
                ("changed", moment(row.updated_at, zone)),
            ]
        )
        links: tuple[Column[tuple[str, str, datetime | None]], ...] = (
            Column("integration", lambda link: link[0], "known to"),
            Column("remote_id", lambda link: link[1], "as"),
            Column("gone_at", lambda link: link[2], "gone since", lambda link: moment(link[2], zone)),
        )
        console().print(table(known_as, links))
        events: tuple[Column[OutcomeRow], ...] = (
            Column("at", lambda event: event.at, "when", lambda event: moment(event.at, zone)),
            Column("flow", lambda event: f"{event.integration}/{event.flow}", "flow"),
            Column("execution", lambda event: event.execution_id, "execution", is_number=True),
            Column(
                "outcome",
                lambda event: event.outcome,
                "outcome",
                style=lambda event: OUTCOME_STYLES.get(event.outcome, ""),
            ),
            Column("reason", lambda event: event.reason, "reason"),
        )
        console().print(table(history, events, title="History, newest first"))


def _fields(record: object) -> list[tuple[str, str]]:
    values: dict[str, Any] = msgspec.to_builtins(record)
    return [(name.replace("_", " "), _plain(value)) for name, value in values.items()]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@app.command("held")
def list_held(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION]", help="Only this integration.")] = "",
    severity: Annotated[str, typer.Option(help="retry: waits by itself; error: waits for a person.")] = "",
    count: Count = 100,
    as_json: AsJson = False,
) -> None:
    """List records that are held back: why, since when, and when they are tried next."""
    with session() as platform, platform.database.reading() as unit:
        integration_id = integration_named(unit, of).id if of else None
        rows = held.listed(unit, integration_id=integration_id, severity=severity or None, count=count)
        zone_of = {row.name: row.time_zone for row in integrations.listed(unit)}
        columns: tuple[Column[HeldLine], ...] = (
            Column("flow", lambda row: f"{row.integration}/{row.flow}", "flow"),
            Column("kind", lambda row: row.kind, "kind"),
            Column("label", lambda row: row.label, "record"),
            Column("remote_id", lambda row: row.remote_id, "id there"),
            Column(
                "severity",
                lambda row: row.severity,
                "severity",
                style=lambda row: "red" if row.severity == "error" else "yellow",
            ),
            Column("message", lambda row: row.message, "why"),
            Column(
                "first_at",
                lambda row: row.first_at,
                "since",
                lambda row: moment(row.first_at, zone_of[row.integration]),
            ),
            Column(
                "next_try_at",
                lambda row: row.next_try_at,
                "next try",
                lambda row: moment(row.next_try_at, zone_of[row.integration]),
            ),
            Column(
                "give_up_at",
                lambda row: row.give_up_at,
                "given up",
                lambda row: moment(row.give_up_at, zone_of[row.integration]),
            ),
            Column("tries", lambda row: row.tries, "tries", is_number=True),
        )
        show(
            rows,
            columns,
            as_json=as_json,
            empty="Nothing is held back: every record seen came in or was left out by a rule.",
        )
