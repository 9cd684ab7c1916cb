"""A small simulated shop with a story, for showing what Navette does. A connector's simulator may offer one."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.simulation.app import App


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A shop with products, stock and a handful of orders.

    ``shipping_method`` is the remote value most orders are sent by, ``new_shipping_method`` that of one order, which is not
    yet known to anybody. ``unpaid_order`` is the number of an order that waits for its money; ``pay`` lets it arrive.
    """

    app: App
    shipping_method: str
    new_shipping_method: str
    unpaid_order: str
    pay: Callable[[], object]
