"""Rows of executions, feeds and integrations: lists, the end of their keeping, and what is unique."""

from datetime import timedelta

import pytest

from storage.database import Conflict, Database
from storage.queries import executions, feeds, history, integrations, outcomes, queue
from storage.rows import Feed, Mode, State, Trigger
from storage.tables import executions as execution_table
from storage.tables import outcomes as outcome_table
from tests import toy


@pytest.fixture
def two(database: Database) -> list[Feed]:
    return toy.an_integration(database, flows=(toy.IMPORT, toy.ORDERS))


def queued(database: Database, feed: Feed, **more) -> int:
    found = database.write(lambda unit: executions.insert(unit, feed_id=feed.id, trigger=Trigger.MANUAL, **more))
    assert found is not None
    return found


def ended(database: Database, feed: Feed, state: State = State.SUCCEEDED) -> int:
    execution_id = queued(database, feed)

    def work(unit):
        executions.claim(unit, execution_id, worker="w", lease_seconds=30)
        executions.finish(unit, execution_id, attempt=1, state=state)

    database.write(work)
    return execution_id


def ids(found: list[history.Listed]) -> list[int]:
    return [row.execution.id for row in found]


def test_executions_are_listed_newest_first_and_page_by_id(database, two):
    made = [queued(database, feed) for feed in (*two, *two)]
    first = database.read(lambda unit: history.listed(unit, count=3))
    assert ids(first) == made[:0:-1]
    assert ids(database.read(lambda unit: history.listed(unit, before=first[-1].execution.id))) == made[:1]
    assert (first[0].integration, first[0].flow) == ("shop", toy.ORDERS)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"flow": toy.ORDERS}, 2),
        ({"integration_id": 1}, 4),
        ({"integration_id": 2}, 0),
        ({"states": [State.FAILED]}, 1),
        ({"states": [State.FAILED, State.QUEUED]}, 3),
        ({"trigger": Trigger.MANUAL}, 4),
        ({"trigger": Trigger.WEBHOOK}, 0),
    ],
    ids=str,
)
def test_lists_are_narrowed(database, two, wanted, count):
    for feed in two:
        queued(database, feed)
    ended(database, two[0])
    ended(database, two[1], State.FAILED)
    assert len(database.read(lambda unit: history.listed(unit, **wanted))) == count


def test_lists_are_narrowed_by_feed_and_by_time(database, two, clock):
    old = queued(database, two[0])
    clock.advance(hours=1)
    new = queued(database, two[0])
    queued(database, two[1])
    assert ids(database.read(lambda unit: history.listed(unit, feed_id=two[0].id))) == [new, old]
    assert ids(database.read(lambda unit: history.listed(unit, feed_id=two[0].id, since=clock()))) == [new]


def test_the_old_is_purged_by_how_it_ended_a_few_at_a_time_with_its_outcomes(database, two, clock):
    succeeded = [ended(database, two[0]) for _ in range(3)]
    failed = ended(database, two[0], State.FAILED)

    def note(unit):
        for execution_id in (*succeeded, failed):
            outcomes.add(unit, execution_id, kind="order", lines=[(None, "1", "A-1", "created", "")])

    database.write(note)
    clock.advance(days=91)
    fresh = ended(database, two[0])

    def purge() -> int:
        border = clock() - timedelta(days=90)
        return database.write(lambda unit: history.purge(unit, states=[State.SUCCEEDED], ended_before=border, count=2))

    assert [purge(), purge(), purge()] == [2, 1, 0]
    assert ids(database.read(history.listed)) == [fresh, failed]
    left = database.read(lambda unit: [row.execution_id for row in unit.connection.execute(outcome_table.select())])
    assert left == [failed]


def test_states_are_counted_for_the_operator(database, two):
    queued(database, two[0])
    queued(database, two[0])
    running = queued(database, two[1])
    database.write(lambda unit: executions.claim(unit, running, worker="w", lease_seconds=30))
    assert database.read(history.counts_by_state) == {State.QUEUED: 2, State.RUNNING: 1}


def test_a_queued_execution_can_be_dropped_and_only_then(database, two):
    execution_id = queued(database, two[0])
    drop = {"state": State.SKIPPED, "reason": "Not needed."}
    assert database.write(lambda unit: executions.drop(unit, execution_id, **drop))
    assert not database.write(lambda unit: executions.drop(unit, execution_id, **drop))
    assert database.read(lambda unit: executions.get(unit, execution_id)).reason == "Not needed."


