"""Reads suppliers and what they supply."""

from collections.abc import Generator, Iterator, Sequence
from hashlib import blake2b

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import PRODUCT_SUPPLIERS, SUPPLIERS, chunks, fields, one_of
from connectors.prestashop.client.finding import is_plain
from connectors.prestashop.client.orders import know_currencies
from connectors.prestashop.client.paging import Batch, Listing, Row, changes, count_ids, sweep
from connectors.prestashop.client.rows import Broken, ProductSupplierRow, SupplierRow
from domain.records import fold
from engine.connector import Page, Reading

_EDITION = b"1"
_SUPPLIERS: Listing[SupplierRow] = Listing(SUPPLIERS, fields("id", "name", "active", "date_upd"), {})
_LINKS: Listing[ProductSupplierRow] = Listing(
    PRODUCT_SUPPLIERS,
    fields(
        *("id", "id_product", "id_product_attribute", "id_supplier", "id_currency"),
        *("product_supplier_reference", "product_supplier_price_te"),
    ),
    {},
)


def census(account: Account) -> Iterator[Sequence[str]]:
    """The ids of all suppliers."""
    return count_ids(account, "suppliers")


def pages(account: Account, reading: Reading) -> Generator[Page, None, None]:
    """Suppliers: all by id, or what changed."""
    found = sweep(account, reading, _SUPPLIERS) if reading.census is not None else None
    for batch in found or changes(account, reading, lambda _: _SUPPLIERS):
        yield _page(batch)


def by_id(account: Account, remote_ids: Sequence[str]) -> Page:
    """These suppliers, as far as they exist."""
    return _page(_chosen(account, _SUPPLIERS, remote_ids))


def links_census(account: Account) -> Iterator[Sequence[str]]:
    """The ids of all links between products and suppliers."""
    return count_ids(account, "product_suppliers")


def links_pages(account: Account, reading: Reading) -> Generator[Page, None, None]:
    """All links, by id; they have no dates."""
    for batch in sweep(account, reading, _LINKS):
        yield _links_page(account, batch)


def links_by_id(account: Account, remote_ids: Sequence[str]) -> Page:
    """These links, as far as they exist."""
    return _links_page(account, _chosen(account, _LINKS, remote_ids))


def find(account: Account, text: str) -> Sequence[str]:
    """The ids of the suppliers a person means by a name or an id."""
    wanted = text.strip()
    found = []
    if is_plain(wanted):
        rows = account.read(SUPPLIERS, _SUPPLIERS.request(account, name=wanted))
        found = [
            str(row.id) for row in rows if not isinstance(row, Broken) and fold(str(row.name or "")) == fold(wanted)
        ]
    return found or ([wanted] if wanted.isascii() and wanted.isdecimal() else [])


def find_links(account: Account, text: str) -> Sequence[str]:
    """The ids of the links a person means by a product's id, or by a supplier's reference."""
    wanted = text.strip()
    if not is_plain(wanted):
        return []
    is_product = wanted.isascii() and wanted.isdecimal()
    request = (
        _LINKS.request(account, id_product=wanted)
        if is_product
        else _LINKS.request(account, product_supplier_reference=wanted)
    )
    rows = account.read(PRODUCT_SUPPLIERS, request)
    return [str(row.id) for row in rows]


def _chosen(account: Account, listing: Listing[Row], remote_ids: Sequence[str]) -> Batch[Row]:
    wanted = [remote_id for remote_id in remote_ids if remote_id.isascii() and remote_id.isdecimal()]
    requests = [listing.request(account, id=one_of(portion)) for portion in chunks(wanted)]
    answers = list(account.door.stream(requests))
    rows = [
        row
        for request, answer in zip(requests, answers, strict=True)
        for row in account.rows(listing.table, request, answer)
    ]
    return Batch(lambda: rows, b"".join(answer.body for answer in answers), position=None)


def _page(batch: Batch[Row], seed: bytes = b"") -> Page:
    digest = blake2b(_EDITION + seed, digest_size=16)
    digest.update(batch.body)
    return Page(raws=batch.rows, digest=digest.digest(), position=batch.position, mark=batch.mark)


def _links_page(account: Account, batch: Batch[ProductSupplierRow]) -> Page:
    def raws() -> list[ProductSupplierRow | Broken]:
        rows = batch.rows()
        know_currencies(account, {row.id_currency for row in rows if not isinstance(row, Broken)})
        return rows

    page = _page(batch, account.currency.encode())
    return Page(raws=raws, digest=page.digest, position=page.position, mark=page.mark)
