"""Reads products with their combinations."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain
from typing import Any

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import (
    COMBINATION_PAIRS,
    COMBINATIONS,
    PRODUCTS,
    between,
    chunks,
    fields,
    one_of,
)
from connectors.prestashop.client.finding import find_by_reference
from connectors.prestashop.client.labels import labels
from connectors.prestashop.client.paging import Batch, Listing, bare, changes, count_ids, lazily, spans, sweep
from connectors.prestashop.client.rows import Broken, CombinationRow, ProductRaw, ProductRow
from connectors.prestashop.client.tables import ids
from domain.errors import UnexpectedFormat
from engine.connector import Answer, Page, Reading, Request

_EDITION = b"1"
"""Part of every digest: raised when the mapping changes, so that unchanged pages are mapped anew."""

_PLAIN = (
    "id",
    "id_manufacturer",
    "id_supplier",
    "id_default_image",
    "reference",
    "weight",
    "ean13",
    "upc",
    "is_virtual",
)
_REST = ("price", "wholesale_price", "active", "name", "images[id]")


def census(account: Account) -> Iterator[Sequence[str]]:
    """The ids of all products, drafts too."""
    return count_ids(account, "products")


def pages(account: Account, reading: Reading) -> Generator[Page, None, None]:
    """Products, each with all its combinations: everything by id, or what changed.

    A change to a combination alone does not date its product anew, so only a full reading sees it.
    """
    if reading.census is None:
        for batch in changes(account, reading, partial(listing_of, is_dated=True)):
            rows = batch.rows()
            yield _page(account, batch, combinations_of(account, ids(rows))) if rows else bare(batch)
        return
    yield from _everything(account, reading)


def by_id(account: Account, remote_ids: Sequence[str]) -> Page:
    """These products, as far as they exist. Ids of combinations (``12-34``) stand for their product."""
    wanted = sorted({remote_id.partition("-")[0] for remote_id in remote_ids}, key=lambda text: (len(text), text))
    listing = listing_of(account, is_dated=False)
    requests = [
        listing.request(account, id=one_of(portion))
        for portion in chunks([name for name in wanted if name.isdecimal()])
    ]
    answers = list(account.door.stream(requests))
    rows = [
        row
        for request, answer in zip(requests, answers, strict=True)
        for row in account.rows(PRODUCTS, request, answer)
    ]
    body = b"".join(answer.body for answer in answers)
    return _page(account, Batch(lambda: rows, body, position=None), combinations_of(account, ids(rows)))


def find(account: Account, text: str) -> Sequence[str]:
    """The ids of the products a person means by a SKU, of a product or of a combination, or by an id."""
    wanted = text.strip()
    found = find_by_reference(account, "products", wanted)
    if has_combinations(account):
        found += [product for product, _ in find_by_reference_of_combination(account, wanted)]
    if not found and wanted.partition("-")[0].isdecimal():
        found = [wanted.partition("-")[0]]
    return list(dict.fromkeys(found))


def find_by_reference_of_combination(account: Account, text: str) -> list[tuple[str, str]]:
    """Product and combination ids of the combinations with this SKU."""
    found = find_by_reference(account, "combinations", text)
    if not found:
        return []
    request = account.speech.listing("combinations", display=fields("id", "id_product"), filters={"id": one_of(found)})
    return [(str(row.id_product), str(row.id)) for row in account.read_sound(COMBINATION_PAIRS, request)]


def listing_of(account: Account, *, is_dated: bool) -> Listing[ProductRow]:
    """The fields that are read, by version: ``state`` and ``isbn`` came with 1.7, combinations in packs too."""
    is_modern = account.outlook.version >= (1, 7)
    names = [*_PLAIN, *(("state", "isbn") if is_modern else ()), *_REST]
    names.append("product_bundle[id,id_product_attribute,quantity]" if is_modern else "product_bundle[id,quantity]")
    if account.settings.reads_descriptions:
        names.append("description")
    if is_dated:
        names.append("date_upd")
    return Listing(PRODUCTS, fields(*names), {}, is_translated=True)


def has_combinations(account: Account) -> bool:
    """Whether the shop has any combination at all; read once."""

    def probe() -> bool:
        request = account.speech.listing("combinations", display=fields("id", "id_product"), limit=1)
        return bool(account.read_sound(COMBINATION_PAIRS, request))

    return account.once("has_combinations", probe)


def combinations_of(account: Account, products: Sequence[str]) -> "_Combinations":
    """The combinations of these products."""
    wanted = [name for name in products if name.isdecimal()]
    if not wanted or not has_combinations(account):
        return _Combinations(account, (), ())
    requests = [_combinations(account, one_of(portion)) for portion in chunks(wanted)]
    return _Combinations(account, requests, list(account.door.stream(requests)))


def _everything(account: Account, reading: Reading) -> Generator[Page, None, None]:
    listing = listing_of(account, is_dated=False)
    if not has_combinations(account):
        for batch in sweep(account, reading, listing):
            yield _page(account, batch, _Combinations(account, (), ()))
        return
    stretches = spans(reading)
    products = [listing.request(account, id=between(*span)) for span in stretches]
    combinations = [_combinations(account, between(*span)) for span in stretches]
    answers = account.door.stream(chain.from_iterable(zip(products, combinations, strict=True)))
    for span, asked, asked_combinations in zip(stretches, products, combinations, strict=True):
        answer, more = next(answers), next(answers)
        batch = Batch(lazily(account, listing, asked, answer, span), answer.body, position=span[1])
        yield _page(account, batch, _Combinations(account, (asked_combinations,), (more,), span))
    last = stretches[-1][1] if stretches else reading.position
    rest = Reading(page_size=reading.page_size, position=last)
    for batch in sweep(account, rest, listing):
        yield _page(account, batch, combinations_of(account, ids(batch.rows())))


def _combinations(account: Account, products: str) -> Request:
    # the values of a combination cannot be chosen in ``display``: it has to be full
    return account.speech.listing(
        "combinations",
        display="full",
        filters={"id_product": products},
        sort="[id_product_ASC,id_ASC]",
        is_translated=True,
    )


@dataclass(frozen=True, slots=True)
class _Combinations:
    """The combinations belonging to a page of products, not decoded yet."""

    account: Account
    requests: Sequence[Request]
    answers: Sequence[Answer]
    span: tuple[int, int] | None = None

    def by_product(self) -> dict[str, list[CombinationRow | Broken]]:
        found: dict[str, dict[str, CombinationRow | Broken]] = {}
        for request, answer in zip(self.requests, self.answers, strict=True):
            for row in self.account.rows(COMBINATIONS, request, answer):
                product = row.parent if isinstance(row, Broken) else str(row.id_product)
                if not product:
                    raise UnexpectedFormat(
                        f"The shop's list of combinations holds a row, {row.id}, that cannot be read."
                    )
                found.setdefault(product, {})[str(row.id)] = row
        return {product: [row for _, row in sorted(rows.items(), key=_by_number)] for product, rows in found.items()}


def _by_number(item: tuple[str, object]) -> tuple[int, str]:
    return len(item[0]), item[0]


def _page(account: Account, batch: Batch[ProductRow], combinations: _Combinations) -> Page:
    def raws() -> list[Any]:
        rows = batch.rows()
        found = combinations.by_product()
        return [row if isinstance(row, Broken) else ProductRaw(row, found.get(str(row.id), [])) for row in rows]

    seed = _EDITION + account.currency.encode() + account.facts.weight_unit.encode() + account.speech.language.encode()
    digest = blake2b(seed, digest_size=16)
    if combinations.answers:
        digest.update(labels(account).digest)
    for body in (batch.body, *(answer.body for answer in combinations.answers)):
        digest.update(len(body).to_bytes(8, "big"))
        digest.update(body)
    return Page(raws=raws, digest=digest.digest(), position=batch.position, mark=batch.mark)
