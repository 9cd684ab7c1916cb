"""Available quantities that changed. Runs behind a fresh import of orders, so that nothing sold is offered again."""

from domain.records import StockLevel
from domain.schedule import Schedule, minutes
from engine.flow import Behind, Direction, Export, Flow

export_stock = Flow(
    name="export_stock",
    title="Export stock levels",
    description="Sends the available quantities that changed to the shop. Only in production.",
    direction=Direction.OUTBOUND,
    work=Export(StockLevel),
    schedule=Schedule(every=minutes(15)),
    behind=Behind("import_new_orders", within=minutes(15)),
)
