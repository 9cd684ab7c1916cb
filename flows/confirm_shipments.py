"""Carrier, tracking number and shipped status of orders that left."""

from domain.records import Shipment
from domain.schedule import Schedule, minutes
from engine.flow import Direction, Export, Flow

confirm_shipments = Flow(
    name="confirm_shipments",
    title="Confirm shipments",
    description="Tells the shop which orders were shipped, by whom and under which tracking number. Only in production.",
    direction=Direction.OUTBOUND,
    work=Export(Shipment),
    schedule=Schedule(every=minutes(15)),
)
