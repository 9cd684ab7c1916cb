"""Both sides compared, each difference explained."""

from domain.records import StockLevel
from domain.schedule import Schedule, daily
from engine.flow import Check, Direction, Flow

check_stock = Flow(
    name="check_stock",
    title="Check stock",
    description="Compares the stock here and in the shop every night, and explains each difference.",
    direction=Direction.INBOUND,
    work=Check(StockLevel),
    schedule=Schedule(cron=daily("04:00")),
)
