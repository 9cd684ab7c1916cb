"""Test mode: whatever asks for it, whatever would be written, nothing leaves; and going live releases nothing by itself."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.prestashop.client.shipping import OPERATIONS as SHIPPING
from connectors.prestashop.client.stock_writing import OPERATIONS as STOCK
from connectors.prestashop.connector import CONNECTOR
from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_sample_shop
from domain import clock as clocks
from domain.errors import BrokenInvariant, UserError, Withheld
from domain.schedule import Schedule
from engine.actions import effects as effect_actions
from engine.actions import feeds, go_live, integrations, issues, stock
from engine.actions.platform import open_platform
from engine.connector import Operation, Request, writes
from engine.runtime import executions, opening, scheduler, sweeper
from engine.runtime.outbound import withheld
from engine.runtime.run import Lease
from engine.runtime.stock_check.repairs import Direction
from engine.runtime.worker import run_execution
from engine.simulation.server import serve
from storage.queries import effects, history
from storage.queries.effects import Effect
from storage.rows import EffectState, Execution, State, Trigger
from tests.faults.processes import ROOT
from tests.faults.production import count, imported, live, ship
from tests.faults.spoiling import spoil
from tests.installation import ADMINISTRATOR, Installation, settings_for
from tests.moving import MovableClock

OUTBOUND = ("export_stock", "confirm_shipments")


@pytest.fixture
def sample() -> Shop:
    return build_sample_shop()


@pytest.fixture
def shop(sample: Shop, tmp_path: Path, database_url: str, clock: MovableClock) -> Iterator[Installation]:
    """In test mode, with a level and a shipment the shop should be told."""
    clock.moment = clocks.now()
    with (
        serve(PrestashopSimulator(sample)) as server,
        open_platform(settings_for(tmp_path, database_url), now=clock) as platform,
    ):
        known: Any = server.app.describe()["settings"]
        integrations.add(platform, "prestashop", name="shop", values={**known, "url": server.url}, person=ADMINISTRATOR)
        installation = imported(Installation(platform, server))
        count(installation, "demo_11", 100)
        ship(installation)
        server.ledger.clear()
        yield installation


def told(shop: Installation) -> list[Effect]:
    """Every change meant for the shop, oldest first."""
    lines = shop.platform.database.read(
        lambda unit: effects.listed(unit, integration_id=shop.integration.id, count=1000)
    )
    return [line.effect for line in lines][::-1]


def assert_nothing_left(shop: Installation, sample: Shop, *, kinds: set[str], reason: str = withheld.TEST_MODE) -> None:
    """Not one writing request was sent, and what would have been is kept as it would have been sent."""
    assert shop.sent == []
    assert {entry.method for entry in shop.server.ledger.recent} <= {"GET", "HEAD"}
    assert sample.mails == []
    waiting = [effect for effect in told(shop) if effect.state is EffectState.WITHHELD]
    assert {effect.kind for effect in waiting} == kinds
    assert {effect.state for effect in told(shop)} <= {EffectState.WITHHELD, EffectState.SUPERSEDED}
    for effect in waiting:
        assert effect.reason == reason
        assert effect.after
        assert effect.receipt is None
        assert effect.attempts == 0


def run(shop: Installation, flow: str, trigger: Trigger = Trigger.MANUAL) -> Execution:
    asked = executions.request(shop.platform, shop.feed(flow).id, trigger=trigger)
    run_execution(shop.platform, asked.execution_id)
    return shop.execution(asked.execution_id)


# --- every way in


@pytest.mark.parametrize("trigger", list(Trigger))
def test_no_trigger_sends_in_test_mode_and_reading_works(shop: Installation, sample: Shop, trigger: Trigger) -> None:
    for flow in OUTBOUND:
        execution = run(shop, flow, trigger)
        assert (execution.state, execution.withheld, execution.updated) == (State.SUCCEEDED, 1, 0)
    for flow in ("update_products", "import_new_orders", "update_orders", "retry", "check_stock"):
        assert run(shop, flow, trigger).state in (State.SUCCEEDED, State.SUCCEEDED_WITH_ISSUES)
    assert_nothing_left(shop, sample, kinds={"stock_level", "shipment"})
    assert shop.server.ledger.count > 0


def test_schedules_and_catch_ups_send_nothing(shop: Installation, sample: Shop, clock: MovableClock) -> None:
    """The real plan, day after day, also after days off."""
    for flow in OUTBOUND:
        feeds.set_schedule(shop.platform, f"shop/{flow}", Schedule(every=timedelta(minutes=30)), person=ADMINISTRATOR)
    for pause in ({"minutes": 31}, {"days": 3}, {"minutes": 31}):
        clock.advance(**pause)
        scheduler.tick(shop.platform)
        clock.advance(minutes=20)
        shop.run_queued()
    assert {run.trigger for run in _ran(shop)} >= {Trigger.SCHEDULE, Trigger.CATCH_UP}
    assert_nothing_left(shop, sample, kinds={"stock_level", "shipment"})


def _ran(shop: Installation) -> list[Execution]:
    rows = shop.platform.database.read(lambda unit: history.listed(unit, count=1000))
    return [row.execution for row in rows if row.flow in OUTBOUND]


def test_run_now_one_record_an_accepted_volume_and_a_retried_issue_send_nothing(
    shop: Installation, sample: Shop
) -> None:
    feeds.run_now(shop.platform, "shop/export_stock", person=ADMINISTRATOR, find="demo_11")
    shop.run_queued()
    feeds.run_now(shop.platform, "shop/export_stock", person=ADMINISTRATOR, accepts_volume=True)
    feeds.run_now(shop.platform, "shop/confirm_shipments", person=ADMINISTRATOR)
    shop.run_queued()
    for issue in shop.issues():
        if issue.records:
            issues.retry(shop.platform, issue.id, person=ADMINISTRATOR)
    shop.run_queued()
    assert_nothing_left(shop, sample, kinds={"stock_level", "shipment"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_line_sends_nothing(shop: Installation, sample: Shop, tmp_path: Path, database_url: str) -> None:
    """It runs the flow in a process of its own, in the real time."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "NAVETTE_DATA_FOLDER": str(tmp_path),
        "NAVETTE_DATABASE_URL": database_url,
        "NAVETTE_ALLOW_PRIVATE_ADDRESSES": "true",
    }
    for flow in OUTBOUND:
        command = [
            sys.executable,
            "-c",
            "import cli; cli.main()",
            "feeds",
            "run",
            f"shop/{flow}",
            "--wait",
            "--as",
            "Ada",
        ]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "withheld" in done.stdout
    assert_nothing_left(shop, sample, kinds={"stock_level", "shipment"})


