"""Writes quantities: several rows in one request, then reads them back.

Rows before a refused one are saved and not rolled back, and the answer tells only the refusal: what was read back decides.
Quantities are absolute, so that sending one twice does no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec

from connectors.prestashop.client import changes
from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import FULL_STOCK, PATCH_STOCK, PUT_STOCK, one_of
from connectors.prestashop.client.rights import can_patch
from connectors.prestashop.client.rows import FullStockRow, StockRow
from connectors.prestashop.client.stock import among, rows_of, scope
from domain.errors import (
    AttentionError,
    NotFound,
    OutcomeUnknown,
    PlatformError,
    RemoteContractError,
    RequestRefused,
    TransientError,
    Withheld,
)
from engine.connector import Change, Json, Outcome, Receipt, Request

OPERATIONS = (PATCH_STOCK, PUT_STOCK)
BATCH = 25

_LARGEST = 2_147_483_647
TOLD = (RequestRefused, OutcomeUnknown, Withheld, TransientError, AttentionError)
"""Errors that are the outcome of a change. Others, such as a lost lease, end the whole execution."""


@dataclass(frozen=True, slots=True)
class _Wish:
    row: StockRow
    quantity: Decimal

    @property
    def row_id(self) -> str:
        return str(self.row.id)


def send(account: Account, wanted: Sequence[Change]) -> list[Outcome]:
    """Set quantities; one outcome each. ``target`` is an item (``12``, ``12-34``), ``after["quantity"]`` a whole number."""
    outcomes: dict[int, Outcome] = {}
    wishes: dict[int, _Wish] = {}
    for index, found in enumerate(_match(account, wanted)):
        if isinstance(found, PlatformError):
            outcomes[index] = found
        elif _quantity(found.row) == found.quantity:
            outcomes[index] = Receipt(evidence=_evidence(found.row), was_found=True)
        else:
            wishes[index] = found
    if wishes:
        outcomes |= _write(account, wishes)
    return [outcomes[index] for index in range(len(wanted))]


def look_up(account: Account, wanted: Sequence[Change]) -> list[Outcome | None]:
    """Whether the rows show the quantities wanted."""
    found: list[Outcome | None] = []
    for match in _match(account, wanted):
        is_there = isinstance(match, _Wish) and _quantity(match.row) == match.quantity
        found.append(
            Receipt(evidence=_evidence(match.row), was_found=True) if is_there and isinstance(match, _Wish) else None
        )
    return found


def _match(account: Account, wanted: Sequence[Change]) -> list[_Wish | PlatformError]:
    """The row of each item, checked: it must be the item's own, and one that can be written."""
    items = [_item(change.target) for change in wanted]
    rows = {_key(row): row for row in rows_of(account, [product for product, _ in items])}
    sums = among(account, {product for product, combination in items if combination == "0"})
    return [
        _wish(change, rows.get(item), is_sum=item[1] == "0" and item[0].isdecimal() and int(item[0]) in sums)
        for change, item in zip(wanted, items, strict=True)
    ]


def _wish(change: Change, row: StockRow | None, *, is_sum: bool) -> _Wish | PlatformError:
    text = change.after.get("quantity") if isinstance(change.after, dict) else None
    try:
        quantity = Decimal(str(text))
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or quantity != quantity.to_integral_value() or abs(quantity) > _LARGEST:
        return RequestRefused(
            f"PrestaShop keeps whole quantities only, and {text} is none. Round the stock of item {change.target}.",
            status=400,
        )
    if is_sum:
        return RequestRefused(
            f"Product {change.target} is sold in combinations: its own quantity is only their sum. Link each combination to "
            "an item of its own.",
            status=400,
        )
    if row is None:
        return NotFound(
            f"The shop keeps no stock for item {change.target}, and it cannot be created from outside. Open the product in "
            "the back office of this shop and save its quantity once.",
            status=404,
        )
    if str(row.depends_on_stock) == "1":
        return RequestRefused(
            f"The stock of item {change.target} is kept by PrestaShop's advanced stock management, which refuses changes from "
            "outside. Switch it off for the product in the back office of the shop.",
            status=400,
            remote_code="133",
        )
    return _Wish(row, quantity)


