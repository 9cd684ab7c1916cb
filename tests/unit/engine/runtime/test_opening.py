"""Opening an integration: its secrets, its settings, and the gate in its door."""

from dataclasses import replace

import pytest

from domain.errors import LeaseLost, SettingsInvalid, Withheld
from engine.connector import Operation
from engine.http.door import Traffic as Tried
from engine.runtime import executions, opening, worker
from engine.runtime.platform import Platform
from engine.runtime.run import Lease, Traffic
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, integrations
from storage.rows import Feed, Mode, State, Trigger
from storage.tables import installation
from tests import toy

WRITE = Operation("set_stock", "PUT")


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


@pytest.fixture
def feed(database: Database) -> Feed:
    return toy.an_integration(database)[0]


def integration_of(platform: Platform, feed: Feed):
    return platform.database.read(lambda unit: integrations.get(unit, feed.integration_id))


def keep_secret(platform: Platform, feed: Feed, *, place: str) -> None:
    text = platform.keys.encrypt("tiger", place=place)
    platform.database.write(
        lambda unit: integrations.keep_secret(unit, feed.integration_id, name="password", ciphertext=text)
    )


def test_settings_come_with_their_secrets(platform, feed):
    keep_secret(platform, feed, place=opening.secret_place(feed.integration_id, "password"))
    settings = opening.read_settings(platform, integration_of(platform, feed), toy.CONNECTOR)
    assert settings.password.get_secret_value() == "tiger"
    assert "tiger" not in repr(settings)


def test_a_secret_copied_from_elsewhere_is_refused_with_what_to_do(platform, feed):
    keep_secret(platform, feed, place="integration:99:password")
    with pytest.raises(SettingsInvalid) as refusal:
        opening.read_settings(platform, integration_of(platform, feed), toy.CONNECTOR)
    assert "settings of shop" in refusal.value.remedy


def a_gate(platform: Platform, feed: Feed):
    """The gate of a running execution that may write."""
    requested = executions.request(platform, feed.id, trigger=Trigger.MANUAL)
    claim = executions.claim(platform, requested.execution_id)

    def allow(unit):
        integrations.change(unit, feed.integration_id, mode=Mode.PRODUCTION)
        feeds.change(unit, feed.id, is_live=True)
        unit.connection.execute(installation.insert().values(id=1, fingerprint="x", confirmed_at=unit.now))

    platform.database.write(allow)
    return opening.gate_of(platform, claim.execution, Lease(seconds=30)), claim.execution


def test_in_production_on_a_live_feed_a_change_may_leave(platform, feed):
    gate, _ = a_gate(platform, feed)
    gate(WRITE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda unit, feed, _: integrations.change(unit, feed.integration_id, mode=Mode.TEST), "test mode"),
        (lambda unit, feed, _: feeds.change(unit, feed.id, is_live=False), "put into production"),
        (lambda unit, _, __: unit.connection.execute(installation.update().values(confirmed_at=None)), "not a copy"),
        (lambda unit, _, __: unit.connection.execute(installation.delete()), "not a copy"),
    ],
    ids=["test mode", "feed not live", "not confirmed", "no installation"],
)
def test_without_production_a_change_is_withheld_even_if_it_changed_a_moment_ago(platform, feed, change, words):
    gate, execution = a_gate(platform, feed)
    platform.database.write(lambda unit: change(unit, feed, execution))
    with pytest.raises(Withheld, match=words):
        gate(WRITE)


@pytest.mark.parametrize(
    "change",
    [
        lambda unit, execution: rows.cancel(unit, execution.id, reason=""),
        lambda unit, execution: rows.finish(unit, execution.id, attempt=1, state=State.FAILED),
        lambda unit, execution: rows.release(unit, execution.id, attempt=1, tries=0),
    ],
    ids=["cancelled", "ended", "given back"],
)
def test_an_execution_that_is_not_ours_any_more_sends_nothing(platform, feed, change):
    gate, execution = a_gate(platform, feed)
    platform.database.write(lambda unit: change(unit, execution))
    with pytest.raises(LeaseLost):
        gate(WRITE)


def test_a_lease_that_ran_out_sends_nothing(platform, feed, clock):
    gate, _ = a_gate(platform, feed)
    clock.advance(31)
    with pytest.raises(LeaseLost):
        gate(WRITE)


def test_an_execution_that_was_purged_sends_nothing(platform, feed):
    _, execution = a_gate(platform, feed)
    gone = opening.gate_of(platform, replace(execution, id=999), Lease(seconds=30))
    with pytest.raises(LeaseLost):
        gone(WRITE)


def test_a_write_in_test_mode_never_reaches_the_network_and_fails_the_scripted_flow(platform, database):
    (feed,) = toy.an_integration(database, name="second", at=1, event="write")
    requested = executions.request(platform, feed.id, trigger=Trigger.MANUAL)
    worker.run_execution(platform, requested.execution_id)
    execution = database.read(lambda unit: rows.get(unit, requested.execution_id))
    assert (execution.state, execution.error_code) == (State.FAILED, "withheld")
    assert execution.calls == 0


def test_requests_are_counted_on_the_execution(platform):
    traffic = Traffic()
    opening.count_into(traffic)(Tried("orders", 200, 10, 90, 0.25))
    assert traffic.columns == {"calls": 1, "bytes": 90, "phases": {"network": 0.25}}
