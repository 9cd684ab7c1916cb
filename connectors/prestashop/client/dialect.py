"""How requests are put: resources, filters, sorting, limits.

PrestaShop ignores what it does not understand (``filter[id]=>=[5]`` gives the whole table), so every query is built here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.prestashop.client.rows import (
    AddressRow,
    CarrierRow,
    CodeRow,
    CombinationRow,
    ConfigurationRow,
    CustomerRow,
    FullStockRow,
    HistoryRow,
    IdRow,
    ImageListRow,
    OptionRow,
    OptionValueRow,
    OrderCarrierRow,
    OrderRow,
    OrderStandRow,
    PairRow,
    PaymentMethodRow,
    PaymentRow,
    ProductRow,
    ProductSupplierRow,
    ShopGroupRow,
    ShopRow,
    StateRow,
    StockRow,
    SupplierRow,
    WholeParcelRow,
)
from connectors.prestashop.client.tables import Table
from engine.connector import Format, Operation, Request, reads, writes

PRODUCTS = Table("products", ProductRow)
PRODUCT_IMAGES = Table("products", ImageListRow)
COMBINATIONS = Table("combinations", CombinationRow)
COMBINATION_PAIRS = Table("combinations", PairRow)
FULL_STOCK = Table("stock_availables", FullStockRow)
STOCK_PAIRS = Table("stock_availables", PairRow)
OPTIONS = Table("product_options", OptionRow)
OPTION_VALUES = Table("product_option_values", OptionValueRow)
STOCK = Table("stock_availables", StockRow)
SUPPLIERS = Table("suppliers", SupplierRow)
PRODUCT_SUPPLIERS = Table("product_suppliers", ProductSupplierRow)
ORDERS = Table("orders", OrderRow)
ORDER_STANDS = Table("orders", OrderStandRow)
PAYMENT_METHODS = Table("orders", PaymentMethodRow)
STATES = Table("order_states", StateRow)
CUSTOMERS = Table("customers", CustomerRow)
ADDRESSES = Table("addresses", AddressRow)
COUNTRIES = Table("countries", CodeRow)
REGIONS = Table("states", CodeRow)
CURRENCIES = Table("currencies", CodeRow)
LANGUAGES = Table("languages", CodeRow)
CARRIERS = Table("carriers", CarrierRow)
PAYMENTS = Table("order_payments", PaymentRow)
ORDER_CARRIERS = Table("order_carriers", OrderCarrierRow)
WHOLE_PARCELS = Table("order_carriers", WholeParcelRow)
HISTORIES = Table("order_histories", HistoryRow)
CONFIGURATIONS = Table("configurations", ConfigurationRow)
SHOPS = Table("shops", ShopRow)
SHOP_GROUPS = Table("shop_groups", ShopGroupRow)
ID_TABLES = {
    resource: Table(resource, IdRow)
    for resource in ("products", "combinations", "suppliers", "product_suppliers", "orders")
}

LISTS: dict[Format, Operation] = {
    Format.JSON: reads("read_list_json", answers=Format.JSON),
    Format.XML: reads("read_list_xml", answers=Format.XML),
}
READ_RIGHTS = reads("read_rights", answers=Format.XML)
READ_IMAGE = reads("read_image", answers=Format.IMAGE)
PATCH_STOCK = writes("patch_stock", "PATCH", answers=Format.XML)
PUT_STOCK = writes("put_stock", "PUT", answers=Format.XML)
PATCH_PARCEL = writes("patch_parcel", "PATCH", answers=Format.XML)
PUT_PARCEL = writes("put_parcel", "PUT", answers=Format.XML)
ADD_PARCEL = writes("add_parcel", "POST", answers=Format.XML)
ADD_HISTORY = writes("add_history", "POST", answers=Format.XML)

LIST_LIMIT = 10_000
"""Rows of two small numbers asked for at once: some 200 kB."""

IDS_PER_REQUEST = 200
"""Ids in one filter: the address stays under 3 kB, well below the 8 kB web servers take."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What every request to one shop has in common: the format of lists, the language of names, the shop of several."""

    answers: Format = Format.JSON
    language: str = ""
    shop_id: int | None = None

    def listing(
        self,
        resource: str,
        *,
        display: str,
        filters: Mapping[str, str] | None = None,
        sort: str = "[id_ASC]",
        limit: int | None = None,
        is_dated: bool = False,
        is_translated: bool = False,
        answers: Format | None = None,
    ) -> Request:
        """A list. ``display`` is ``full`` or names fields; ``is_dated`` allows ``date_add`` and ``date_upd`` in filters."""
        answers = answers or self.answers
        query = [("display", display), *((f"filter[{name}]", value) for name, value in (filters or {}).items())]
        query.append(("sort", sort))
        if limit is not None:
            query.append(("limit", str(limit)))
        if is_dated:
            query.append(("date", "1"))
        if is_translated and self.language:
            query.append(("language", self.language))
        if answers is Format.JSON:
            query.append(("output_format", "JSON"))
        return Request(LISTS[answers], f"api/{resource}", (*query, *self.shop()))

    def shop(self) -> tuple[tuple[str, str], ...]:
        """The shop of several a request is for."""
        return () if self.shop_id is None else (("id_shop", str(self.shop_id)),)

    def writing(self, operation: Operation, resource: str, body: bytes, *, sends_mail: bool = False) -> Request:
        """A change; bodies are always XML."""
        query = (("sendemail", "1"),) if sends_mail else ()
        return Request(
            operation, f"api/{resource}", (*query, *self.shop()), (("Content-Type", "text/xml; charset=utf-8"),), body
        )


def rights(speech: Speech) -> Request:
    """The resources the key may use; broken in JSON since PHP 8."""
    return Request(READ_RIGHTS, "api/", speech.shop())


def one_of(values: Sequence[str]) -> str:
    """A filter for any of these values."""
    return f"[{'|'.join(values)}]"


def between(first: int, last: int) -> str:
    """A filter for a range of numbers, both ends included."""
    return f"[{first},{last}]"


def above(value: int | str) -> str:
    """A filter for what is strictly greater."""
    return f">[{value}]"


def chunks(values: Sequence[str]) -> list[Sequence[str]]:
    """Values in portions that fit into an address."""
    return [values[start : start + IDS_PER_REQUEST] for start in range(0, len(values), IDS_PER_REQUEST)]


def fields(*names: str) -> str:
    """A ``display`` of chosen fields."""
    return f"[{','.join(names)}]"
