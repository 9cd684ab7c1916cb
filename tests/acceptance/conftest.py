"""A terminal, and a simulated shop to type about."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from engine.actions import simulation
from engine.registry import Registry
from engine.simulation.demonstration import Demonstration
from engine.simulation.server import Server, serve
from tests.acceptance.terminal import Terminal


@dataclass(frozen=True)
class Shop:
    """A small shop being served: four paid orders, one unpaid, one with a carrier nobody has mapped."""

    connector: str
    shown: Demonstration
    server: Server

    @property
    def key(self) -> str:
        """What opens it."""
        return str(simulation.connect_with(self.shown.app)["key"])


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The demonstration's shop."""
    connector, shown = simulation.build_demonstration(Registry.find(), products=25, seed=3)
    with serve(shown.app) as server:
        yield Shop(connector.name, shown, server)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Nothing connected yet. The log set up by commands is taken down again."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield Terminal(tmp_path / "data")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.fixture
def connected(terminal: Terminal, shop: Shop) -> Terminal:
    """The shop connected as “shop”, one shipping method mapped."""
    terminal.ok(
        "integrations", "add", shop.connector, "--name", "shop", "--url", shop.server.url, "--key", "-", types=shop.key
    )
    terminal.ok("mappings", "set", "shop", "shipping_method", shop.shown.shipping_method, "standard")
    return terminal


@pytest.fixture
def filled(connected: Terminal) -> Terminal:
    """Products, orders and stock imported."""
    for flow in ("import_new_products", "import_new_orders", "import_stock"):
        connected.ok("feeds", "run", f"shop/{flow}", "--wait")
    return connected
