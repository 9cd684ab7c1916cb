"""The rows of the webservice, as its lists give them. Only the fields that are read.

A field may be a string or a number from one shop to the next, and null; converting it is the work of ``mapping``. A field
that was asked for and is left out makes the row ``Broken``: an absent SKU is not an empty one. Only what depends on the
version, or on what was asked for, has a default.
"""

from typing import Annotated, Any, TypeAlias

import msgspec

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=10**18)] | Annotated[str, msgspec.Meta(max_length=200)]
"""A number in answers to GET, a string inside associations and everywhere in XML."""

Scalar: TypeAlias = str | int | float | bool | None


class Translation(msgspec.Struct, gc=False):
    """A text in one language."""

    id: Scalar = None
    value: Scalar = None


Text: TypeAlias = str | int | float | bool | list[Translation] | None
"""Translated fields are plain where one language is asked for, else a list."""


class Broken(msgspec.Struct):
    """A row that could not be read: kept, so that only this record is lost."""

    id: str
    label: str = ""
    field: str = ""
    message: str = ""
    date_upd: str = ""
    parent: str = ""


class IdRow(msgspec.Struct, gc=False):
    """Any row of which only the id matters."""

    id: Id


class ComponentRow(msgspec.Struct, gc=False):
    """What a pack holds. ``id_product_attribute`` came with 1.7."""

    id: Scalar
    id_product_attribute: Scalar = None
    quantity: Scalar = None


class ProductLinks(msgspec.Struct, gc=False):
    """The associations of a product."""

    images: list[IdRow] = []
    product_bundle: list[ComponentRow] = []


class ProductRow(msgspec.Struct, gc=False):
    """A product without its combinations."""

    id: Id
    reference: Scalar
    ean13: Scalar
    upc: Scalar
    price: Scalar
    wholesale_price: Scalar
    weight: Scalar
    active: Scalar
    is_virtual: Scalar
    id_manufacturer: Scalar
    id_supplier: Scalar
    id_default_image: Scalar
    name: Text
    isbn: Scalar = None
    state: Scalar = None
    date_upd: str | None = None
    description: Text = None
    associations: ProductLinks | None = None


class CombinationLinks(msgspec.Struct, gc=False):
    """The associations of a combination."""

    product_option_values: list[IdRow] = []


class CombinationRow(msgspec.Struct, gc=False):
    """A combination; price and weight are differences from the product's."""

    id: Id
    id_product: Scalar
    reference: Scalar
    ean13: Scalar
    upc: Scalar
    price: Scalar
    weight: Scalar
    isbn: Scalar = None
    associations: CombinationLinks | None = None


class ProductRaw(msgspec.Struct):
    """A product with what belongs to it: what ``mapping`` gets."""

    row: ProductRow
    combinations: list[CombinationRow | Broken] = []


class OptionRow(msgspec.Struct, gc=False):
    """An attribute such as *Size*."""

    id: Id
    position: Scalar
    name: Text


class OptionValueRow(msgspec.Struct, gc=False):
    """A value of an attribute, such as *S*."""

    id: Id
    id_attribute_group: Scalar
    name: Text


class StockRow(msgspec.Struct, gc=False):
    """A quantity. ``id_product_attribute`` 0 is the product itself, or the sum of its combinations."""

    id: Id
    id_product: Scalar
    id_product_attribute: Scalar
    quantity: Scalar
    depends_on_stock: Scalar
    id_shop: Scalar
    id_shop_group: Scalar


class FullStockRow(msgspec.Struct, gc=False):
    """All fields of a stock row, for writing it back whole. ``location`` came with 1.7.5."""

    id: Id
    id_product: Scalar
    id_product_attribute: Scalar
    id_shop: Scalar
    id_shop_group: Scalar
    quantity: Scalar
    depends_on_stock: Scalar
    out_of_stock: Scalar
    location: str | int | msgspec.UnsetType | None = msgspec.UNSET


class PairRow(msgspec.Struct, gc=False):
    """The id of a row and the product it is of."""

    id: Id
    id_product: Scalar
    id_product_attribute: Scalar = None


class SupplierRow(msgspec.Struct, gc=False):
    """A supplier."""

    id: Id
    name: Scalar
    active: Scalar
    date_upd: str | None = None


class ProductSupplierRow(msgspec.Struct, gc=False):
    """That a supplier sells an item."""

    id: Id
    id_product: Scalar
    id_product_attribute: Scalar
    id_supplier: Scalar
    id_currency: Scalar
    product_supplier_reference: Scalar
    product_supplier_price_te: Scalar


class OrderLineRow(msgspec.Struct, gc=False):
    """A row of an order, as it was sold."""

    id: Id
    product_id: Scalar
    product_attribute_id: Scalar
    product_quantity: Scalar
    product_name: Scalar
    product_reference: Scalar
    product_ean13: Scalar
    product_upc: Scalar
    unit_price_tax_incl: Scalar
    unit_price_tax_excl: Scalar
    product_isbn: Scalar = None


