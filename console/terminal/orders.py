"""``navette orders``: see orders and ship them."""

from typing import Annotated

import typer

from console.terminal.executions import OUTCOME_STYLES, zones
from console.terminal.session import AsJson, Count, Person, session
from console.terminal.tables import Column, console, facts, say, show, table, tell_json
from console.terminal.words import moment, quantity
from domain.records import Money, Order, OrderLine, Shipment
from engine.actions import orders as actions
from storage.queries.outcomes import OutcomeRow
from storage.queries.records import RecordRow

app = typer.Typer(no_args_is_help=True, help="See orders and ship them.")

Number = Annotated[str, typer.Argument(metavar="ORDER", help="Its number, or its id here.")]
Of = Annotated[str, typer.Option("--integration", help="The integration it came from.")]


def _total(order: Order) -> str:
    return str(Money(order.totals.total, order.currency))


@app.command("list")
def list_orders(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION]", help="Only this integration.")] = "",
    state: Annotated[str, typer.Option(help="open, shipped or cancelled.")] = "",
    find: Annotated[str, typer.Option(help="An order number.")] = "",
    before: Annotated[int | None, typer.Option(metavar="ID", help="Go on from this order.")] = None,
    count: Count = 50,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    with session() as platform, platform.database.reading() as unit:
        rows = actions.listed(unit, of=of, state=state or None, text=find, count=count, before=before)
        zone_of = zones(unit)
        columns: tuple[Column[RecordRow], ...] = (
            Column("id", lambda row: row.id, "id", is_number=True),
            Column("number", lambda row: row.record.number, "order"),
            Column("integration", lambda row: row.integration, "from"),
            Column("state", lambda row: row.state, "state"),
            Column(
                "placed_at",
                lambda row: row.record.placed_at,
                "placed",
                lambda row: moment(row.record.placed_at, zone_of.get(row.integration, "UTC")),
            ),
            Column("status", lambda row: row.record.status.name, "status in the shop"),
            Column("shipping_method", lambda row: row.record.shipping_method, "ships by"),
            Column("total", lambda row: _total(row.record), "total", is_number=True),
            Column("city", lambda row: row.record.delivery.city if row.record.delivery else "", "to"),
        )
        show(
            rows,
            columns,
            as_json=as_json,
            empty="No such order. Orders come in by: navette feeds run <integration>/import_new_orders --wait",
        )


LINES: tuple[Column[OrderLine], ...] = (
    Column("sku", lambda line: line.sku, "SKU"),
    Column("name", lambda line: line.name, "name"),
    Column("quantity", lambda line: line.quantity, "quantity", lambda line: quantity(line.quantity), is_number=True),
    Column("unit_price_with_tax", lambda line: line.unit_price_with_tax, "price with tax", is_number=True),
)
EVENTS: tuple[Column[OutcomeRow], ...] = (
    Column("flow", lambda event: f"{event.integration}/{event.flow}", "flow"),
    Column("execution", lambda event: event.execution_id, "execution", is_number=True),
    Column(
        "outcome", lambda event: event.outcome, "outcome", style=lambda event: OUTCOME_STYLES.get(event.outcome, "")
    ),
    Column("reason", lambda event: event.reason, "reason"),
)


@app.command("show")
def show_order(number: Number, of: Of = "", as_json: AsJson = False) -> None:
    """Show one order: its lines, its shipments, and everything that happened to it."""
    with session() as platform:
        shown = platform.database.read(lambda unit: actions.show(unit, number, of=of))
        if as_json:
            tell_json({"record": shown.row, "shipments": shown.shipments, "history": shown.history})
            return
        order, zone = shown.order, shown.time_zone
        address = order.delivery
        facts(
            [
                ("order", order.number),
                ("id here", str(shown.row.id)),
                ("id in the shop", order.remote_id),
                ("from", shown.row.integration),
                ("state", order.fate),
                ("placed", moment(order.placed_at, zone)),
                ("status in the shop", order.status.name),
                ("customer", f"{order.customer.first_name} {order.customer.last_name}".strip()),
                (
                    "to",
                    ", ".join(part for part in (address.line1, address.postcode, address.city, address.country) if part)
                    if address
                    else "",
                ),
                ("ships by", order.shipping_method),
                ("paid by", order.payment_method),
                ("total", _total(order)),
            ]
        )
        console().print(table(order.lines, LINES))
        if shown.shipments:
            console().print(table(shown.shipments, _shipments(zone), title="Shipments"))
        console().print(table(shown.history, EVENTS, title="History, newest first"))


def _shipments(zone: str) -> tuple[Column[Shipment], ...]:
    return (
        Column("carrier", lambda shipment: shipment.carrier, "carrier"),
        Column("tracking_number", lambda shipment: shipment.tracking_number, "tracking number"),
        Column(
            "shipped_at",
            lambda shipment: shipment.shipped_at,
            "shipped",
            lambda shipment: moment(shipment.shipped_at, zone),
        ),
    )


@app.command("ship")
def ship(
    number: Number,
    person: Person,
    of: Of = "",
    carrier: Annotated[str, typer.Option(help="Your shipping method; empty: the one it was imported with.")] = "",
    tracking: Annotated[str, typer.Option(help="The tracking number.")] = "",
) -> None:
    """An order has left the house: its stock goes down, and the shop is told by the next confirmation."""
    with session() as platform:
        name = actions.ship(platform, number, of=of, carrier=carrier, tracking_number=tracking, person=person)
        say(f"Order {name} is shipped. The shop is told by the flow confirm_shipments, in production only.")
