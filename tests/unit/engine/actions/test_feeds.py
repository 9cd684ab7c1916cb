"""Running flows now, their schedules, pauses and locks."""

from datetime import timedelta

import pytest

from domain.errors import UserError
from domain.schedule import Schedule, minutes
from engine.actions import executions as execution_actions
from engine.actions import feeds, timetable
from engine.actions.names import feed_named
from engine.runtime.executions import Requested
from storage.queries import executions
from storage.rows import Execution, State, Trigger
from tests.builders import a_level, a_product, an_order
from tests.moving import MovableClock
from tests.unit.engine.actions.desk import NAME, PERSON, Desk

ORDERS = f"{NAME}/import_new_orders"


def row(desk: Desk, requested: Requested) -> Execution:
    return desk.database.read(lambda unit: executions.get(unit, requested.execution_id))


def feed(desk: Desk, name: str = ORDERS):
    return desk.database.read(lambda unit: feed_named(unit, name)).feed


def test_run_now_names_the_person_and_leaves_the_plan_alone(connected: Desk) -> None:
    before = feed(connected).due_at
    requested = feeds.run_now(connected.platform, ORDERS, person=PERSON)
    execution = row(connected, requested)
    assert requested.joined == "new"
    assert (execution.trigger, execution.person, execution.state) == (Trigger.MANUAL, PERSON, State.QUEUED)
    assert feed(connected).due_at == before
    assert connected.audit[0].detail == {"execution": requested.execution_id, "joined": "new"}


def test_asking_twice_joins_and_asking_while_it_runs_queues_behind(connected: Desk) -> None:
    first = feeds.run_now(connected.platform, ORDERS, person=PERSON)
    second = feeds.run_now(connected.platform, ORDERS, person="bob")
    assert (second.execution_id, second.joined) == (first.execution_id, "joined")
    connected.database.write(lambda unit: executions.claim(unit, first.execution_id, worker="w", lease_seconds=30))
    third = feeds.run_now(connected.platform, ORDERS, person="bob")
    assert third.joined == "queued_behind"
    assert str(first.execution_id) in third.message


def test_one_order_is_run_by_its_number(connected: Desk) -> None:
    connected.fill(an_order("100", shipping_code=""), an_order("101"))
    ended = connected.run("import_new_orders", find=" ORDER101 ")
    assert ended.scope == {"find": "ORDER101"}
    assert ended.read == 1


def test_a_past_window_is_run_without_moving_the_mark(connected: Desk, clock: MovableClock) -> None:
    requested = feeds.run_now(
        connected.platform, ORDERS, person=PERSON, since=clock() - timedelta(days=3), until=clock() - timedelta(days=1)
    )
    assert row(connected, requested).scope == {
        "since": "2026-02-27T12:00:00+00:00",
        "until": "2026-03-01T12:00:00+00:00",
    }
    assert connected.work(requested).state is State.SUCCEEDED
    assert feed(connected).mark is None


def test_what_cannot_be_narrowed_so_is_told(connected: Desk, clock: MovableClock) -> None:
    past, future = clock() - timedelta(days=1), clock() + timedelta(days=1)
    for name, more, words in (
        (ORDERS, {"find": "x", "since": past}, "not for both"),
        (ORDERS, {"until": past}, "needs its start"),
        (ORDERS, {"since": future}, "begins in the past"),
        (ORDERS, {"since": past, "until": past}, "begins in the past"),
        (f"{NAME}/update_products", {"since": past}, "looks at everything"),
        (f"{NAME}/check_stock", {"since": past}, "looks at everything"),
        (f"{NAME}/retry", {"find": "x"}, "flow that first saw it"),
    ):
        with pytest.raises(UserError, match=words):
            feeds.run_now(connected.platform, name, person=PERSON, **more)
    assert connected.actions == ["add_integration"]


def test_a_run_of_unusual_size_is_accepted_once(connected: Desk) -> None:
    requested = feeds.run_now(connected.platform, f"{NAME}/update_products", person=PERSON, accepts_volume=True)
    assert row(connected, requested).accepts_volume
    assert connected.audit[0].detail["accepts_volume"] is True


