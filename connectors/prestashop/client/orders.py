"""Reads orders with all they point to, a page at a time and in bulk: some ten requests at first, then two or three a page."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import (
    ADDRESSES,
    CARRIERS,
    COUNTRIES,
    CURRENCIES,
    CUSTOMERS,
    LANGUAGES,
    ORDERS,
    PAYMENTS,
    REGIONS,
    STATES,
    chunks,
    fields,
    one_of,
)
from connectors.prestashop.client.directory import Directory, fill, name_place
from connectors.prestashop.client.finding import find_by_reference, is_plain
from connectors.prestashop.client.paging import Batch, Listing, bare, changes, count_ids, sweep
from connectors.prestashop.client.rows import (
    AddressRow,
    Broken,
    CarrierRow,
    CodeRow,
    CustomerRow,
    OrderRaw,
    OrderRow,
    PaymentRow,
    StateRow,
)
from engine.connector import Page, Reading

_EDITION = b"1"
_CODES = fields("id", "iso_code")
_LISTING: Listing[OrderRow] = Listing(ORDERS, "full", {})  # associations such as order_rows come with full only


def census(account: Account) -> Iterator[Sequence[str]]:
    """The ids of all orders."""
    return count_ids(account, "orders")


def pages(account: Account, reading: Reading) -> Generator[Page, None, None]:
    """Orders: all by id, those changed, or those placed in a window. Without news it costs one request.

    A tracking number, a payment or an edited address does not date an order anew.
    """
    found = sweep(account, reading, _LISTING) if reading.census is not None else None
    for batch in found or changes(account, reading, lambda _: _LISTING, placed="date_add"):
        yield _page(account, batch) if batch.rows() or reading.census is not None else bare(batch)


def by_id(account: Account, remote_ids: Sequence[str]) -> Page:
    """These orders, as far as they exist."""
    wanted = [remote_id for remote_id in remote_ids if remote_id.isascii() and remote_id.isdecimal()]
    rows = [
        row for portion in chunks(wanted) for row in account.read(ORDERS, _LISTING.request(account, id=one_of(portion)))
    ]
    return _page(account, Batch(lambda: rows, b"", position=None))


def find(account: Account, text: str) -> Sequence[str]:
    """The ids of the orders a person means by a reference, which several may share, or by an id."""
    wanted = text.strip().removeprefix("#")
    found = find_by_reference(account, "orders", wanted)
    return found or ([wanted] if wanted.isascii() and wanted.isdecimal() else [])


def states(account: Account) -> dict[str, StateRow]:
    """The shop's order states by id, deleted ones too; read once."""

    def read() -> dict[str, StateRow]:
        request = account.speech.listing(
            "order_states", display=fields("id", "name", "paid", "shipped", "deleted"), is_translated=True
        )
        return {str(row.id): row for row in account.read(STATES, request) if not isinstance(row, Broken)}

    return account.once("states", read)


@dataclass(eq=False)
class _Links:
    """What orders point to, kept for the execution."""

    customers: Directory[CustomerRow] = field(
        default_factory=lambda: Directory(
            CUSTOMERS, display=fields("id", "email", "firstname", "lastname", "company", "id_lang", "is_guest")
        )
    )
    addresses: Directory[AddressRow] = field(
        default_factory=lambda: Directory(
            ADDRESSES,
            display=fields(
                *("id", "id_country", "id_state", "company", "firstname", "lastname", "vat_number"),
                *("address1", "address2", "postcode", "city", "other", "phone", "phone_mobile"),
            ),
        )
    )
    carriers: Directory[CarrierRow] = field(
        default_factory=lambda: Directory(CARRIERS, display=fields("id", "id_reference", "name", "deleted"))
    )
    currencies: Directory[CodeRow] = field(default_factory=lambda: Directory(CURRENCIES, display=_CODES))
    languages: Directory[CodeRow] = field(default_factory=lambda: Directory(LANGUAGES, display=_CODES))
    countries: Directory[CodeRow] = field(default_factory=lambda: Directory(COUNTRIES, display=_CODES))
    regions: Directory[CodeRow] = field(default_factory=lambda: Directory(REGIONS, display=_CODES))


def currency_code(account: Account, remote_id: str) -> str:
    """The ISO code of a currency, empty where there is none; 0 is the shop's own."""
    if not remote_id:
        return account.currency
    links = _links(account)
    fill(account, (links.currencies, [remote_id]))
    return _code(links.currencies, remote_id)


def know_currencies(account: Account, remote_ids: Iterable[object]) -> None:
    """Read these currencies at once."""
    fill(account, (_links(account).currencies, remote_ids))


def _links(account: Account) -> _Links:
    return account.once("links", _Links)