def test_a_repair_of_a_difference_sends_nothing(shop: Installation, sample: Shop) -> None:
    sample.set_stock(8, 4)
    shop.run("check_stock")
    found = shop.platform.database.read(stock.listed_differences)
    wrong = [line.difference.id for line in found if line.difference.remote == 4]
    assert stock.repair(shop.platform, wrong, direction=Direction.SEND, person=ADMINISTRATOR) == 1
    shop.run("export_stock")
    assert "8" in {effect.target for effect in told(shop)}
    assert_nothing_left(shop, sample, kinds={"stock_level"})


def test_the_sweeper_takes_up_what_a_dead_worker_left_and_sends_nothing(
    shop: Installation, sample: Shop, clock: MovableClock
) -> None:
    execution_id = shop.request("export_stock")
    assert executions.claim(shop.platform, execution_id) is not None
    clock.advance(minutes=2)
    assert sweeper.take_back_lost(shop.platform) == 1
    shop.run_queued()
    execution = shop.execution(execution_id)
    assert (execution.state, execution.attempt, execution.withheld) == (State.SUCCEEDED, 2, 1)
    assert_nothing_left(shop, sample, kinds={"stock_level"})


# --- every write


def test_every_writing_operation_and_every_disguise_of_one_is_stopped_by_the_real_gate(shop: Installation) -> None:
    """Also under a lease, by an execution of an outbound flow; a GET that writes; one that nobody classified."""
    claim = executions.claim(shop.platform, shop.request("export_stock"))
    assert claim is not None
    disguised = (
        Operation("nobody classified it", "GET"),
        writes("confirm by link", "GET"),
        writes("mutation", "POST"),
        Operation("merge", "X-MERGE"),
    )
    settings = opening.read_settings(shop.platform, shop.integration, CONNECTOR)
    gate = opening.gate_of(shop.platform, claim.execution, Lease(seconds=60))
    before = shop.server.ledger.count
    with opening.open_door(shop.platform, CONNECTOR, settings, gate=gate) as door:
        for operation in (*STOCK, *SHIPPING, *disguised):
            for query in ((), (("ps_method", "PUT"),), (("sendemail", "1"),)):
                with pytest.raises((Withheld, BrokenInvariant)):
                    door.send(Request(operation, "api/stock_availables", query, body=b"<prestashop/>"))
    assert shop.server.ledger.count == before


def test_a_reading_request_that_is_sent_elsewhere_writes_nothing(shop: Installation) -> None:
    """To an address that would have written."""
    target = f"{shop.server.url}/api/stock_availables?ps_method=PATCH"
    shop.server.faults.add("redirect", times=None, path="api/products", setting=target)
    assert run(shop, "update_products").error_code == "settings_invalid"
    assert shop.sent == []
    assert not [entry for entry in shop.server.ledger.recent if "ps_method" in entry.target]


# --- the switch