def test_the_database_itself_refuses_two_running_executions_of_one_feed(database, two):
    """Two workers that both saw the slot free: the index decides."""
    first, second = queued(database, two[0]), queued(database, two[0])
    database.write(lambda unit: executions.claim(unit, first, worker="w", lease_seconds=30))
    with pytest.raises(Conflict):
        database.write(
            lambda unit: unit.connection.execute(
                execution_table.update().where(execution_table.c.id == second).values(state="running")
            )
        )


def test_a_scheduled_slot_is_taken_once(database, two, clock):
    assert queued(database, two[0], due_at=clock())
    assert (
        database.write(
            lambda unit: executions.insert(unit, feed_id=two[0].id, trigger=Trigger.SCHEDULE, due_at=clock())
        )
        is None
    )


def test_planning_nothing_changes_nothing(database):
    database.write(lambda unit: queue.plan(unit, []))
    database.write(lambda unit: queue.add_occurrences(unit, {}))
    database.write(lambda unit: feeds.set_due(unit, {}))
    database.write(lambda unit: feeds.insert(unit, 1, flows={}))
    assert database.read(history.listed) == []


def test_nobody_holds_a_permission_for_an_execution_that_is_not_there(database):
    assert database.read(lambda unit: executions.permission(unit, 99, attempt=1)) is None


def test_feeds_are_made_once_and_found_by_flow(database, two):
    integration_id = two[0].integration_id
    database.write(lambda unit: feeds.insert(unit, integration_id, flows={toy.IMPORT: False, toy.EXPORT: False}))
    found = {feed.flow: feed.is_enabled for feed in database.read(feeds.listed)}
    assert found == {toy.IMPORT: True, toy.ORDERS: True, toy.EXPORT: False}
    assert database.read(lambda unit: feeds.find(unit, integration_id, flow="nothing")) is None
    assert len(database.read(lambda unit: feeds.listed(unit, integration_id=integration_id + 1))) == 0


def test_the_first_reason_of_a_pause_stays(database, two):
    feed_id = two[0].id
    assert database.write(lambda unit: feeds.pause(unit, feed_id, reason="First."))
    assert not database.write(lambda unit: feeds.pause(unit, feed_id, reason="Second."))
    assert database.read(lambda unit: feeds.get(unit, feed_id)).pause_reason == "First."
    assert database.write(lambda unit: feeds.resume(unit, feed_id))
    assert not database.write(lambda unit: feeds.resume(unit, feed_id))


def test_the_average_of_a_feed_forgets_slowly(database, two):
    for seconds in (100.0, 200.0):
        database.write(lambda unit, seconds=seconds: feeds.succeeded(unit, two[0].id, seconds=seconds))
    assert database.read(lambda unit: feeds.get(unit, two[0].id)).average_seconds == pytest.approx(120)


def test_a_new_integration_is_in_test_mode_and_its_name_is_taken(database, two):
    found = database.read(lambda unit: integrations.find(unit, "shop"))
    assert (found.mode, found.settings_version, found.paused_at) == (Mode.TEST, 1, None)
    with pytest.raises(Conflict):
        toy.an_integration(database)
    assert database.read(lambda unit: integrations.find(unit, "nothing")) is None
    assert [integration.name for integration in database.read(integrations.listed)] == ["shop"]


def test_each_change_of_settings_is_a_version_that_can_be_read_again(database, two):
    integration_id = two[0].integration_id
    change = {"settings": {"pages": 9}, "rulebook": {"safety_buffer": "2"}, "person": "anna"}
    assert database.write(lambda unit: integrations.change_settings(unit, integration_id, **change)) == 2
    assert database.read(lambda unit: integrations.version_of(unit, integration_id, version=1)) == ({}, {})
    assert database.read(lambda unit: integrations.version_of(unit, integration_id, version=2))[0] == {"pages": 9}
    assert database.read(lambda unit: integrations.version_of(unit, integration_id, version=3)) is None


def test_an_integration_is_paused_and_resumed_once(database, two):
    integration_id = two[0].integration_id
    assert database.write(lambda unit: integrations.pause(unit, integration_id, attention="First."))
    assert not database.write(lambda unit: integrations.pause(unit, integration_id, attention="Second."))
    assert database.read(lambda unit: integrations.get(unit, integration_id)).attention == "First."
    assert database.write(lambda unit: integrations.resume(unit, integration_id))
    assert not database.write(lambda unit: integrations.resume(unit, integration_id))


def test_a_secret_takes_the_place_of_the_one_before(database, two):
    integration_id = two[0].integration_id
    for text in ("v1.a", "v1.b"):
        database.write(
            lambda unit, text=text: integrations.keep_secret(unit, integration_id, name="key", ciphertext=text)
        )
    assert database.read(lambda unit: integrations.secrets_of(unit, integration_id)) == {"key": "v1.b"}
    assert database.read(integrations.all_secrets) == [(integration_id, "key", "v1.b")]
