"""All products: SKU, name, weight, barcode, price, active. Heavy; unchanged records are not written."""

from domain.records import Product
from domain.schedule import Schedule, daily
from engine.flow import Direction, Flow, Import
from flows.rules.products import drastic

update_products = Flow(
    name="update_products",
    title="Update products",
    description="Reads every product of the shop and updates what changed: SKU, name, weight, barcode, price, active.",
    direction=Direction.INBOUND,
    work=Import(Product, is_full=True, guard=drastic),
    schedule=Schedule(cron=daily("02:30")),
)
