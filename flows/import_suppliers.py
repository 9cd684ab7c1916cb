"""Suppliers of the shop."""

from domain.records import Supplier
from domain.schedule import Schedule, daily
from engine.flow import Direction, Flow, Import

import_suppliers = Flow(
    name="import_suppliers",
    title="Import suppliers",
    description="Fetches the suppliers of the shop.",
    direction=Direction.INBOUND,
    work=Import(Supplier, is_full=True),
    schedule=Schedule(cron=daily("03:00")),
)
