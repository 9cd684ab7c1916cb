"""Finds the connectors and flows that exist, by walking the two packages; refuses two of one name."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from domain.errors import BrokenInvariant, UserError
from engine.connector import Connector
from engine.flow import Check, Export, Flow, Import, Retry

_CONNECTORS = "connectors"
_FLOWS = "flows"


@dataclass(frozen=True)
class Registry:
    """The connectors and flows of this installation, by name."""

    flows: Mapping[str, Flow]
    connector_names: tuple[str, ...]
    given: Mapping[str, Connector]

    @classmethod
    def find(cls) -> "Registry":
        """Walk the packages. Connectors are only imported when they are asked for: they cost start-up time."""
        package = importlib.import_module(_CONNECTORS)
        names = tuple(sorted(found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg))
        return cls(flows=_by_name(_declared()), connector_names=names, given={})

    @classmethod
    def of(cls, *, connectors: Iterable[Connector], flows: Iterable[Flow] = ()) -> "Registry":
        """A registry of exactly these connectors, and the declared flows unless others are given."""
        given = {connector.name: connector for connector in connectors}
        return cls(flows=_by_name(tuple(flows) or _declared()), connector_names=tuple(given), given=given)

    @cached_property
    def _loaded(self) -> dict[str, Connector]:
        return dict(self.given)

    def connector(self, name: str) -> Connector:
        """The connector of that name. Raises ``UserError`` when there is none."""
        if name not in self.connector_names:
            known = ", ".join(self.connector_names)
            raise UserError(f"There is no connector called “{name}”. Connectors: {known}.")
        if name not in self._loaded:
            connector = importlib.import_module(f"{_CONNECTORS}.{name}.connector").CONNECTOR
            if connector.name != name:
                raise BrokenInvariant(f"The folder connectors/{name} declares a connector called {connector.name}.")
            self._loaded[name] = connector
        return self._loaded[name]

    def flow(self, name: str) -> Flow:
        """The flow of that name. Raises ``UserError`` when there is none."""
        try:
            return self.flows[name]
        except KeyError:
            raise UserError(f"There is no flow called “{name}”. Flows: {', '.join(self.flows)}.") from None

    def flows_of(self, connector: Connector) -> list[Flow]:
        """The flows a connector can serve: those whose records it reads or writes."""
        return [flow for flow in self.flows.values() if _serves(connector, flow)]


def _serves(connector: Connector, flow: Flow) -> bool:
    match flow.work:
        case Import(kind=kind) | Check(kind=kind):
            return kind in connector.reads
        case Export(kind=kind):
            return kind in connector.writes
        case Retry():
            return any(stream.by_id is not None for stream in connector.reads.values())


def _declared() -> tuple[Flow, ...]:
    package = importlib.import_module(_FLOWS)
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:
            flow = getattr(importlib.import_module(f"{_FLOWS}.{module.name}"), module.name, None)
            if not isinstance(flow, Flow) or flow.name != module.name:
                raise BrokenInvariant(f"flows/{module.name}.py must declare a flow called {module.name}.")
            found.append(flow)
    return tuple(found)


def _by_name(flows: Iterable[Flow]) -> dict[str, Flow]:
    by_name: dict[str, Flow] = {}
    for flow in flows:
        if flow.name in by_name:
            raise BrokenInvariant(f"Two flows are called {flow.name}.")
        by_name[flow.name] = flow
    return by_name
