"""The connection test: what works, what is missing and which box to tick, and what the shop has that can be mapped."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from connectors.prestashop.client.account import Account, open_account, server_time
from connectors.prestashop.client.dialect import CARRIERS, PAYMENT_METHODS, SHOPS, Speech, fields
from connectors.prestashop.client.orders import states
from connectors.prestashop.client.rights import Rights, read_rights
from connectors.prestashop.client.rows import Broken, StateRow
from connectors.prestashop.settings import PrestaShopSettings
from domain import clock
from domain.errors import (
    AttentionError,
    PermissionMissing,
    PlatformError,
    RemoteContractError,
    RequestRefused,
    TransientError,
)
from engine.connector import Check, Choice, Door, Format, Probe

_ALWAYS = (("configurations", "get"), ("currencies", "get"), ("languages", "get"))
_NEEDS: dict[str, tuple[tuple[str, str], ...]] = {
    "products": (
        *(("products", "get"), ("combinations", "get"), ("product_options", "get"), ("product_option_values", "get")),
    ),
    "images": (("images", "get"),),
    "orders": (
        *(("orders", "get"), ("order_states", "get"), ("order_payments", "get"), ("customers", "get")),
        *(("addresses", "get"), ("countries", "get"), ("states", "get"), ("carriers", "get")),
    ),
    "stock levels": (("stock_availables", "get"),),
    "suppliers": (("suppliers", "get"), ("product_suppliers", "get")),
}
_WRITES: dict[str, tuple[tuple[str, str], ...]] = {
    "stock levels": (("stock_availables", "put"),),
    "shipments": (
        *(("order_carriers", "get"), ("order_carriers", "put"), ("order_carriers", "post")),
        *(("order_histories", "get"), ("order_histories", "post")),
    ),
}
_BOXES = {
    "get": "View (GET)",
    "put": "Modify (PUT)",
    "post": "Add (POST)",
    "patch": "Patch (PATCH)",
}
_CLOCK_TOLERANCE = timedelta(minutes=2)
_RECENT = 500
_TOLD = (AttentionError, TransientError, RemoteContractError, RequestRefused)


def probe(door: Door, settings: PrestaShopSettings) -> Probe:
    """Try everything that is needed, in the order in which it can fail. Never raises what a shop can do wrong."""
    speech = Speech(answers=Format(settings.format.value), shop_id=settings.shop_id)
    try:
        found = read_rights(door, speech)
    except _TOLD as error:
        return Probe(title="", version="", checks=(_failed("Connection", error, is_needed=True),))
    version = found.answer.headers.get("psws-version", "")
    server = server_time(found.answer)
    offset = None if server is None else server - clock.now()
    checks = [
        Check(
            "Connection", True, f"The shop '{found.shop_name}' answers; PrestaShop {version or 'of unknown version'}."
        ),
        *_check_clock(offset),
        *_check_rights(found),
    ]
    account = open_account(door, settings)
    try:
        checks.append(Check("Time zone", True, f"The shop lives in {account.facts.time_zone}."))
    except _TOLD as error:
        return Probe(
            found.shop_name,
            version,
            (*checks, _failed("Settings of the shop", error, is_needed=True)),
            clock_offset=offset,
        )
    statuses = _attempt(checks, "Order statuses", lambda: _statuses(account))
    carriers = _attempt(checks, "Shipping methods", lambda: _carriers(account))
    methods = _attempt(checks, "Payment methods", lambda: _payment_methods(account))
    checks += _check_shops(account, found)
    return Probe(
        title=found.shop_name,
        version=version,
        checks=tuple(checks),
        time_zone=account.facts.time_zone,
        clock_offset=offset,
        statuses=statuses,
        shipping_methods=carriers,
        payment_methods=methods,
    )


def advice(state_id: str, row: StateRow, account: Account) -> str:
    """What to do with orders in a status, from its flags and from the statuses PrestaShop itself names.

    An order refunded in full must not be sent any more. A payment error may still be paid, and cash on delivery is never paid
    before it is sent.
    """
    named = account.facts.states
    if state_id in account.facts.cancelled_states:
        return "cancel"
    if state_id == named["PS_OS_ERROR"]:
        return "wait"
    if str(row.shipped) == "1":
        return "shipped"
    if str(row.paid) == "1" or state_id == named["PS_OS_COD_VALIDATION"]:
        return "import"
    return "wait"


def _check_clock(offset: timedelta | None) -> Iterator[Check]:
    if offset is None:
        yield Check("Clock", True, "The shop does not tell its time.")
        return
    seconds = round(offset.total_seconds())
    side = "ahead of" if seconds > 0 else "behind"
    if abs(offset) <= _CLOCK_TOLERANCE:
        yield Check("Clock", True, f"The shop's clock agrees with ours ({abs(seconds)} s {side} it).")
    else:
        yield Check(
            "Clock",
            False,
            f"The shop's clock is {abs(seconds)} seconds {side} ours.",
            "Ask the host of the shop to set its clock; changes are read by the shop's own clock until then.",
        )


def _check_rights(found: Rights) -> Iterator[Check]:
    """One line for each right that is missing, in the words of the page where it is given; one line where none is."""
    can_patch = any("patch" in methods for methods in found.methods.values())
    missing = 0
    for purpose, needs, what in (
        *((name, (*_ALWAYS, *needs), "read") for name, needs in _NEEDS.items()),
        *((name, needs, "written") for name, needs in _WRITES.items()),
    ):
        for resource, method in needs:
            if found.allows(resource, method) or (method == "put" and found.allows(resource, "patch")):
                continue
            missing += 1
            box = f"{_BOXES['patch']} or {_BOXES['put']}" if method == "put" and can_patch else _BOXES[method]
            yield Check(
                f"Right: {resource} {method.upper()}",
                False,
                f"{purpose.capitalize()} cannot be {what}: the key lacks a right on '{resource}'.",
                f"In Advanced Parameters > Webservice, open the key and tick '{box}' in the line '{resource}'.",
            )
    if not missing:
        yield Check("Rights", True, "The key has every right that is needed, to read and to write.")


def _check_shops(account: Account, found: Rights) -> Iterator[Check]:
    if account.settings.shop_id is not None or not found.allows("shops", "get"):
        return
    request = account.speech.listing("shops", display=fields("id", "name", "active", "deleted"))
    rows = [row for row in account.read(SHOPS, request) if not isinstance(row, Broken)]
    shops = [f"{row.name} ({row.id})" for row in rows if str(row.deleted) != "1"]
    if len(shops) > 1:
        yield Check(
            "Shop",
            False,
            f"This PrestaShop holds several shops: {', '.join(shops)[:300]}.",
            "Enter the number of the shop; connect each shop as an integration of its own.",
        )


def _statuses(account: Account) -> tuple[Choice, ...]:
    return tuple(
        Choice(state_id, str(row.name or ""), advice(state_id, row, account))
        for state_id, row in states(account).items()
    )


def _carriers(account: Account) -> tuple[Choice, ...]:
    """By reference: what orders are told by. Carriers that were replaced or deleted are not offered."""
    request = account.speech.listing("carriers", display=fields("id", "id_reference", "name", "deleted", "active"))
    found: dict[str, str] = {}
    for row in account.read(CARRIERS, request):
        if not isinstance(row, Broken) and str(row.deleted) != "1":
            name = account.facts.name if str(row.name) == "0" else str(row.name or "")
            found[str(row.id_reference or row.id)] = name if str(row.active) == "1" else f"{name} (switched off)"
    return tuple(Choice(value, label) for value, label in found.items())


def _payment_methods(account: Account) -> tuple[Choice, ...]:
    """Those of the last orders: the shop has no list of them."""
    request = account.speech.listing(
        "orders", display=fields("id", "module", "payment"), sort="[id_DESC]", limit=_RECENT
    )
    found: dict[str, str] = {}
    for row in account.read(PAYMENT_METHODS, request):
        if not isinstance(row, Broken):
            found.setdefault(str(row.module or row.payment or ""), str(row.payment or row.module or ""))
    return tuple(Choice(value, label) for value, label in sorted(found.items()) if value)


def _attempt(checks: list[Check], name: str, read: Callable[[], tuple[Choice, ...]]) -> tuple[Choice, ...]:
    try:
        found = read()
    except PermissionMissing:
        return ()  # told already, right by right
    except _TOLD as error:
        checks.append(_failed(name, error))
        return ()
    checks.append(Check(name, True, f"{len(found)} found."))
    return found


def _failed(name: str, error: PlatformError, *, is_needed: bool = False) -> Check:
    remedy = (
        error.remedy if isinstance(error, AttentionError) else "Try again; if it goes on, ask the host of the shop."
    )
    return Check(name, False, error.message, remedy, is_needed)
