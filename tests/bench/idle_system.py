"""An outside system that never has anything to tell, and a flow that reads it: what an execution itself costs."""

from collections.abc import Generator
from typing import Any

from pydantic import BaseModel

from domain.records import Supplier
from engine.connector import Connector, Page, Probe, Reading, SignIn, Stream
from engine.flow import Direction, Flow, Import
from engine.registry import Registry
from storage.database import Unit
from storage.queries import feeds, integrations


class NoSettings(BaseModel):
    """It needs none."""


def _no_pages(_account: object, _reading: Reading) -> Generator[Page, None, None]:
    yield from ()


def _no_record(*_: object) -> Any:
    raise AssertionError("there is nothing to map")


FLOW = Flow(name="look", title="Look", direction=Direction.INBOUND, work=Import(Supplier))
CONNECTOR = Connector(
    name="idle",
    title="Idle system",
    settings=NoSettings,
    sign_in=lambda _settings: SignIn("http://127.0.0.1:9009"),
    open=lambda _door, _settings: None,
    probe=lambda _door, _settings: Probe("Idle", "1", ()),
    interpret=lambda _answer: None,
    reads={Supplier: Stream(pages=_no_pages, record=_no_record, identify=_no_record)},
)
REGISTRY = Registry.of(connectors=[CONNECTOR], flows=[FLOW])


def add_feeds(unit: Unit, count: int) -> list[int]:
    """So many integrations with one feed each; the ids of the feeds."""
    found = []
    for number in range(count):
        integration_id = integrations.insert(
            unit, name=f"idle{number}", connector="idle", time_zone="Europe/Paris", settings={}, rulebook={}
        )
        feeds.insert(unit, integration_id, flows={FLOW.name: True})
        found += [feed.id for feed in feeds.listed(unit, integration_id=integration_id)]
    return found
