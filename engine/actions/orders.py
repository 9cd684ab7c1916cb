"""Orders of the hub: list, show, ship."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import UserError
from domain.records import Order, Shipment
from engine.actions import rulebooks
from engine.actions.names import integration_named
from engine.runtime.outbound import shipments
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import outcomes, records
from storage.queries import shipments as stored
from storage.queries.outcomes import OutcomeRow
from storage.queries.records import RecordRow


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """An order with its shipments, its history across all flows, and its integration's zone and shipping methods."""

    row: RecordRow
    order: Order
    shipments: Sequence[Shipment]
    history: Sequence[OutcomeRow]
    time_zone: str


def listed(
    unit: Unit, *, of: str = "", state: str | None = None, text: str = "", count: int = 50, before: int | None = None
) -> list[RecordRow]:
    """Orders, newest first; ``text`` is an order number."""
    integration_id = integration_named(unit, of).id if of else None
    return records.listed(
        unit, kind=Order.kind, integration_id=integration_id, state=state, text=text, count=count, before=before
    )


def show(unit: Unit, text: str, *, of: str = "") -> ShownOrder:
    """The one order of this number, or of this id. Raises ``UserError`` when there is none, or more than one."""
    row = find(unit, text, of=of)
    ids = stored.of_order(unit, row.id)
    found = records.bodies(unit, Shipment.kind, ids)
    time_zone = integration_named(unit, row.integration).time_zone if row.integration else "UTC"
    return ShownOrder(
        row=row,
        order=row.record,
        shipments=[found[record_id] for record_id in ids],
        history=outcomes.of_record(unit, row.id),
        time_zone=time_zone,
    )


def find(unit: Unit, text: str, *, of: str = "") -> RecordRow:
    """An order by its number, or by its id here where no order has that number."""
    rows = listed(unit, of=of, text=text)
    if not rows and text.isdecimal():
        row = records.get(unit, int(text))
        rows = [row] if row is not None and row.kind == Order.kind else []
    if not rows:
        raise UserError(f"There is no order “{text}”. List them with: navette orders list")
    if len(rows) > 1:
        named = ", ".join(f"{row.id} ({row.integration})" for row in rows)
        raise UserError(f"Several orders have the number {text}. Name one by its id: {named}.")
    return rows[0]


def ship(platform: Platform, text: str, *, carrier: str, tracking_number: str, person: str, of: str = "") -> str:
    """An order leaves the house: stock goes down, and the shop is told by the next confirmation. Returns its number.

    ``carrier`` is a hub shipping method; empty: the one the order was imported with.
    """

    def work(unit: Unit) -> str:
        row = find(unit, text, of=of)
        order: Order = row.record
        if not row.integration:
            raise UserError(f"Order {order.number} belongs to no integration any more and cannot be shipped.")
        rulebook = rulebooks.read(integration_named(unit, row.integration))
        shipments.ship(
            unit,
            row.id,
            carrier=carrier.strip() or order.shipping_method,
            tracking_number=tracking_number,
            warehouses=rulebook.warehouses,
            person=person,
        )
        return order.number

    return platform.database.write(work)