def test_what_was_queued_or_failed_in_passing_in_production_stays_here_after_the_switch(
    shop: Installation, sample: Shop
) -> None:
    """Effects that wait, an execution that waits for its next try, and one nobody started."""
    live(shop)
    shop.server.ledger.clear()
    shop.server.faults.add("unavailable", times=None, path="api/")
    failing = run(shop, "export_stock")
    assert failing.state is State.QUEUED
    assert EffectState.PENDING in {effect.state for effect in told(shop)}
    fresh = shop.request("confirm_shipments")
    shop.server.faults.clear()
    assert go_live.back_to_test(shop.platform, "shop", person=ADMINISTRATOR) == 1
    assert {effect.state for effect in told(shop)} == {EffectState.WITHHELD}
    for execution_id in (shop.request("export_stock"), fresh):
        run_execution(shop.platform, execution_id)
        assert shop.execution(execution_id).withheld == 1
    assert_nothing_left(shop, sample, kinds={"stock_level", "shipment"})


def test_a_switch_in_the_middle_of_a_run_holds_from_the_very_next_request(
    shop: Installation, sample: Shop, clock: MovableClock
) -> None:
    """While the shop answers the first of two requests, a person goes back to test mode."""
    integrations.change_settings(shop.platform, "shop", values={"concurrent_reads": 1}, person=ADMINISTRATOR)
    live(shop)
    for row in shop.records("product").values():
        if not row.record.variants:
            count(shop, row.record.remote_id, 411)
    for row in shop.records("variant").values():
        count(shop, row.record.remote_id, 411)
    shop.server.ledger.clear()
    _at_first_write(shop, lambda: go_live.back_to_test(shop.platform, "shop", person=ADMINISTRATOR))
    execution = run(shop, "export_stock")
    assert len(shop.sent) == 1
    assert execution.updated == 25
    assert execution.withheld == len(told(shop)) - 25 > 0
    assert {effect.state for effect in told(shop)} == {EffectState.DONE, EffectState.WITHHELD}
    shop.server.faults.clear()
    run(shop, "export_stock")
    assert len(shop.sent) == 1


def _at_first_write(shop: Installation, happens: Callable[[], object]) -> None:
    done: list[bool] = []

    def rewrite(body: bytes) -> bytes:
        if b"stock_available" in body and not done and shop.sent:
            done.append(True)
            happens()
        return body

    spoil(shop.server, "api/stock_availables", rewrite)


# --- going live with effects withheld


def test_going_live_releases_nothing_a_person_releases_or_discards_each_set_and_old_ones_expire(
    shop: Installation, sample: Shop, clock: MovableClock
) -> None:
    first = ship(shop, tracking="XX2")
    second = ship(shop, tracking="XX3")
    run(shop, "confirm_shipments")
    waiting = {effect.target: effect.id for effect in told(shop)}
    assert len(waiting) == 3
    with pytest.raises(UserError):
        effect_actions.release(shop.platform, [waiting[first]], person=ADMINISTRATOR)
    live(shop)
    shop.server.ledger.clear()
    for trigger in (Trigger.SCHEDULE, Trigger.MANUAL, Trigger.RETRY):
        assert run(shop, "confirm_shipments", trigger).updated == 0
    assert shop.sent == []
    assert {effect.state for effect in told(shop) if effect.kind == "shipment"} == {EffectState.WITHHELD}

    assert effect_actions.release(shop.platform, [waiting[first]], person=ADMINISTRATOR) == 1
    assert effect_actions.discard(shop.platform, [waiting[second]], person=ADMINISTRATOR) == 1
    assert shop.sent == []
    assert run(shop, "confirm_shipments").updated == 1
    assert {first} == {str(row["id"]) for row in sample.tables["orders"] if row.get("shipping_number") == "XX2"}

    clock.advance(days=31)
    shop.platform.database.write(withheld.expire)
    states = {effect.target: effect.state for effect in told(shop) if effect.kind == "shipment"}
    assert states.pop(first) is EffectState.DONE
    assert states.pop(second) is EffectState.DISCARDED
    assert list(states.values()) == [EffectState.EXPIRED]
    sent = len(shop.sent)
    run(shop, "confirm_shipments")
    assert len(shop.sent) == sent


def test_a_level_withheld_for_weeks_is_not_what_leaves_after_going_live(shop: Installation, sample: Shop) -> None:
    """Levels are computed afresh; the stale one goes nowhere."""
    run(shop, "export_stock")
    live(shop)
    count(shop, "demo_11", 61)
    run(shop, "export_stock")
    done = [effect for effect in told(shop) if effect.state is EffectState.DONE]
    assert [effect.after["quantity"] for effect in done] == [str(sample.stock_of(6))]
    assert sample.stock_of(6) < 61 + 1
    assert len([entry for entry in shop.sent if entry.method == "PATCH"]) == 1
