"""Orders the status rules let in. Others are set aside or left out."""

from domain.records import Order
from domain.schedule import Schedule, minutes
from engine.flow import Direction, Flow, Import, Scope
from flows.rules.orders import admit_by_payment, admit_by_status, needs_known_shipping_method

import_new_orders = Flow(
    name="import_new_orders",
    title="Import new orders",
    description="Fetches orders that are ready. Orders not paid yet are set aside and looked up again by themselves.",
    direction=Direction.INBOUND,
    work=Import(
        Order,
        scope=Scope.NEW,
        rules=(admit_by_status, admit_by_payment, needs_known_shipping_method),
        is_windowed=True,
    ),
    schedule=Schedule(every=minutes(10)),
)
