"""A PrestaShop simulator in a process of its own, with as many products as wanted and every page rendered beforehand."""

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.prestashop.simulator import SAMPLE_KEY, PrestashopSimulator
from connectors.prestashop.simulator.sample import build_bare_shop
from engine.logging import set_up_logging
from engine.simulation.process import serve_apart

_LONG_AGO = "2026-01-01 00:00:00"


@dataclass(frozen=True, slots=True)
class Shop:
    """A simulated shop: where it is, what opens it, how many products it has."""

    url: str
    products: int
    client: httpx.Client
    key: str = SAMPLE_KEY

    def forget_requests(self) -> None:
        """Begin a new count."""
        self.client.delete("/_simulator/ledger").raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """The requests since then, oldest first: method, target and status of each."""
        found = self.client.get("/_simulator/ledger", params={"recent": 10_000}).json()["recent"]
        return list(found)

    def pages(self, resource: str) -> list[str]:
        """The addresses of the pages of a resource that were read since then, in the order of their ids."""
        wanted = re.compile(rf"/api/{resource}\?display=\[id,.*filter\[id\]=(?:>|%3E)?\[(\d+)")
        found = {str(one["target"]) for one in self.requests()}
        first = {target: int(match[1]) for target in found if (match := wanted.match(target))}
        return sorted(first, key=first.__getitem__)

    def slow_down(self, seconds: float, *, path: str, method: str = "GET") -> None:
        """Take so long for each of these requests, whatever else is asked at the same time."""
        wanted = {"name": "latency", "times": None, "setting": str(seconds * 1000), "path": path, "method": method}
        self.client.post("/_simulator/faults", json=wanted).raise_for_status()

    def hurry_up(self) -> None:
        """Answer at once again."""
        self.client.delete("/_simulator/faults").raise_for_status()


@contextmanager
def opened(products: int) -> Iterator[Shop]:
    """A shop of simple products, each with a stock row, until the block ends."""
    with (
        serve_apart(functools.partial(build, products)) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        yield Shop(url, products, client)


def build(products: int) -> PrestashopSimulator:
    """The simulator; called in its own process."""
    set_up_logging(log_level="warning")
    shop = build_bare_shop()
    shop.recording = False
    for number in range(1, products + 1):
        shop.tables["products"].insert(
            {
                "id": number,
                "reference": f"SKU-{number:06}",
                "ean13": str(3_000_000_000_000 + number),
                "price": f"{10 + number % 90}.900000",
                "wholesale_price": f"{5 + number % 40}.000000",
                "weight": f"0.{100 + number % 900}000",
                "active": 1 if number % 20 else 0,
                "state": 1,
                "id_manufacturer": number % 50 + 1,
                "id_supplier": number % 20 + 1,
                "name": {1: f"Product number {number} with a name of ordinary length"},
                "date_add": _LONG_AGO,
                "date_upd": _LONG_AGO,
                "@images": (2 * number, 2 * number + 1),
                "id_default_image": 2 * number,
            }
        )
        shop.tables["stock_availables"].insert(
            {
                "id": number,
                "id_product": number,
                "id_product_attribute": 0,
                "id_shop": 1,
                "id_shop_group": 0,
                "quantity": number % 100,
            }
        )
    shop.recording = True
    return PrestashopSimulator(shop)
