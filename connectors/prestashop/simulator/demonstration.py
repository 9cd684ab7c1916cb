"""The shop that ``navette demo`` and ``navette run --demo`` show: paid orders, one that waits, one with a new carrier."""

from connectors.prestashop.simulator.app import PrestashopSimulator
from connectors.prestashop.simulator.generated import build_generated_shop
from connectors.prestashop.simulator.shop import Shop
from engine.simulation.demonstration import Demonstration

_CARRIER = 2
_NEW_CARRIER = 3
_PAID, _AWAITING_WIRE = 2, 10
_PAID_ORDERS = 4


def demonstration(*, products: int = 40, seed: int = 7) -> Demonstration:
    """A generated shop whose orders tell a story; nothing happens in it unless it is served with a life."""
    shop = build_generated_shop(products=products, seed=seed, orders=0)
    new_carrier = shop.edit_carrier(_NEW_CARRIER, name="Nordic Express", active=1)
    for number in range(_PAID_ORDERS):
        _order(shop, number, state=_PAID, carrier=_CARRIER)
    unpaid = _order(shop, _PAID_ORDERS, state=_AWAITING_WIRE, carrier=_CARRIER)
    _order(shop, _PAID_ORDERS + 1, state=_PAID, carrier=new_carrier)
    return Demonstration(
        app=PrestashopSimulator(shop, seed=seed),
        shipping_method=str(_CARRIER),
        new_shipping_method=str(_NEW_CARRIER),
        unpaid_order=str(shop.row("orders", unpaid)["reference"]),
        pay=lambda: shop.pay(unpaid),
    )


def _order(shop: Shop, number: int, *, state: int, carrier: int) -> int:
    """One or two pieces of a product of its own, without combinations and with plenty on the shelf."""
    plain = [one for one in shop.tables["products"].ids if not shop.tables["combinations"].related("id_product", one)]
    product = plain[number]
    shop.set_stock(product, 25 + number)
    customer = shop.tables["customers"].ids[number]
    return shop.place_order(customer, [(product, 1 + number % 2)], state=state, carrier=carrier)
