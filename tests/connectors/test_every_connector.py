"""One suite for every connector that has a simulator: it misbehaves in every way it can, and nothing is lost or emptied.

For each fault and each inbound flow: the hub holds afterwards what it held before, or more of the truth; the execution says
what happened; and once the fault is gone the next run is green and changes nothing that was right.
"""

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.flow import Direction, Import
from engine.registry import Registry
from engine.simulation.server import Server, serve
from storage.rows import Execution, State
from tests.installation import Installation, installed

REGISTRY = Registry.find()
SIMULATED = [name for name in REGISTRY.connector_names if REGISTRY.connector(name).simulator]

HARMLESS = {
    "latency",
    "unsorted_list",
    "repeated_row",
    "same_second",
    "changed_state",
    "byte_order_mark",
    "malformed_xml",  # PrestaShop's lists are read as JSON, which stays valid
}
"""The answer is late or odd, but it is all there."""
PERSON_NEEDED = {"switched_off", "key_disabled", "redirect", "rewriting_off"}
"""No waiting helps: the integration stands still until somebody acts."""


def simulated(connector: str) -> Server:
    module = importlib.import_module(REGISTRY.connector(connector).simulator)
    return Server(module.simulator())


def faults_of(connector: str) -> list[str]:
    return sorted(simulated(connector).faults.known)


def imports_of(connector: str) -> list[str]:
    flows = REGISTRY.flows_of(REGISTRY.connector(connector))
    return [flow.name for flow in flows if flow.direction is Direction.INBOUND and isinstance(flow.work, Import)]


def again_and_again(connector: str) -> list[str]:
    """Imports that are not locked after their first success."""
    return [name for name in imports_of(connector) if not REGISTRY.flow(name).work.locks]  # type: ignore[union-attr]


EVERYWHERE = ("half_gzip_chunked", "html_page", "fatal")
CASES = [
    (connector, fault, flow)
    for connector in SIMULATED
    for fault in faults_of(connector)
    for flow in (again_and_again(connector) if fault in EVERYWHERE else ["update_products"])
]
KINDS = ("product", "variant", "order", "supplier", "product_supplier", "image")


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Installation]:
    connector = request.param
    module = importlib.import_module(REGISTRY.connector(connector).simulator)
    path = shutil.copyfile(sqlite_template, tmp_path / "navette.db")
    with (
        serve(module.simulator()) as server,
        installed(tmp_path, f"sqlite:///{path}", server, connector=connector) as installation,
    ):
        yield installation


def held_there(shop: Installation) -> dict[str, dict[str, tuple[object, str]]]:
    return {kind: {i: (row.record, row.state) for i, row in shop.records(kind).items()} for kind in KINDS}


def was_refused(execution: Execution) -> bool:
    """Failed, or put back to be tried again by itself."""
    return execution.state in (State.FAILED, State.QUEUED)


@pytest.mark.parametrize(("shop", "fault", "flow"), CASES, indirect=["shop"], ids=["-".join(case) for case in CASES])
def test_a_system_that_misbehaves_neither_empties_nor_changes_the_hub(
    shop: Installation, fault: str, flow: str
) -> None:
    for first in imports_of(shop.integration.connector):
        assert shop.run(first).state is not State.FAILED
    before, mark = held_there(shop), shop.feed(flow).mark
    shop.server.faults.add(fault, times=100_000)

    execution = shop.run(flow, accepts_volume=False)

    assert held_there(shop) == before
    assert shop.sent == []
    if was_refused(execution):
        assert shop.feed(flow).mark == mark
        assert execution.reason
    told = [issue for issue in shop.issues() if issue.cause.startswith(f"{flow}:")]
    assert (execution.state is State.FAILED) == bool(told)
    if fault in PERSON_NEEDED:
        assert shop.integration.paused_at is not None
        assert shop.integration.attention
    elif fault not in HARMLESS and execution.calls:  # with no product changed, images ask nothing, and notice nothing
        assert was_refused(execution), execution.state
        assert shop.integration.paused_at is None
