"""Canonical records: what moves, in the hub's own shape."""

from domain.records.blob import Blob
from domain.records.customer import Address, Customer
from domain.records.image import ProductImage
from domain.records.money import Money, minor_unit
from domain.records.order import Order, OrderLine, OrderStatus, Payment, Shipment, Totals
from domain.records.product import Component, Product, Variant
from domain.records.record import Record, fold
from domain.records.stock import StockLevel
from domain.records.supplier import ProductSupplier, Supplier

KINDS: dict[str, type[Record]] = {
    record.kind: record
    for record in (Order, Product, ProductImage, ProductSupplier, Shipment, StockLevel, Supplier, Variant)
}

__all__ = [
    "KINDS",
    "Address",
    "Blob",
    "Component",
    "Customer",
    "Money",
    "Order",
    "OrderLine",
    "OrderStatus",
    "Payment",
    "Product",
    "ProductImage",
    "ProductSupplier",
    "Record",
    "Shipment",
    "StockLevel",
    "Supplier",
    "Totals",
    "Variant",
    "fold",
    "minor_unit",
]
