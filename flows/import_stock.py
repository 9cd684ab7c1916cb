"""Stock levels of the shop, once, to start the hub. Then locked: from there on the hub owns the stock.

Behind a fresh import of orders: a shop that shows what can still be sold has taken its open orders off already, and they
are added back from the orders known here.
"""

from domain.records import StockLevel
from domain.schedule import minutes
from engine.flow import Behind, Direction, Flow, Import
from flows.rules.stock import emptied

import_stock = Flow(
    name="import_stock",
    title="Import stock levels",
    description="Takes the shop's stock levels once, to start with. It is locked afterwards: you manage stock here.",
    direction=Direction.INBOUND,
    work=Import(StockLevel, is_full=True, guard=emptied, locks=True),
    behind=Behind("import_new_orders", within=minutes(15)),
)
