"""Images of products imported or changed since the last time. Stored once by content."""

from domain.records import ProductImage
from domain.schedule import Schedule, hours
from engine.flow import Direction, Flow, Import

import_product_images = Flow(
    name="import_product_images",
    title="Import product images",
    description="Fetches the images of products imported since the last time.",
    direction=Direction.INBOUND,
    work=Import(ProductImage),
    schedule=Schedule(every=hours(1)),
)
