"""A small working PrestaShop webservice with a memory, able to misbehave on request.

    with serve(PrestashopSimulator(build_sample_shop())) as server:
        httpx.get(f"{server.url}/api/products?limit=5", auth=(SAMPLE_KEY, ""))

Facts about the webservice come from a real 8.2.1 shop and the published sources of 1.6 to 9.0; what differs by version
follows the shop's ``version``.
"""

from connectors.prestashop.simulator.app import PrestashopSimulator
from connectors.prestashop.simulator.generated import build_generated_shop
from connectors.prestashop.simulator.pricing import Line
from connectors.prestashop.simulator.sample import SAMPLE_KEY, build_bare_shop, build_sample_shop
from connectors.prestashop.simulator.shop import Shop

__all__ = [
    "SAMPLE_KEY",
    "Line",
    "PrestashopSimulator",
    "Shop",
    "build_bare_shop",
    "build_generated_shop",
    "build_sample_shop",
    "simulator",
]


def simulator(
    *,
    products: int = 0,
    seed: int = 0,
    odd: bool = False,
    combinations_share: float = 0.1,
    orders: int | None = None,
    version: str = "8.2.1",
) -> PrestashopSimulator:
    """A simulated shop, as the command line asks for one: the sample, or a generated one with this many ``products``.

    ``describe()["settings"]`` is what a connector needs to connect, once it is being served.
    """
    if not products:
        return PrestashopSimulator(build_sample_shop(version=version), seed=seed)
    shop = build_generated_shop(
        products=products,
        seed=seed,
        odd=odd,
        combinations_share=combinations_share,
        orders=orders,
        version=version,
    )
    return PrestashopSimulator(shop, seed=seed)