class OrderLinks(msgspec.Struct, gc=False):
    """The associations of an order."""

    order_rows: list[OrderLineRow] = []


class OrderRow(msgspec.Struct, gc=False):
    """An order without what it points to."""

    id: Id
    reference: Scalar
    id_customer: Scalar
    id_address_delivery: Scalar
    id_address_invoice: Scalar
    id_currency: Scalar
    id_lang: Scalar
    id_carrier: Scalar
    current_state: Scalar
    module: Scalar
    payment: Scalar
    date_add: str | None
    date_upd: str | None
    total_products_wt: Scalar
    total_shipping_tax_incl: Scalar
    total_wrapping_tax_incl: Scalar
    total_discounts_tax_incl: Scalar
    total_paid_tax_incl: Scalar
    total_paid_tax_excl: Scalar
    note: Scalar = None
    gift: Scalar = None
    gift_message: Scalar = None
    associations: OrderLinks | None = None


class StateRow(msgspec.Struct, gc=False):
    """An order status."""

    id: Id
    name: Text
    paid: Scalar
    shipped: Scalar
    deleted: Scalar


class CustomerRow(msgspec.Struct, gc=False):
    """Who ordered; never the password hash and the secure key."""

    id: Id
    email: Scalar
    firstname: Scalar
    lastname: Scalar
    company: Scalar
    id_lang: Scalar
    is_guest: Scalar


class AddressRow(msgspec.Struct, gc=False):
    """Where to send or bill."""

    id: Id
    id_country: Scalar
    id_state: Scalar
    company: Scalar
    firstname: Scalar
    lastname: Scalar
    vat_number: Scalar
    address1: Scalar
    address2: Scalar
    postcode: Scalar
    city: Scalar
    other: Scalar
    phone: Scalar
    phone_mobile: Scalar


class CodeRow(msgspec.Struct, gc=False):
    """A country, state, currency or language: its ISO code."""

    id: Id
    iso_code: Scalar


class CarrierRow(msgspec.Struct, gc=False):
    """A carrier. Editing one makes a new id; ``id_reference`` stays."""

    id: Id
    id_reference: Scalar
    deleted: Scalar
    name: Scalar = None
    active: Scalar = None


class PaymentRow(msgspec.Struct, gc=False):
    """A payment, tied to an order by the order's reference."""

    id: Id
    order_reference: Scalar
    id_currency: Scalar
    amount: Scalar
    payment_method: Scalar
    transaction_id: Scalar
    date_add: Scalar


class OrderRaw(msgspec.Struct):
    """An order with everything it points to, as far as it still exists: what ``mapping`` gets."""

    row: OrderRow
    currency: str = ""
    state: StateRow | None = None
    customer: CustomerRow | None = None
    customer_language: str = ""
    delivery: AddressRow | None = None
    delivery_country: str = ""
    delivery_region: str = ""
    billing: AddressRow | None = None
    billing_country: str = ""
    billing_region: str = ""
    carrier: CarrierRow | None = None
    payments: list[tuple[PaymentRow, str]] = []
    """Each with the code of its currency."""


class ConfigurationRow(msgspec.Struct, gc=False):
    """A setting of the shop; one without shop and group holds for all."""

    id: Id
    name: Scalar
    value: Any
    id_shop: Scalar = None
    id_shop_group: Scalar = None


class ShopRow(msgspec.Struct, gc=False):
    """A shop, and the group it is in."""

    id: Id
    id_shop_group: Scalar = None
    name: Scalar = None
    active: Scalar = None
    deleted: Scalar = None


class ShopGroupRow(msgspec.Struct, gc=False):
    """A group of shops."""

    id: Id
    share_stock: Scalar = None


class OrderStandRow(msgspec.Struct, gc=False):
    """Where an order stands."""

    id: Id
    current_state: Scalar
    id_carrier: Scalar
    reference: Scalar


class PaymentMethodRow(msgspec.Struct, gc=False):
    """How an order was paid: the module, and the words for it."""

    id: Id
    module: Scalar = None
    payment: Scalar = None


class OrderCarrierRow(msgspec.Struct, gc=False):
    """A parcel of an order."""

    id: Id
    id_order: Scalar
    id_carrier: Scalar
    tracking_number: Scalar


class WholeParcelRow(msgspec.Struct, gc=False):
    """All fields of a parcel, for writing it back whole."""

    id: Id
    id_order: Scalar
    id_carrier: Scalar
    id_order_invoice: Scalar
    weight: Scalar
    shipping_cost_tax_excl: Scalar
    shipping_cost_tax_incl: Scalar
    tracking_number: Scalar
    date_add: Scalar


class HistoryRow(msgspec.Struct, gc=False):
    """One change of status of an order."""

    id: Id
    id_order: Scalar
    id_order_state: Scalar


class ImageListRow(msgspec.Struct, gc=False):
    """The images of a product."""

    id: Id
    id_default_image: Scalar = None
    associations: ProductLinks | None = None