@pytest.mark.parametrize("name", ["corner", "", "corner/import_new_order", "other/retry"])
def test_a_flow_is_named_with_its_integration(connected: Desk, name: str) -> None:
    with pytest.raises(UserError):
        feeds.run_now(connected.platform, name, person=PERSON)


def test_a_paused_flow_tells_who_paused_it_and_goes_on_when_resumed(connected: Desk) -> None:
    feeds.pause(connected.platform, ORDERS, person=PERSON, reason="too early")
    with pytest.raises(UserError, match="Paused by ada: too early"):
        feeds.run_now(connected.platform, ORDERS, person=PERSON)
    with pytest.raises(UserError, match="paused already"):
        feeds.pause(connected.platform, ORDERS, person=PERSON)
    feeds.resume(connected.platform, ORDERS, person=PERSON)
    with pytest.raises(UserError, match="not paused"):
        feeds.resume(connected.platform, ORDERS, person=PERSON)
    assert connected.actions[-2:] == ["pause_feed", "resume_feed"]


def test_a_schedule_is_previewed_then_saved_with_its_next_moment(connected: Desk) -> None:
    schedule = Schedule(cron="30 2 * * *")
    moments = feeds.preview(connected.platform, ORDERS, schedule)
    due_at = feeds.set_schedule(connected.platform, ORDERS, schedule, person=PERSON)
    assert len(moments) == 10
    assert due_at == moments[0].at_utc == feed(connected).due_at
    assert feeds.read_schedule(feed(connected).schedule) == schedule
    assert connected.audit[0].detail == {"from": "every 10 minutes", "to": "every day at 02:30"}


def test_the_night_of_a_clock_change_is_marked_in_the_preview(connected: Desk, clock: MovableClock) -> None:
    clock.advance(days=25)
    moments = feeds.preview(connected.platform, ORDERS, Schedule(cron="30 2 * * *"))
    assert [moment.clock_change for moment in moments if moment.clock_change] == [
        "the clock goes forward that night: 02:30 does not exist, runs at 03:00"
    ]


def test_without_a_schedule_a_flow_waits_to_be_asked(connected: Desk) -> None:
    assert feeds.set_schedule(connected.platform, ORDERS, None, person=PERSON) is None
    assert feed(connected).due_at is None
    assert connected.audit[0].detail["to"] == "by hand only"


@pytest.mark.parametrize("schedule", [Schedule(), Schedule(cron="61 * * * *"), Schedule(every=timedelta(seconds=1))])
def test_a_schedule_that_cannot_be_is_refused(connected: Desk, schedule: Schedule) -> None:
    before = feed(connected)
    for ask in (feeds.preview, lambda *given: feeds.set_schedule(*given, person=PERSON)):
        with pytest.raises(UserError):
            ask(connected.platform, ORDERS, schedule)
    assert feed(connected) == before


def test_a_flow_switched_off_has_no_next_run_and_gets_one_when_switched_on(connected: Desk) -> None:
    feeds.switch(connected.platform, ORDERS, is_on=False, person=PERSON)
    assert feed(connected).due_at is None
    feeds.set_schedule(connected.platform, ORDERS, Schedule(every=minutes(20)), person=PERSON)
    assert feed(connected).due_at is None
    with pytest.raises(UserError, match="off already"):
        feeds.switch(connected.platform, ORDERS, is_on=False, person=PERSON)
    feeds.switch(connected.platform, ORDERS, is_on=True, person=PERSON)
    assert feed(connected).due_at is not None


def test_the_stock_import_locks_and_is_unlocked_by_writing_its_name(connected: Desk) -> None:
    name = f"{NAME}/import_stock"
    with pytest.raises(UserError, match="not locked"):
        feeds.unlock(connected.platform, name, person=PERSON, confirmed=name)
    connected.fill(a_product("1"), a_level("1"))
    connected.run("import_new_products")
    connected.run("import_new_orders")
    connected.run("import_stock")
    with pytest.raises(UserError, match="is locked"):
        feeds.switch(connected.platform, name, is_on=True, person=PERSON)
    with pytest.raises(UserError, match="write its name"):
        feeds.unlock(connected.platform, name, person=PERSON, confirmed="yes")
    feeds.unlock(connected.platform, name, person=PERSON, confirmed=name)
    assert connected.run("import_stock").state is State.SUCCEEDED
    assert "unlock_feed" in connected.actions


