"""From schedules to executions: every moment becomes exactly one row's business."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import UserError
from domain.schedule import Missed, Overlap, Schedule, minutes
from engine.runtime import executions, scheduler
from engine.runtime.platform import Platform
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, history, integrations, queue
from storage.rows import Execution, Feed, State, Trigger
from tests import toy


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


def a_feed(database: Database, **schedule) -> Feed:
    """A feed on a schedule (default: every ten minutes)."""
    (feed,) = toy.an_integration(database)
    declared = Schedule(**({"every": minutes(10)} | schedule))
    database.write(lambda unit: scheduler.set_schedule(unit, feed.id, declared))
    return reread(database, feed)


def reread(database: Database, feed: Feed) -> Feed:
    found = database.read(lambda unit: feeds.get(unit, feed.id))
    assert found is not None
    return found


def listed(database: Database) -> list[Execution]:
    """All executions, oldest first."""
    return [row.execution for row in reversed(database.read(history.listed))]


def test_a_schedule_plans_the_next_moment(database, clock):
    feed = a_feed(database)
    assert feed.due_at == datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


def test_nothing_is_due_before_its_moment(platform, database, clock):
    a_feed(database)
    clock.advance(minutes=9)
    assert scheduler.tick(platform) == 0
    assert listed(database) == []


def test_a_moment_that_comes_is_queued_and_rung_and_the_next_one_planned(platform, database, clock):
    feed = a_feed(database)
    clock.advance(minutes=10)
    assert scheduler.tick(platform) == 1
    (execution,) = listed(database)
    assert (execution.state, execution.trigger, execution.due_at) == (State.QUEUED, Trigger.SCHEDULE, feed.due_at)
    assert platform.dispatcher.backlog() == 1
    assert reread(database, feed).due_at == feed.due_at + minutes(10)
    assert scheduler.tick(platform) == 0


def test_after_downtime_one_run_catches_up_and_the_missed_are_counted(platform, database, clock):
    feed = a_feed(database)
    clock.advance(days=3)
    scheduler.tick(platform)
    missed, caught_up = listed(database)
    assert (missed.state, missed.occurrences) == (State.MISSED, 3 * 144 - 1)
    assert "one later run" in missed.reason
    assert (caught_up.state, caught_up.trigger, caught_up.due_at) == (State.QUEUED, Trigger.CATCH_UP, clock())
    assert timedelta(0) <= caught_up.available_at - clock() < scheduler.CATCH_UP_SPREAD
    assert reread(database, feed).due_at == clock() + minutes(10)


def test_catch_ups_of_many_feeds_are_spread_out(platform, database, clock):
    found = toy.an_integration(database, flows=[f"flow_{number}" for number in range(40)])
    for feed in found:
        database.write(lambda unit, feed=feed: scheduler.set_schedule(unit, feed.id, Schedule(every=minutes(10))))
    clock.advance(days=3)
    scheduler.tick(platform)
    starts = {execution.available_at for execution in listed(database) if execution.state is State.QUEUED}
    assert len(starts) > 20


def test_a_schedule_that_catches_up_all_queues_each(platform, database, clock):
    a_feed(database, missed=Missed.RUN_ALL)
    clock.advance(minutes=35)
    scheduler.tick(platform)
    assert [execution.state for execution in listed(database)] == [State.QUEUED] * 3


def test_a_schedule_that_skips_what_it_missed_runs_nothing_late(platform, database, clock):
    a_feed(database, missed=Missed.SKIP)
    clock.advance(minutes=36)
    scheduler.tick(platform)
    (missed,) = listed(database)
    assert (missed.state, missed.occurrences) == (State.MISSED, 3)


def test_a_moment_that_comes_while_the_former_runs_is_skipped_with_the_reason(platform, database, clock):
    a_feed(database)
    clock.advance(minutes=10)
    scheduler.tick(platform)
    executions.claim(platform, 1)
    clock.advance(minutes=10)
    scheduler.tick(platform)
    skipped = listed(database)[1]
    assert (skipped.state, skipped.reason, skipped.due_at) == (State.SKIPPED, scheduler.STILL_RUNS, clock())


def test_a_run_by_hand_holds_up_the_schedule_too_unless_it_is_for_single_records(platform, database, clock):
    feed = a_feed(database)
    single = executions.request(platform, feed.id, trigger=Trigger.MANUAL, scope={"ids": ["1"]})
    executions.claim(platform, single.execution_id)
    clock.advance(minutes=10)
    scheduler.tick(platform)
    assert listed(database)[-1].state is State.QUEUED
    clock.advance(minutes=10)
    scheduler.tick(platform)
    assert listed(database)[-1].state is State.SKIPPED


def test_with_overlap_queue_one_moment_waits_and_the_next_are_skipped(platform, database, clock):
    a_feed(database, overlap=Overlap.QUEUE)
    for _ in range(3):
        clock.advance(minutes=10)
        scheduler.tick(platform)
        executions.claim(platform, 1)
    assert [execution.state for execution in listed(database)] == [State.RUNNING, State.QUEUED, State.SKIPPED]


def test_what_is_paused_runs_nothing_and_counts_every_moment_on_one_row(platform, database, clock):
    feed = a_feed(database)
    database.write(lambda unit: feeds.pause(unit, feed.id, reason="Too wild."))
    for _ in range(5):
        clock.advance(minutes=10)
        scheduler.tick(platform)
    clock.advance(hours=2)
    scheduler.tick(platform)
    (skipped,) = listed(database)
    assert (skipped.state, skipped.reason, skipped.occurrences) == (State.SKIPPED, scheduler.PAUSED, 17)
    database.write(lambda unit: feeds.resume(unit, feed.id))
    clock.advance(minutes=10)
    scheduler.tick(platform)
    assert listed(database)[-1].state is State.QUEUED


def test_a_paused_integration_pauses_the_schedule(platform, database, clock):
    feed = a_feed(database)
    database.write(lambda unit: integrations.pause(unit, feed.integration_id, attention="The key was refused."))
    clock.advance(minutes=10)
    scheduler.tick(platform)
    assert [execution.state for execution in listed(database)] == [State.SKIPPED]


def test_planned_is_always_ran_plus_skipped_plus_missed(platform, database, clock):
    feed = a_feed(database)
    start = clock()
    for step in (10, 10, 47, 3, 20, 130, 10, 600):
        clock.advance(minutes=step)
        scheduler.tick(platform)
        counted = sum(execution.occurrences for execution in listed(database))
        assert counted == (clock() - start) // minutes(10)
        executions.claim(platform, 1)
        if step == 20:
            database.write(lambda unit: feeds.pause(unit, feed.id, reason=""))
        if step == 130:
            database.write(lambda unit: feeds.resume(unit, feed.id))


def test_a_clock_set_back_repeats_no_moment_and_runs_none_early(platform, database, clock):
    feed = a_feed(database)
    clock.advance(minutes=10)
    scheduler.tick(platform)
    clock.advance(hours=-1)
    for _ in range(6):
        assert scheduler.tick(platform) == 0
        clock.advance(minutes=10)
    assert len(listed(database)) == 1
    clock.advance(minutes=10)
    scheduler.tick(platform)
    assert [execution.due_at for execution in listed(database)] == [feed.due_at, feed.due_at + minutes(10)]


def test_a_clock_set_a_day_forward_gives_one_run_and_the_number_of_the_missed(platform, database, clock):
    a_feed(database)
    clock.advance(days=1)
    scheduler.tick(platform)
    assert [(e.state, e.occurrences) for e in listed(database)] == [(State.MISSED, 143), (State.QUEUED, 1)]


def test_two_schedulers_that_plan_the_same_moment_make_one_execution(platform, database, clock):
    """The second comes with what it read before the first committed: the slot is taken."""
    feed = a_feed(database)
    clock.advance(minutes=10)
    moment = queue.Planned(feed_id=feed.id, due_at=feed.due_at, trigger=Trigger.SCHEDULE)
    database.write(lambda unit: queue.plan(unit, [moment]))
    database.write(lambda unit: queue.plan(unit, [moment]))
    assert len(listed(database)) == 1
    assert (
        database.write(lambda unit: rows.insert(unit, feed_id=feed.id, trigger=Trigger.SCHEDULE, due_at=feed.due_at))
        is None
    )


def test_more_feeds_than_fit_in_one_tick_are_planned_in_several(platform, database, clock):
    found = toy.an_integration(database, flows=[f"flow_{number}" for number in range(5)])
    for feed in found:
        database.write(lambda unit, feed=feed: scheduler.set_schedule(unit, feed.id, Schedule(every=minutes(10))))
    clock.advance(minutes=10)
    assert [scheduler.tick(platform, count=2) for _ in range(4)] == [2, 2, 1, 0]
    assert {execution.feed_id for execution in listed(database)} == {feed.id for feed in found}


def test_a_local_time_follows_the_zone_of_the_integration(database, clock):
    feed = a_feed(database, every=None, cron="30 2 * * *")
    assert feed.due_at == datetime(2026, 3, 3, 1, 30, tzinfo=UTC)
    database.write(lambda unit: integrations.change(unit, feed.integration_id, time_zone="Asia/Tokyo"))
    database.write(lambda unit: scheduler.replan(unit, [feed.id]))
    assert reread(database, feed).due_at == datetime(2026, 3, 2, 17, 30, tzinfo=UTC)


def test_switching_off_forgets_the_plan_and_switching_on_makes_a_new_one(platform, database, clock):
    feed = a_feed(database)
    assert database.write(lambda unit: scheduler.set_enabled(unit, feed.id, is_enabled=False)) is None
    clock.advance(days=2, minutes=3)
    assert scheduler.tick(platform) == 0
    again = database.write(lambda unit: scheduler.set_enabled(unit, feed.id, is_enabled=True))
    assert again == clock() + minutes(7)


def test_taking_the_schedule_away_leaves_a_feed_run_by_hand(platform, database, clock):
    feed = a_feed(database)
    assert database.write(lambda unit: scheduler.set_schedule(unit, feed.id, None)) is None
    clock.advance(days=1)
    assert scheduler.tick(platform) == 0


def test_a_wrong_schedule_is_refused_and_the_former_stays(database):
    feed = a_feed(database)
    with pytest.raises(UserError, match="cron"):
        database.write(lambda unit: scheduler.set_schedule(unit, feed.id, Schedule(cron="61 * * * *")))
    assert reread(database, feed) == feed


def test_a_flow_that_is_gone_cannot_be_scheduled(database):
    with pytest.raises(UserError, match="does not exist"):
        database.write(lambda unit: scheduler.set_schedule(unit, 99, None))
    with pytest.raises(UserError, match="does not exist"):
        database.write(lambda unit: scheduler.replan(unit, [99]))
