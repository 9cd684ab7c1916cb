"""Products and variants not known yet. Images are not imported at this point."""

from domain.records import Product
from domain.schedule import Schedule, minutes
from engine.flow import Direction, Flow, Import, Scope

import_new_products = Flow(
    name="import_new_products",
    title="Import new products",
    description="Fetches products of the shop that are not known yet. Images follow on their own.",
    direction=Direction.INBOUND,
    work=Import(Product, scope=Scope.NEW),
    schedule=Schedule(every=minutes(30)),
)
