"""One statement renews every lease of a worker and tells which were lost."""

from functools import partial

import pytest

from domain.errors import LeaseLost
from engine.runtime import executions
from engine.runtime.platform import Platform
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import heartbeats
from storage.rows import State, Trigger
from tests import toy


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


def claim(platform: Platform, feed) -> executions.Claim:
    requested = executions.request(platform, feed.id, trigger=Trigger.MANUAL)
    found = executions.claim(platform, requested.execution_id)
    assert found is not None
    return found


def test_a_beat_renews_leases_and_shows_the_worker_alive(platform, database, clock):
    first, second = (claim(platform, feed) for feed in toy.an_integration(database, flows=(toy.IMPORT, toy.ORDERS)))
    with platform.heartbeat.holding(first.execution), platform.heartbeat.holding(second.execution):
        clock.advance(20)
        platform.heartbeat.beat()
        for execution in (first.execution, second.execution):
            renewed = database.read(partial(rows.get, execution_id=execution.id))
            assert (renewed.lease_until - clock()).total_seconds() == 30
    assert [(beat.role, beat.at) for beat in database.read(heartbeats.listed)] == [("worker", clock())]


def test_a_lease_another_worker_holds_is_lost(platform, database):
    (feed,) = toy.an_integration(database)
    taken = claim(platform, feed)
    with platform.heartbeat.holding(taken.execution) as lease:
        lease.demand()
        database.write(lambda unit: rows.release(unit, taken.execution.id, attempt=1, tries=0))
        executions.claim(toy.a_platform(database), taken.execution.id)
        platform.heartbeat.beat()
        with pytest.raises(LeaseLost):
            lease.demand()


def test_an_execution_that_ended_is_no_lease_lost(platform, database):
    (feed,) = toy.an_integration(database)
    taken = claim(platform, feed)
    with platform.heartbeat.holding(taken.execution):
        database.write(lambda unit: rows.finish(unit, taken.execution.id, attempt=1, state=State.SUCCEEDED))
    platform.heartbeat.beat()
    assert platform.heartbeat.count == 0


def test_giving_up_stops_every_execution_before_its_next_write(platform, database):
    (feed,) = toy.an_integration(database)
    with platform.heartbeat.holding(claim(platform, feed).execution) as lease:
        platform.heartbeat.give_up()
        with pytest.raises(LeaseLost):
            lease.demand()


def test_an_attempt_that_lost_its_lease_may_end_after_this_worker_claimed_the_execution_again(
    platform, database, clock
):
    (feed,) = toy.an_integration(database)
    former = claim(platform, feed).execution
    with platform.heartbeat.holding(former) as lost:
        database.write(lambda unit: rows.release(unit, former.id, attempt=1, tries=0))
        again = executions.claim(platform, former.id).execution
        renewed = platform.heartbeat.holding(again)
        with renewed as held:
            platform.heartbeat.beat()
            with pytest.raises(LeaseLost):
                lost.demand()
            held.demand()
        assert platform.heartbeat.count == 1
    assert platform.heartbeat.count == 0