def _write(account: Account, wishes: Mapping[int, _Wish]) -> dict[int, Outcome]:
    """All in one request; where that is refused, those not saved one by one, to learn which one it was."""
    failure = _attempt(account, list(wishes.values()))
    if isinstance(failure, Withheld | AttentionError | TransientError):
        return dict.fromkeys(wishes, failure)
    outcomes = _read_back(account, wishes, failure)
    if not isinstance(failure, RequestRefused) or len(wishes) == 1:
        return outcomes
    for index, wish in wishes.items():
        if outcomes[index] is failure:
            outcomes |= _write(account, {index: wish})
    return outcomes


def _attempt(account: Account, wishes: Sequence[_Wish]) -> PlatformError | None:
    try:
        account.door.send(_request(account, wishes))
    except TOLD as error:
        return error
    return None


def _read_back(account: Account, wishes: Mapping[int, _Wish], failure: PlatformError | None) -> dict[int, Outcome]:
    """What the rows show now. After a success a sale may have lowered one already: it was written all the same."""
    try:
        rows = {_key(row): row for row in rows_of(account, [str(wish.row.id_product) for wish in wishes.values()])}
    except (*TOLD, RemoteContractError) as error:
        if failure is None:
            return {
                index: Receipt(
                    evidence={"row": wish.row_id, "written": str(wish.quantity), "not_read_back": error.code}
                )
                for index, wish in wishes.items()
            }
        return dict.fromkeys(wishes, failure)
    outcomes: dict[int, Outcome] = {}
    for index, wish in wishes.items():
        row = rows.get(_key(wish.row))
        if failure is None:
            outcomes[index] = Receipt(evidence=_evidence(row or wish.row))
        elif row is not None and _quantity(row) == wish.quantity:
            outcomes[index] = Receipt(evidence=_evidence(row))
        else:
            outcomes[index] = failure
    return outcomes


def _request(account: Account, wishes: Sequence[_Wish]) -> Request:
    if can_patch(account, "stock_availables"):
        fields = [{"id": wish.row_id, "quantity": str(int(wish.quantity))} for wish in wishes]
        return account.speech.writing(PATCH_STOCK, "stock_availables", changes.body("stock_available", fields))
    whole = _whole_rows(account, wishes)
    return account.speech.writing(PUT_STOCK, "stock_availables", changes.body("stock_available", whole))


def _whole_rows(account: Account, wishes: Sequence[_Wish]) -> list[dict[str, str]]:
    """Every field exactly as read: one left out would be emptied, and a row without its shop is lost to the shop."""
    request = account.speech.listing(
        "stock_availables", display="full", filters={**scope(account), "id": one_of([wish.row_id for wish in wishes])}
    )
    rows = {str(row.id): row for row in account.read_sound(FULL_STOCK, request)}
    return [_whole_row(rows.get(wish.row_id), wish) for wish in wishes]


def _whole_row(row: FullStockRow | None, wish: _Wish) -> dict[str, str]:
    if row is None:
        raise NotFound(f"The stock row {wish.row_id} has gone from the shop while it was being written.", status=404)
    values = {name: "" if value is None else str(value) for name, value in msgspec.structs.asdict(row).items()}
    if row.location is msgspec.UNSET:  # before 1.7.5 rows have no location
        del values["location"]
    return values | {"quantity": str(int(wish.quantity))}


def _item(target: str) -> tuple[str, str]:
    product, _, combination = target.partition("-")
    return product, combination or "0"


def _key(row: StockRow) -> tuple[str, str]:
    return str(row.id_product), str(row.id_product_attribute or "0")


def _quantity(row: StockRow) -> Decimal | None:
    try:
        return Decimal(str(row.quantity))
    except InvalidOperation:
        return None


def _evidence(row: StockRow) -> Json:
    return {"row": str(row.id), "quantity": str(row.quantity)}
