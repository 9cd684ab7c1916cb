"""Which supplier sells which product, under which reference and at what price."""

from domain.records import ProductSupplier
from domain.schedule import Schedule, daily
from engine.flow import Direction, Flow, Import

import_product_suppliers = Flow(
    name="import_product_suppliers",
    title="Import product suppliers",
    description="Fetches the links between products and suppliers.",
    direction=Direction.INBOUND,
    work=Import(ProductSupplier, is_full=True),
    schedule=Schedule(cron=daily("03:15")),
)
