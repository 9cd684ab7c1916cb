"""PrestaShop 1.6 to 9: read this page first.

``settings`` is what an administrator enters, ``client`` speaks the webservice's dialect, ``mapping`` turns its rows into
records. The facts behind them, each with its source, are in the README beside.
"""

from collections.abc import Mapping

from connectors.prestashop.client import catalogue, images, orders, probing, shipping, stock, stock_writing, suppliers
from connectors.prestashop.client.account import Account, open_account
from connectors.prestashop.client.labels import labels
from connectors.prestashop.client.refusals import interpret
from connectors.prestashop.client.rows import Broken, OrderRaw, ProductRaw, ProductSupplierRow, StockRow, SupplierRow
from connectors.prestashop.mapping import images as image_mapping
from connectors.prestashop.mapping import orders as order_mapping
from connectors.prestashop.mapping import products as product_mapping
from connectors.prestashop.mapping import stock as stock_mapping
from connectors.prestashop.mapping import suppliers as supplier_mapping
from connectors.prestashop.settings import PrestaShopSettings, limits, sign_in
from domain.records import Order, Product, ProductImage, ProductSupplier, Record, Shipment, StockLevel, Supplier
from engine.connector import Connector, Sink, StockMeaning, Stream


def _catalogue(account: Account) -> product_mapping.Catalogue:
    has_variants = catalogue.has_combinations(account)
    names = labels(account) if has_variants else None
    return product_mapping.Catalogue(
        currency=account.currency,
        language=account.speech.language,
        weight_unit=account.facts.weight_unit,
        options=names.options if names is not None else {},
        values=names.values if names is not None else {},
    )


def _shop(account: Account) -> order_mapping.Shop:
    facts = account.facts
    return order_mapping.Shop(facts.zone, facts.language_id, facts.name, facts.cancelled_states)


def _product(raw: ProductRaw | Broken, account: Account) -> Product:
    return product_mapping.product(raw, account.once("catalogue", lambda: _catalogue(account)))


def _order(raw: OrderRaw | Broken, account: Account) -> Order:
    return order_mapping.order(raw, account.once("shop", lambda: _shop(account)))


def _stock_level(raw: StockRow | Broken, account: Account) -> StockLevel:  # noqa: ARG001 - the shape of Stream.record
    return stock_mapping.stock_level(raw)


def _supplier(raw: SupplierRow | Broken, account: Account) -> Supplier:  # noqa: ARG001 - the shape of Stream.record
    return supplier_mapping.supplier(raw)


def _product_supplier(raw: ProductSupplierRow | Broken, account: Account) -> ProductSupplier:
    return supplier_mapping.product_supplier(raw, lambda remote_id: orders.currency_code(account, remote_id))


def _image(raw: images.ImageRaw, account: Account) -> ProductImage:  # noqa: ARG001 - the shape of Stream.record
    return image_mapping.image(raw)


READS: Mapping[type[Record], Stream] = {
    Product: Stream(
        pages=catalogue.pages,
        record=_product,
        identify=product_mapping.identify,
        by_id=catalogue.by_id,
        find=catalogue.find,
        census=catalogue.census,
    ),
    ProductImage: Stream(
        pages=images.pages, record=_image, identify=image_mapping.identify, by_id=images.by_id, parent=Product
    ),
    Order: Stream(
        pages=orders.pages,
        record=_order,
        identify=order_mapping.identify,
        by_id=orders.by_id,
        find=orders.find,
        census=orders.census,
    ),
    StockLevel: Stream(
        pages=stock.pages,
        record=_stock_level,
        identify=stock_mapping.identify,
        by_id=stock.by_id,
        find=stock.find,
        census=stock.census,
    ),
    Supplier: Stream(
        pages=suppliers.pages,
        record=_supplier,
        identify=supplier_mapping.identify_supplier,
        by_id=suppliers.by_id,
        find=suppliers.find,
        census=suppliers.census,
    ),
    ProductSupplier: Stream(
        pages=suppliers.links_pages,
        record=_product_supplier,
        identify=supplier_mapping.identify_product_supplier,
        by_id=suppliers.links_by_id,
        find=suppliers.find_links,
        census=suppliers.links_census,
    ),
}

WRITES: Mapping[type[Record], Sink] = {
    StockLevel: Sink(
        send=stock_writing.send,
        look_up=stock_writing.look_up,
        operations=stock_writing.OPERATIONS,
        batch=stock_writing.BATCH,
    ),
    Shipment: Sink(
        send=shipping.send,
        look_up=shipping.look_up,
        operations=shipping.OPERATIONS,
        batch=shipping.BATCH,
    ),
}

CONNECTOR = Connector(
    name="prestashop",
    title="PrestaShop",
    settings=PrestaShopSettings,
    sign_in=sign_in,
    open=open_account,
    probe=probing.probe,
    interpret=interpret,
    reads=READS,
    writes=WRITES,
    limits=limits,
    stock_meaning=StockMeaning.SELLABLE,  # the shop subtracts an order from the quantity as the order is placed
    simulator="connectors.prestashop.simulator",
)
