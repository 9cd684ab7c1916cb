"""Confirms shipments: the tracking number first, then the status, so that the mail of the status can show the number.

Neither is idempotent by itself: a status set again adds a second mail. What is there already is read first and left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from connectors.prestashop.client import changes
from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import (
    ADD_HISTORY,
    ADD_PARCEL,
    CARRIERS,
    HISTORIES,
    ORDER_CARRIERS,
    ORDER_STANDS,
    PATCH_PARCEL,
    PUT_PARCEL,
    WHOLE_PARCELS,
    fields,
    one_of,
)
from connectors.prestashop.client.orders import states
from connectors.prestashop.client.rights import can_patch
from connectors.prestashop.client.rows import OrderCarrierRow, OrderStandRow
from connectors.prestashop.client.stock_writing import TOLD
from domain.errors import NotFound, RequestRefused
from engine.connector import Change, Json, Operation, Outcome, Receipt, Request

OPERATIONS = (PATCH_PARCEL, PUT_PARCEL, ADD_PARCEL, ADD_HISTORY)
BATCH = 10

_NONE = {"", "0", "None"}


@dataclass(frozen=True, slots=True)
class _Wish:
    """A shipment as the shop is to show it. ``carrier`` is a carrier's reference, empty for whatever the order has."""

    order_id: str
    tracking_number: str
    carrier: str


@dataclass(slots=True)
class _Stand:
    """An order as the shop shows it, kept up to date while it is changed."""

    order: OrderStandRow
    parcels: list[OrderCarrierRow] = field(default_factory=list)
    past_states: set[str] = field(default_factory=set)

    def has_number(self, wish: _Wish) -> bool:
        """Whether the number is on a parcel, or cannot be: virtual orders have none."""
        return (
            not wish.tracking_number
            or not self.parcels
            or any(_number(parcel) == wish.tracking_number for parcel in self.parcels)
        )

    def is_shipped(self, account: Account) -> bool:
        """Whether the order is, or was, in a status that means shipped."""
        known = states(account)
        shipped = {state_id for state_id, row in known.items() if str(row.shipped) == "1"} | {shipped_state(account)}
        return not shipped.isdisjoint({*self.past_states, str(self.order.current_state)})


def shipped_state(account: Account) -> str:
    """The status an order gets when it leaves: the one chosen, or the shop's own *Shipped*."""
    chosen = account.settings.shipped_status
    return str(chosen) if chosen is not None else account.facts.states["PS_OS_SHIPPING"]


def send(account: Account, wanted: Sequence[Change]) -> list[Outcome]:
    """Confirm shipments; one outcome each. ``target`` is an order's id, ``after`` a shipment in plain form."""
    stands = _stands(account, [change.target for change in wanted])
    outcomes: list[Outcome] = []
    for change in wanted:
        try:
            outcomes.append(_confirm(account, _wish(change), stands.get(change.target)))
        except TOLD as error:
            outcomes.append(error)
    return outcomes


def look_up(account: Account, wanted: Sequence[Change]) -> list[Outcome | None]:
    """Whether number and status are there already. Only reads."""
    stands = _stands(account, [change.target for change in wanted])
    found: list[Outcome | None] = []
    for change in wanted:
        wish, stand = _wish(change), stands.get(change.target)
        is_there = stand is not None and stand.has_number(wish) and stand.is_shipped(account)
        found.append(
            Receipt(evidence=_evidence(stand, wish), was_found=True) if is_there and stand is not None else None
        )
    return found


def _confirm(account: Account, wish: _Wish, stand: _Stand | None) -> Receipt:
    if stand is None:
        raise NotFound(f"The shop has no order number {wish.order_id} any more.", status=404)
    was_shipped = stand.is_shipped(account)
    if stand.has_number(wish) and was_shipped:
        return Receipt(evidence=_evidence(stand, wish), was_found=True)
    if not was_shipped and str(stand.order.current_state) in account.facts.cancelled_states:
        raise RequestRefused(
            f"Order {stand.order.reference} was cancelled or refunded in the shop, and was not set to shipped. If it left all "
            "the same, change its status in the back office of the shop.",
            status=409,
        )
    if not stand.has_number(wish):
        _give_number(account, wish, stand, sends_mail=was_shipped and account.settings.sends_customer_mails)
    if not was_shipped:
        _set_shipped(account, wish, stand)
    return Receipt(evidence=_evidence(stand, wish))


