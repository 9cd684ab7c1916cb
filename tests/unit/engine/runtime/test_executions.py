"""Requesting, claiming and cancelling: the single way in."""

import pytest

from domain.errors import UserError
from engine.runtime import executions
from engine.runtime.platform import Platform
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, integrations
from storage.rows import Execution, Feed, State, Trigger
from tests import toy


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


@pytest.fixture
def feed(database: Database) -> Feed:
    return toy.an_integration(database)[0]


def read(platform: Platform, execution_id: int) -> Execution:
    found = platform.database.read(lambda unit: rows.get(unit, execution_id))
    assert found is not None
    return found


def run_now(platform: Platform, feed: Feed, **more) -> executions.Requested:
    return executions.request(platform, feed.id, trigger=Trigger.MANUAL, person="anna", **more)


def test_a_request_queues_an_execution_and_rings_once(platform, feed):
    requested = run_now(platform, feed)
    assert requested.joined == "new"
    assert platform.dispatcher.backlog() == 1
    execution = read(platform, requested.execution_id)
    assert (execution.state, execution.trigger, execution.person) == (State.QUEUED, Trigger.MANUAL, "anna")


def test_asking_twice_joins_the_execution_that_waits(platform, feed):
    first = run_now(platform, feed)
    second = run_now(platform, feed)
    assert (second.execution_id, second.joined) == (first.execution_id, "joined")
    assert str(first.execution_id) in second.message


def test_a_request_for_one_record_does_not_join_one_for_all(platform, feed):
    whole = run_now(platform, feed)
    single = run_now(platform, feed, scope={"find": "A-1"})
    again = run_now(platform, feed, scope={"find": "A-1"})
    assert single.joined == "queued_behind"
    assert single.execution_id != whole.execution_id
    assert (again.execution_id, again.joined) == (single.execution_id, "joined")


def test_while_the_feed_runs_a_request_queues_behind_and_a_further_one_joins_that(platform, feed):
    running = run_now(platform, feed)
    assert executions.claim(platform, running.execution_id) is not None
    behind = run_now(platform, feed)
    joined = run_now(platform, feed)
    assert behind.joined == "queued_behind"
    assert str(running.execution_id) in behind.message
    assert (joined.joined, joined.execution_id) == ("joined", behind.execution_id)


def test_joining_an_execution_that_waits_for_later_makes_it_run_now(platform, feed, clock):
    requested = run_now(platform, feed)
    claim = executions.claim(platform, requested.execution_id)
    later = clock().replace(hour=18)
    platform.database.write(
        lambda unit: rows.release(unit, claim.execution.id, attempt=1, available_at=later, tries=1, reason="Slow down.")
    )
    assert executions.claim(platform, requested.execution_id) is None
    assert run_now(platform, feed, accepts_volume=True).joined == "joined"
    claim = executions.claim(platform, requested.execution_id)
    assert claim is not None
    assert claim.execution.accepts_volume
    assert (claim.execution.attempt, claim.execution.tries) == (2, 1)


def test_an_execution_is_claimed_once(platform, feed, clock):
    requested = run_now(platform, feed)
    claim = executions.claim(platform, requested.execution_id)
    assert claim is not None
    assert claim.execution.state is State.RUNNING
    assert claim.execution.attempt == 1
    assert (claim.execution.lease_until - clock()).total_seconds() == 30
    assert claim.execution.settings_version == 1
    assert executions.claim(platform, requested.execution_id) is None
    assert read(platform, requested.execution_id).attempt == 1


def test_a_feed_never_runs_twice_at_once_whatever_the_trigger(platform, feed):
    first = run_now(platform, feed)
    assert executions.claim(platform, first.execution_id) is not None
    second = executions.request(platform, feed.id, trigger=Trigger.WEBHOOK, scope={"ids": ["1"]})
    assert executions.claim(platform, second.execution_id) is None
    assert read(platform, second.execution_id).state is State.QUEUED


def test_two_feeds_of_one_integration_run_side_by_side(platform, database):
    feeds_ = toy.an_integration(database, flows=(toy.IMPORT, toy.ORDERS))
    claims = [executions.claim(platform, run_now(platform, feed).execution_id) for feed in feeds_]
    assert all(claims)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda unit, feed: feeds.change(unit, feed.id, is_enabled=False), ["switched off", "Switch it on"]),
        (lambda unit, feed: feeds.pause(unit, feed.id, reason="Too wild."), ["paused", "Too wild.", "Resume it"]),
        (
            lambda unit, feed: integrations.pause(unit, feed.integration_id, attention="The key was refused."),
            ["paused", "The key was refused.", "resume it"],
        ),
    ],
    ids=["switched off", "feed paused", "integration paused"],
)
def test_what_is_stopped_refuses_with_what_to_do(platform, feed, change, words):
    waiting = run_now(platform, feed)
    platform.database.write(lambda unit: change(unit, feed))
    with pytest.raises(UserError) as refusal:
        run_now(platform, feed)
    assert all(word in refusal.value.message for word in words)
    assert executions.claim(platform, waiting.execution_id) is None, "what waited already does not start either"


def test_a_flow_that_is_gone_refuses(platform, database):
    with pytest.raises(UserError, match="does not exist"):
        executions.request(platform, 99, trigger=Trigger.MANUAL)


def test_cancelling_what_waits_ends_it_at_once(platform, feed):
    requested = run_now(platform, feed)
    assert "had not started" in executions.cancel(platform, requested.execution_id, person="anna")
    execution = read(platform, requested.execution_id)
    assert (execution.state, execution.reason) == (State.CANCELLED, "Cancelled by anna.")
    assert executions.claim(platform, requested.execution_id) is None


def test_cancelling_what_runs_asks_it_to_stop(platform, feed):
    requested = run_now(platform, feed)
    executions.claim(platform, requested.execution_id)
    assert "stops after" in executions.cancel(platform, requested.execution_id, person="")
    assert read(platform, requested.execution_id).is_cancelling


def test_cancelling_what_has_ended_is_refused(platform, feed):
    requested = run_now(platform, feed)
    executions.cancel(platform, requested.execution_id, person="anna")
    with pytest.raises(UserError, match="ended already"):
        executions.cancel(platform, requested.execution_id, person="anna")
