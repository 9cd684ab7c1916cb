"""Parcels that left: the order is shipped, the stock goes down, and the shop is told."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from domain.errors import NeedsAttention, UserError
from domain.records import Order, Shipment
from domain.rulebook import Rulebook
from engine.runtime.outbound.plans import Candidate, Planner, PlanPage
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import audit, records
from storage.queries import shipments as stored
from storage.queries import stock as levels
from storage.queries.effects import Effect, Latest
from storage.queries.shipments import Unconfirmed

_PAGE = 500
_IDENTITY = "shipment:"


def ship(
    unit: Unit, order_id: int, *, carrier: str, tracking_number: str, warehouses: Sequence[str], person: str
) -> int:
    """A person ships an open order: returns the id of the new shipment. ``carrier`` is a hub shipping method.

    Raises ``UserError`` when there is no such order, or when it is shipped or cancelled already.
    """
    row = stored.order(unit, order_id)
    if row is None:
        raise UserError(f"There is no order with the id {order_id}.")
    if row.state != "open":
        raise UserError(f"Order {row.order.number} is {row.state} and cannot be shipped.")
    if row.order.needs_shipping and not carrier:
        raise UserError(f"Say with which carrier order {row.order.number} leaves.")
    shipment = Shipment(
        remote_id=f"{row.remote_id}-{len(stored.of_order(unit, order_id)) + 1}",
        order_remote_id=row.remote_id,
        order_number=row.order.number,
        carrier=carrier,
        tracking_number=tracking_number.strip(),
        shipped_at=unit.now,
    )
    shipment_id = stored.add(unit, shipment, integration_id=row.integration_id, order_id=order_id)
    records.replace_body(unit, order_id, msgspec.structs.replace(row.order, fate="shipped"))
    levels.take_order(
        unit,
        row.integration_id,
        row.remote_id,
        warehouses=warehouses,
        reason=f"order {row.order.number} shipped",
        person=person,
    )
    audit.record(
        unit,
        person=person,
        action="ship_order",
        subject=f"order {row.order.number}",
        detail={"carrier": carrier, "tracking_number": shipment.tracking_number},
    )
    return shipment_id


# --- export -------------------------------------------------------------------------------------------------------


def _size(run: Run) -> int:
    return run.database.read(lambda unit: stored.unconfirmed_count(unit, run.integration.id))


def _pages(run: Run) -> Iterator[PlanPage]:
    orders = _scoped(run)
    last = 0
    while True:
        after = last
        page = run.database.read(
            lambda unit: stored.unconfirmed(
                unit,
                run.integration.id,
                identity=_IDENTITY,
                order_remote_ids=orders,
                after=after,  # noqa: B023 - called at once
                count=_PAGE,
            )
        )
        if not page:
            return
        yield PlanPage([_candidate(item, run.rulebook) for item in page])
        last = page[-1].id


def _scoped(run: Run) -> list[str] | None:
    scope = run.execution.scope or {}
    if "ids" in scope:
        return list(scope["ids"])
    if "find" not in scope:
        return None
    text = scope["find"]
    found = run.database.read(
        lambda unit: records.listed(unit, kind=Order.kind, integration_id=run.integration.id, text=text)
    )
    if not found:
        raise UserError(f"{run.integration.title or run.integration.name} has no order called “{text}”.")
    return [row.record.remote_id for row in found]


def _candidate(item: Unconfirmed, rulebook: Rulebook) -> Candidate:
    shipment, problem = item.shipment, None
    carrier = remote_carrier(shipment, order=item.order, rulebook=rulebook)
    if carrier is None:
        carrier = ""
        problem = NeedsAttention(
            f"No shipping method of the shop stands for “{shipment.carrier}”, so the shipment of order "
            f"{shipment.order_number} cannot be confirmed there.",
            cause=f"unknown_carrier:{shipment.carrier}",
            remedy=f"Map exactly one shipping method of the shop to “{shipment.carrier}”.",
        )
    after: Any = msgspec.to_builtins(msgspec.structs.replace(shipment, carrier=carrier), str_keys=True)
    effect = item.latest
    return Candidate(
        identity=f"{_IDENTITY}{item.id}",
        target=shipment.order_remote_id,
        label=shipment.label,
        record_id=item.id,
        before=None,
        after=after,
        latest=Latest(effect.id, effect.state, effect.after, effect.execution_id) if effect is not None else None,
        problem=problem,
    )


def remote_carrier(shipment: Shipment, *, order: Order | None, rulebook: Rulebook) -> str | None:
    """The shop's method for a shipment: the one ordered, where it stands for the carrier used, else the one mapped to it."""
    if not shipment.carrier:
        return ""
    if order is not None and order.shipping_code and rulebook.shipping_method(order.shipping_code) == shipment.carrier:
        return order.shipping_code
    return rulebook.remote_shipping_method(shipment.carrier)


def _confirmed(unit: Unit, effects: Sequence[Effect]) -> None:
    stored.confirm(unit, [effect.record_id for effect in effects if effect.record_id is not None])


PLANNER = Planner(size=_size, pages=_pages, confirmed=_confirmed, looks_first=True)
