"""The status of orders already imported: cancelled there, cancelled here. Lines and addresses are never changed."""

from domain.records import Order
from domain.schedule import Schedule, minutes
from engine.flow import Direction, Flow, Import, Scope
from flows.rules.orders import follow_status, merge_status

update_orders = Flow(
    name="update_orders",
    title="Update orders",
    description="Follows the status of imported orders. Lines and addresses are never changed; a difference is shown.",
    direction=Direction.INBOUND,
    work=Import(Order, scope=Scope.KNOWN, rules=(follow_status,), merge=merge_status, is_windowed=True),
    schedule=Schedule(every=minutes(30)),
)
