"""Reads stock rows of one shop.

Lists of ``stock_availables`` hold the rows of every shop, whatever ``id_shop`` says: they are always filtered. The row of a
product that has combinations is the sum of theirs, and is left out.
"""

from array import array
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.catalogue import find_by_reference_of_combination, has_combinations
from connectors.prestashop.client.dialect import (
    COMBINATION_PAIRS,
    LIST_LIMIT,
    SHOP_GROUPS,
    SHOPS,
    STOCK,
    STOCK_PAIRS,
    above,
    chunks,
    fields,
    one_of,
)
from connectors.prestashop.client.finding import find_by_reference
from connectors.prestashop.client.paging import Batch, Listing, check_order, sweep
from connectors.prestashop.client.rows import Broken, StockRow
from engine.connector import Page, Reading

_EDITION = b"1"
_FIELDS = fields("id", "id_product", "id_product_attribute", "quantity", "depends_on_stock", "id_shop", "id_shop_group")


def scope(account: Account) -> Mapping[str, str]:
    """The filter for the rows that count in the shop: its own, or those of its group where the group shares its stock."""
    return account.once("stock_scope", lambda: _read_scope(account))


def census(account: Account) -> Iterator[Sequence[str]]:
    """The ids of the rows that count, sums left out."""
    sums = all_sums(account).products
    last = 0
    while True:
        request = account.speech.listing(
            "stock_availables",
            display=fields("id", "id_product", "id_product_attribute"),
            filters={**scope(account), "id": above(last)},
            limit=LIST_LIMIT,
        )
        rows = account.read_sound(STOCK_PAIRS, request)
        last = check_order("stock_availables", rows, after=last)
        yield [str(row.id) for row in rows if not _is_sum(row.id_product, row.id_product_attribute, sums)]
        if len(rows) < LIST_LIMIT:
            return


def pages(account: Account, reading: Reading) -> Generator[Page, None, None]:
    """All rows, by id. Stock rows have no dates: there is no such thing as what changed."""
    for batch in sweep(account, reading, listing_of(account)):
        yield _page(batch, all_sums(account))


def by_id(account: Account, remote_ids: Sequence[str]) -> Page:
    """These rows, as far as they exist in this shop."""
    wanted = [remote_id for remote_id in remote_ids if remote_id.isascii() and remote_id.isdecimal()]
    listing = listing_of(account)
    rows = [
        row for portion in chunks(wanted) for row in account.read(STOCK, listing.request(account, id=one_of(portion)))
    ]
    products = {str(row.id_product) for row in rows if not isinstance(row, Broken)}
    return _page(Batch(lambda: rows, msgspec.json.encode(rows), None), Sums(among(account, products), b""))


def find(account: Account, text: str) -> Sequence[str]:
    """The ids of the rows of the items a person means by a SKU or an item id such as ``12-34``."""
    wanted = text.strip()
    items = [(product, "0") for product in find_by_reference(account, "products", wanted)]
    if has_combinations(account):
        items += find_by_reference_of_combination(account, wanted)
    product, _, combination = wanted.partition("-")
    if not items and product.isdecimal():
        items = [(product, combination or "0")]
    rows = rows_of(account, [product for product, _ in items])
    return [str(row.id) for row in rows if (str(row.id_product), str(row.id_product_attribute)) in items]


def rows_of(account: Account, products: Sequence[str]) -> list[StockRow]:
    """The rows of these products in this shop."""
    listing = listing_of(account)
    wanted = sorted({product for product in products if product.isascii() and product.isdecimal()})
    return [
        row
        for portion in chunks(wanted)
        for row in account.read(STOCK, listing.request(account, id_product=one_of(portion)))
        if not isinstance(row, Broken)
    ]


def listing_of(account: Account) -> Listing[StockRow]:
    """The fields that are read of a row."""
    return Listing(STOCK, _FIELDS, scope(account))


@dataclass(frozen=True, slots=True)
class Sums:
    """The products whose own row is the sum of their combinations. ``digest`` stands for all of them."""

    products: frozenset[int]
    digest: bytes


def all_sums(account: Account) -> Sums:
    """Those of the whole shop: read once, two small numbers a combination."""
    return account.once("sums", lambda: _read_sums(account))


def among(account: Account, products: Sequence[str] | set[str]) -> frozenset[int]:
    """Those of these products that have combinations."""
    wanted = sorted(product for product in products if product.isascii() and product.isdecimal())
    if not wanted or not has_combinations(account):
        return frozenset()
    found: set[int] = set()
    for portion in chunks(wanted):
        request = account.speech.listing(
            "combinations", display=fields("id", "id_product"), filters={"id_product": one_of(portion)}
        )
        found.update(int(str(row.id_product)) for row in account.read_sound(COMBINATION_PAIRS, request))
    return frozenset(found)


def _read_sums(account: Account) -> Sums:
    found: set[int] = set()
    last = 0
    while True:
        request = account.speech.listing(
            "combinations", display=fields("id", "id_product"), filters={"id": above(last)}, limit=LIST_LIMIT
        )
        rows = account.read_sound(COMBINATION_PAIRS, request)
        last = check_order("combinations", rows, after=last)
        found.update(int(str(row.id_product)) for row in rows)
        if len(rows) < LIST_LIMIT:
            return Sums(frozenset(found), blake2b(array("q", sorted(found)).tobytes(), digest_size=16).digest())


def _read_scope(account: Account) -> Mapping[str, str]:
    own = {"id_shop": f"[{account.shop_id}]"}
    if account.settings.shop_id is None:
        return own
    request = account.speech.listing(
        "shops", display=fields("id", "id_shop_group"), filters={"id": one_of([str(account.shop_id)])}
    )
    groups = [str(row.id_shop_group) for row in account.read_sound(SHOPS, request)]
    if not groups:
        return own
    request = account.speech.listing(
        "shop_groups", display=fields("id", "share_stock"), filters={"id": one_of(groups[:1])}
    )
    is_shared = any(str(row.share_stock) == "1" for row in account.read_sound(SHOP_GROUPS, request))
    return {"id_shop": "[0]", "id_shop_group": f"[{groups[0]}]"} if is_shared else own


def _is_sum(product: object, combination: object, sums: frozenset[int]) -> bool:
    return str(combination or "0") == "0" and str(product).isdecimal() and int(str(product)) in sums


def _page(batch: Batch[StockRow], sums: Sums) -> Page:
    def raws() -> list[Any]:
        return [
            row
            for row in batch.rows()
            if isinstance(row, Broken) or not _is_sum(row.id_product, row.id_product_attribute, sums.products)
        ]

    digest = blake2b(_EDITION + sums.digest, digest_size=16)  # which rows are sums is no part of the answer itself
    digest.update(batch.body)
    return Page(raws=raws, digest=digest.digest(), position=batch.position, mark=batch.mark)