def lines(desk: Desk, of: str = "") -> dict[str, timetable.FeedLine]:
    found = desk.database.read(lambda unit: timetable.listed(desk.platform, unit, of=of))
    return {line.named.feed.flow: line for line in found}


def test_the_timetable_tells_of_each_flow_when_it_runs_and_how_it_went(connected: Desk) -> None:
    connected.run("import_new_orders")
    feeds.run_now(connected.platform, f"{NAME}/retry", person=PERSON)
    found = lines(connected)
    assert found["import_new_orders"].last.state is State.SUCCEEDED
    assert found["import_new_orders"].schedule == "every 10 minutes"
    assert found["import_stock"].schedule == "by hand"
    assert found["retry"].running.state is State.QUEUED
    assert found["export_stock"].status == "withheld"
    assert found["retry"].time_zone == "Europe/Paris"
    assert lines(connected, ORDERS).keys() == {"import_new_orders"}
    assert lines(connected, NAME).keys() == found.keys()


def test_the_timetable_says_why_a_flow_does_not_run(connected: Desk) -> None:
    connected.fill(a_product("1"), a_level("1"))
    connected.run("import_new_products")
    connected.run("import_new_orders")
    connected.run("import_stock")
    feeds.pause(connected.platform, ORDERS, person=PERSON, reason="later")
    feeds.switch(connected.platform, f"{NAME}/retry", is_on=False, person=PERSON)
    found = lines(connected)
    assert (found["import_new_orders"].status, found["import_new_orders"].why) == ("paused", "Paused by ada: later")
    assert found["import_new_orders"].next_at is None
    assert found["retry"].status == "off"
    assert found["import_stock"].status == "locked"


def test_executions_are_listed_by_integration_or_by_flow(connected: Desk) -> None:
    connected.run("import_new_orders")
    connected.run("import_new_products")

    def flows(**narrow: object) -> list[str]:
        rows = connected.database.read(lambda unit: execution_actions.listed(unit, **narrow))
        return [listed.flow for listed in rows]

    assert flows() == flows(of=NAME) == ["import_new_products", "import_new_orders"]
    assert flows(of=ORDERS) == ["import_new_orders"]
    assert flows(states=[State.FAILED]) == []


def test_an_execution_is_shown_with_its_outcomes_and_its_zone(connected: Desk) -> None:
    connected.fill(a_product("1"), a_product("2"))
    ended = connected.run("import_new_products")
    shown = connected.database.read(lambda unit: execution_actions.show(unit, ended.id))
    assert shown.time_zone == "Europe/Paris"
    assert [outcome.outcome for outcome in shown.outcomes] == ["created", "created"]
    for wrong in (ended.id + 1, 0):
        with pytest.raises(UserError, match="no execution"):
            connected.database.read(lambda unit, number=wrong: execution_actions.show(unit, number))


def test_cancelling_drops_what_waits_and_asks_what_runs_to_stop(connected: Desk) -> None:
    waiting = feeds.run_now(connected.platform, ORDERS, person=PERSON)
    assert "had not started" in execution_actions.cancel(connected.platform, waiting.execution_id, person=PERSON)
    assert row(connected, waiting).reason == "Cancelled by ada."
    with pytest.raises(UserError, match="ended already"):
        execution_actions.cancel(connected.platform, waiting.execution_id, person=PERSON)
    running = feeds.run_now(connected.platform, ORDERS, person=PERSON)
    connected.database.write(lambda unit: executions.claim(unit, running.execution_id, worker="w", lease_seconds=30))
    assert "stops after the record" in execution_actions.cancel(connected.platform, running.execution_id, person=PERSON)
    assert row(connected, running).is_cancelling
    assert connected.audit[0].subject == ORDERS