def _give_number(account: Account, wish: _Wish, stand: _Stand, *, sends_mail: bool) -> None:
    """To the first parcel without one; a further parcel gets a row of its own.

    The mail *package in transit* is only asked for where no mail of the status will follow.
    """
    carrier_id = _carrier_id(account, wish.carrier)
    free = next((parcel for parcel in stand.parcels if not _number(parcel)), None)
    values = {"tracking_number": wish.tracking_number} | ({"id_carrier": carrier_id} if carrier_id else {})
    if free is None:
        like = stand.parcels[0]
        row = {"id_order": wish.order_id, "id_carrier": str(like.id_carrier), **values}
        account.door.send(_request(account, ADD_PARCEL, row, sends_mail=sends_mail))
        stand.parcels.append(
            OrderCarrierRow(
                id="", id_order=wish.order_id, id_carrier=row["id_carrier"], tracking_number=wish.tracking_number
            )
        )
        return
    if can_patch(account, "order_carriers"):
        account.door.send(_request(account, PATCH_PARCEL, {"id": str(free.id), **values}, sends_mail=sends_mail))
    else:
        account.door.send(
            _request(account, PUT_PARCEL, _whole_parcel(account, str(free.id)) | values, sends_mail=sends_mail)
        )
    free.tracking_number = wish.tracking_number


def _set_shipped(account: Account, wish: _Wish, stand: _Stand) -> None:
    state = shipped_state(account)
    row = {"id_order": wish.order_id, "id_order_state": state}
    account.door.send(
        account.speech.writing(
            ADD_HISTORY,
            "order_histories",
            changes.body("order_history", [row]),
            sends_mail=account.settings.sends_customer_mails,
        )
    )
    stand.order.current_state = state
    stand.past_states.add(state)


def _request(account: Account, operation: Operation, row: dict[str, str], *, sends_mail: bool) -> Request:
    return account.speech.writing(
        operation, "order_carriers", changes.body("order_carrier", [row]), sends_mail=sends_mail
    )


def _whole_parcel(account: Account, row_id: str) -> dict[str, str]:
    """Every field as read: one left out would be zeroed."""
    request = account.speech.listing("order_carriers", display="full", filters={"id": one_of([row_id])})
    rows = account.read_sound(WHOLE_PARCELS, request)
    if not rows:
        raise NotFound(f"The parcel {row_id} has gone from the shop while it was being written.", status=404)
    return {name: "" if value is None else str(value) for name, value in msgspec.structs.asdict(rows[0]).items()}


def _carrier_id(account: Account, reference: str) -> str:
    """The carrier that stands behind a reference today: editing a carrier makes a new one and deletes the old."""
    if not reference.isdecimal() or reference == "0":
        return ""
    request = account.speech.listing(
        "carriers", display=fields("id", "id_reference", "deleted"), filters={"id_reference": one_of([reference])}
    )
    rows = account.once(f"carrier {reference}", lambda: account.read_sound(CARRIERS, request))
    alive = [str(row.id) for row in rows if str(row.deleted) != "1"]
    return alive[-1] if alive else ""


def _stands(account: Account, order_ids: Sequence[str]) -> dict[str, _Stand]:
    """The orders with their parcels and past statuses: three requests for all."""
    wanted = sorted({order_id for order_id in order_ids if order_id.isascii() and order_id.isdecimal()})
    if not wanted:
        return {}
    orders = account.speech.listing(
        "orders", display=fields("id", "current_state", "id_carrier", "reference"), filters={"id": one_of(wanted)}
    )
    parcels = account.speech.listing(
        "order_carriers",
        display=fields("id", "id_order", "id_carrier", "tracking_number"),
        filters={"id_order": one_of(wanted)},
    )
    histories = account.speech.listing(
        "order_histories", display=fields("id", "id_order", "id_order_state"), filters={"id_order": one_of(wanted)}
    )
    answers = account.door.stream((orders, parcels, histories))
    told = [next(answers) for _ in range(3)]
    stands = {str(row.id): _Stand(row) for row in ORDER_STANDS.sound(account.rows(ORDER_STANDS, orders, told[0]))}
    for parcel in ORDER_CARRIERS.sound(account.rows(ORDER_CARRIERS, parcels, told[1])):
        if str(parcel.id_order) in stands:
            stands[str(parcel.id_order)].parcels.append(parcel)
    for history in HISTORIES.sound(account.rows(HISTORIES, histories, told[2])):
        if str(history.id_order) in stands:
            stands[str(history.id_order)].past_states.add(str(history.id_order_state))
    return stands


def _wish(change: Change) -> _Wish:
    after = change.after if isinstance(change.after, dict) else {}
    carrier = str(after.get("carrier") or "")
    return _Wish(change.target, str(after.get("tracking_number") or "").strip(), "" if carrier in _NONE else carrier)


def _number(parcel: OrderCarrierRow) -> str:
    return str(parcel.tracking_number or "").strip()


def _evidence(stand: _Stand, wish: _Wish) -> Json:
    numbers: list[Json] = [_number(parcel) for parcel in stand.parcels if _number(parcel)]
    return {"order": wish.order_id, "status": str(stand.order.current_state), "tracking_numbers": numbers}