def _page(account: Account, batch: Batch[OrderRow]) -> Page:
    rows = batch.rows()
    raws = _complete(account, rows)
    digest = blake2b(_EDITION + account.facts.time_zone.encode(), digest_size=16)
    digest.update(msgspec.json.encode(raws))  # not the answers: what an earlier page brought is not asked for again
    return Page(raws=lambda: raws, digest=digest.digest(), position=batch.position, mark=batch.mark)


def _complete(account: Account, rows: Sequence[OrderRow | Broken]) -> list[Any]:
    sound = [row for row in rows if not isinstance(row, Broken)]
    if not sound:
        return list(rows)
    links = _links(account)
    payments = _payments(account, sound)
    fill(
        account,
        (links.customers, (row.id_customer for row in sound)),
        (links.addresses, (name for row in sound for name in (row.id_address_delivery, row.id_address_invoice))),
        (links.carriers, (row.id_carrier for row in sound)),
        (links.currencies, {*(row.id_currency for row in sound), *(row.id_currency for row in payments)}),
        (links.languages, (row.id_lang for row in sound)),
    )
    addresses = [
        links.addresses.get(name) for row in sound for name in (row.id_address_delivery, row.id_address_invoice)
    ]
    known = [address for address in addresses if address is not None]
    fill(
        account,
        (links.countries, {address.id_country for address in known}),
        (links.regions, {address.id_state for address in known}),
        (
            links.languages,
            {found.id_lang for row in sound if (found := links.customers.get(row.id_customer)) is not None},
        ),
    )
    of_shop = states(account)
    return [row if isinstance(row, Broken) else _raw(row, links, payments, of_shop) for row in rows]


def _raw(row: OrderRow, links: _Links, payments: "_Payments", of_shop: dict[str, StateRow]) -> OrderRaw | Broken:
    broken = (
        links.customers.broken(row.id_customer)
        or links.addresses.broken(row.id_address_delivery)
        or links.addresses.broken(row.id_address_invoice)
        or links.carriers.broken(row.id_carrier)
        or payments.broken.get(str(row.reference or ""))
    )
    if broken is not None:
        return Broken(str(row.id), str(row.reference or "")[:120], broken.field, broken.message)
    customer = links.customers.get(row.id_customer)
    delivery = links.addresses.get(row.id_address_delivery)
    billing = links.addresses.get(row.id_address_invoice)
    return OrderRaw(
        row=row,
        currency=_code(links.currencies, row.id_currency),
        state=of_shop.get(str(row.current_state)),
        customer=customer,
        customer_language=_code(links.languages, row.id_lang if customer is None else customer.id_lang).lower(),
        delivery=delivery,
        delivery_country=_code(links.countries, delivery.id_country if delivery is not None else None),
        delivery_region=_code(links.regions, delivery.id_state if delivery is not None else None),
        billing=billing,
        billing_country=_code(links.countries, billing.id_country if billing is not None else None),
        billing_region=_code(links.regions, billing.id_state if billing is not None else None),
        carrier=links.carriers.get(row.id_carrier),
        payments=[
            (payment, _code(links.currencies, payment.id_currency))
            for payment in payments.rows.get(str(row.reference or ""), ())
        ],
    )


def _code(directory: Directory[CodeRow], remote_id: object) -> str:
    found = directory.get(remote_id)
    return str(found.iso_code or "").strip().upper() if found is not None else ""


@dataclass(frozen=True, slots=True)
class _Payments:
    """Payments by the reference of their order."""

    rows: dict[str, list[PaymentRow]] = field(default_factory=dict)
    broken: dict[str, Broken] = field(default_factory=dict)

    def __iter__(self) -> Iterator[PaymentRow]:
        return (payment for found in self.rows.values() for payment in found)


def _payments(account: Account, rows: Sequence[OrderRow]) -> _Payments:
    """By the order's reference: payments know no id of an order."""
    references = sorted({str(row.reference) for row in rows if row.reference})
    plain = [reference for reference in references if is_plain(reference)]
    requests = [
        account.speech.listing(
            "order_payments",
            display=fields(
                *("id", "order_reference", "id_currency", "amount", "payment_method", "transaction_id", "date_add")
            ),
            filters={"order_reference": one_of(portion)},
        )
        for portion in chunks(plain)
    ]
    found = _Payments()
    for request, answer in zip(requests, account.door.stream(requests), strict=True):
        for row in account.rows(PAYMENTS, request, answer):
            if isinstance(row, Broken):
                found.broken[row.parent] = name_place(row, "order_payments")
            else:
                found.rows.setdefault(str(row.order_reference), []).append(row)
    return found
