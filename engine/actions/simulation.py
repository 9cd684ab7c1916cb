"""Simulated shops, through the module a connector names for it: to play with, to show, to test against."""

import importlib
from types import ModuleType
from typing import Any

from domain.errors import UserError
from engine.connector import Connector
from engine.registry import Registry
from engine.simulation.app import App
from engine.simulation.demonstration import Demonstration

_BUILD = "simulator"
_STORY = "demonstration"


def build_shop(connector: Connector, *, products: int, seed: int) -> App:
    """A simulated shop with this many products; none: the connector's sample."""
    app: App = getattr(_module(connector), _BUILD)(products=products, seed=seed)
    return app


def connect_with(app: App) -> dict[str, Any]:
    """The settings a connector needs to connect to a shop that is being served."""
    settings = app.describe()["settings"]
    assert isinstance(settings, dict)
    return settings


def build_demonstration(registry: Registry, *, products: int, seed: int) -> tuple[Connector, Demonstration]:
    """A shop with a story, of the first connector that has one."""
    for name in registry.connector_names:
        connector = registry.connector(name)
        story = _story(connector)
        if story is not None:
            shown: Demonstration = getattr(story, _STORY)(products=products, seed=seed)
            return connector, shown
    raise UserError("No installed connector has a shop to demonstrate with.")


def _module(connector: Connector) -> ModuleType:
    if not connector.simulator:
        raise UserError(f"{connector.title} cannot be simulated.")
    return importlib.import_module(connector.simulator)


def _story(connector: Connector) -> ModuleType | None:
    if not connector.simulator:
        return None
    name = f"{connector.simulator}.{_STORY}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
