"""A process killed between what the shop did and the receipt: it is looked up, and never done twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_sample_shop
from engine.simulation.server import serve
from storage.queries import effects
from storage.queries.effects import EffectLine
from storage.rows import EffectState, State
from tests.faults.processes import ROOT, until
from tests.faults.production import count, imported, live, ship
from tests.installation import Installation, installed

SHIPPED = 4


@pytest.fixture
def sample() -> Shop:
    return build_sample_shop()


@pytest.fixture
def shop(sample: Shop, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with serve(PrestashopSimulator(sample)) as server, installed(tmp_path, database_url, server) as installation:
        yield live(imported(installation))


@contextmanager
def a_process(folder: Path, url: str) -> Iterator["subprocess.Popen[str]"]:
    """That works on what is queued."""
    command = [sys.executable, "-m", "tests.faults.serving", str(folder), url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            while (line := process.stdout.readline().strip()) != "ready":
                assert line, "It ended before it was ready."
            yield process
        finally:
            process.kill()


def sent(shop: Installation, flow: str) -> list[EffectLine]:
    """Every effect of a flow."""
    feed = shop.feed(flow)
    return shop.platform.database.read(lambda unit: effects.listed(unit, feed_id=feed.id, count=1000))


def killed_in(shop: Installation, flow: str, fault: str, *, method: str, folder: Path, url: str, path: str = "") -> int:
    """Run a flow in a process that is killed as soon as the shop met the fault; returns the execution's id."""
    planned = shop.server.faults.add(fault, method=method, path=path)
    execution_id = shop.request(flow)
    with a_process(folder, url) as process:
        assert shop.server.ledger.wait(lambda _: planned.met > 0, timeout_seconds=60)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    return execution_id


def finish(shop: Installation, execution_id: int, *, folder: Path, url: str) -> None:
    """Another process finds what was left and ends it."""
    with a_process(folder, url):
        until(lambda: shop.execution(execution_id).ended_at is not None)
    execution = shop.execution(execution_id)
    assert (execution.state, execution.attempt, execution.lost_leases) == (State.SUCCEEDED, 2, 1)


@pytest.mark.parametrize(
    ("database_url", "fault"),
    [("sqlite", "silent_after_write"), ("sqlite", "silent"), ("postgresql", "silent_after_write")],
    indirect=["database_url"],
)
def test_a_level_whose_receipt_died_with_its_process_is_looked_up_before_anything_is_sent(
    shop: Installation, sample: Shop, fault: str, tmp_path: Path, database_url: str
) -> None:
    """Applied: found, with a receipt. Not applied: sent again, under the same identity."""
    count(shop, "demo_11", 123)
    execution_id = killed_in(shop, "export_stock", fault, method="PATCH", folder=tmp_path, url=database_url)
    (left,) = sent(shop, "export_stock")
    assert left.effect.state is EffectState.SENDING
    assert left.effect.receipt is None
    asked_before = shop.server.ledger.count
    finish(shop, execution_id, folder=tmp_path, url=database_url)
    (effect,) = [line.effect for line in sent(shop, "export_stock")]
    assert (effect.id, effect.identity, effect.state) == (left.effect.id, left.effect.identity, EffectState.DONE)
    assert effect.receipt["was_found"] == (fault == "silent_after_write")
    assert len(shop.sent) == 1
    assert str(sample.stock_of(6)) == effect.after["quantity"]
    further = [entry.method for entry in shop.server.ledger.recent if entry.sequence > asked_before]
    assert further.count("PATCH") == (0 if fault == "silent_after_write" else 1)
    assert "PATCH" not in further[:2], "looked up first"
    assert shop.run("export_stock").updated == 0
    assert len(shop.sent) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "method", "path"),
    [
        ("silent_after_write", "POST", "order_histories"),
        ("silent", "POST", "order_histories"),
        ("silent_after_write", "PATCH", "order_carriers"),
    ],
    ids=["told", "not told", "half told"],
)
def test_a_customer_whose_confirmation_died_with_its_process_gets_one_mail(
    shop: Installation, sample: Shop, fault: str, method: str, path: str, tmp_path: Path, database_url: str
) -> None:
    order = ship(shop)
    before = len(sample.mails)
    execution_id = killed_in(
        shop, "confirm_shipments", fault, method=method, path=path, folder=tmp_path, url=database_url
    )
    finish(shop, execution_id, folder=tmp_path, url=database_url)
    (effect,) = [line.effect for line in sent(shop, "confirm_shipments")]
    assert effect.state is EffectState.DONE
    assert sample.row("orders", int(order))["current_state"] == SHIPPED
    states = [row["id_order_state"] for row in sample.tables["order_histories"] if row["id_order"] == int(order)]
    assert states.count(SHIPPED) == 1
    assert len(sample.mails) - before == 1
    assert shop.run("confirm_shipments").updated == 0
    assert len(sample.mails) - before == 1
