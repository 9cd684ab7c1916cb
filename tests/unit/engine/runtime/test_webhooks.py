"""A webhook is verified, stored once, and becomes one execution that fetches the current state; a forgery becomes nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from domain.records import Product
from engine.runtime import executions, worker
from engine.runtime.platform import Platform
from engine.runtime.webhooks import DELIVERIES, LARGEST_BODY, REFUSALS, Received, receive
from engine.webhook import Delivery, Webhook
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, integrations, records, references, removal
from storage.queries import webhooks as stored
from storage.rows import Execution, State, Trigger
from storage.tables import executions as executions_table
from storage.tables import webhook_deliveries
from tests import ringing_shop
from tests.builders import NOON, a_product
from tests.corner_shop import CornerShop
from tests.ringing_shop import BARE, CREATED, KEY, NEXT_KEY, UNHEARD, UPDATED, a_note, bare, stamped

REFUSED = Received(401)


@pytest.fixture
def shop() -> CornerShop:
    return CornerShop()


@pytest.fixture
def platform(database: Database, shop: CornerShop) -> Platform:
    ringing_shop.an_integration(database)
    return ringing_shop.a_platform(database, shop)


@pytest.fixture
def bare_platform(database: Database, shop: CornerShop) -> Platform:
    ringing_shop.an_integration(database)
    return ringing_shop.a_platform(database, shop, BARE)


def queued(database: Database) -> list[Execution]:
    query = sa.select(executions_table.c.id).order_by(executions_table.c.id)
    ids = database.read(lambda unit: list(unit.connection.execute(query).scalars()))
    found = [database.read(lambda unit, row=row: rows.get(unit, row)) for row in ids]
    return [execution for execution in found if execution is not None]


def kept(database: Database) -> list[str]:
    query = sa.select(webhook_deliveries.c.delivery_id).order_by(webhook_deliveries.c.delivery_id)
    return database.read(lambda unit: list(unit.connection.execute(query).scalars()))


def deliver(platform: Platform, delivery_id: str = "evt-1", *ids: str, topic: str = CREATED, at=NOON) -> Received:
    body = a_note(delivery_id, *ids, topic=topic)
    return receive(platform, "corner", stamped(body, at=at), body)


def test_a_genuine_delivery_is_stored_and_asks_for_the_records_it_hints_at(platform, database, clock):
    received = deliver(platform, "evt-1", "7", "8")
    (execution,) = queued(database)
    assert received == Received(202, executions=(execution.id,))
    assert (execution.trigger, execution.scope) == (Trigger.WEBHOOK, {"ids": ["7", "8"]})
    (row,) = database.read(lambda unit: stored.listed(unit, 1))
    assert (row.delivery_id, row.topic, row.ids) == ("evt-1", CREATED, ("7", "8"))
    assert (row.sent_at, row.received_at, row.executions) == (NOON, clock(), (execution.id,))
    assert platform.dispatcher.backlog() == 1


def test_the_same_delivery_five_times_is_five_times_well_received_stored_once_and_run_once(platform, database):
    assert [deliver(platform).status for _ in range(5)] == [202, 200, 200, 200, 200]
    assert kept(database) == ["evt-1"]
    assert len(queued(database)) == 1


def test_five_at_once_are_stored_once_and_run_once(platform, database):
    barrier = Barrier(5)

    def one(_number: int) -> int:
        barrier.wait()
        return deliver(platform).status

    with ThreadPoolExecutor(5) as threads:
        statuses = sorted(threads.map(one, range(5)))
    assert statuses == [200, 200, 200, 200, 202]
    assert kept(database) == ["evt-1"]
    assert len(queued(database)) == 1


def test_a_repeat_after_its_execution_ended_runs_nothing(platform, database, shop):
    shop.put(a_product("1"))
    (execution_id,) = deliver(platform).executions
    worker.run_execution(platform, execution_id)
    assert deliver(platform) == Received(200)
    assert [execution.state for execution in queued(database)] == [State.SUCCEEDED]


def test_what_is_late_and_out_of_order_ends_in_the_current_state(platform, database, shop):
    """Creation is told after the change, and both tell a state that is no longer so."""
    shop.put(a_product("1", name="As it is now"))
    for delivery_id, topic in (("evt-2", UPDATED), ("evt-1", CREATED), ("evt-2", UPDATED)):
        body = a_note(delivery_id, topic=topic, state="As it was")
        received = receive(platform, "corner", stamped(body, at=NOON - timedelta(minutes=4)), body)
        for execution_id in received.executions:
            worker.run_execution(platform, execution_id)
    assert [execution.state for execution in queued(database)] == [State.SUCCEEDED] * 2
    found = database.read(lambda unit: references.known(unit, 1, kind=Product.kind, remote_ids=["1"]))
    name = database.read(lambda unit: records.get(unit, found["1"].record_id))
    assert name is not None
    assert "As it is now" in str(name)


BODY = a_note()


@pytest.mark.parametrize(
    ("name", "headers", "body"),
    [
        ("corner", {}, BODY),
        ("corner", {"X-Signature": ""}, BODY),
        ("corner", {"X-Signature": "t=,v1="}, BODY),
        ("corner", {"X-Signature": "t=now,v1=\xe9\udc80"}, BODY),
        ("corner", stamped(BODY, keys=("another",)), BODY),
        ("corner", stamped(BODY, keys=("",)), BODY),
        ("corner", stamped(BODY), BODY + b" "),
        ("corner", stamped(BODY), b""),
        ("corner", {"X-Signature": stamped(BODY)["X-Signature"].replace("t=1", "t=2")}, BODY),
        ("corner", stamped(BODY, at=NOON - timedelta(minutes=5, seconds=1)), BODY),
        ("corner", stamped(BODY, at=NOON + timedelta(minutes=5, seconds=1)), BODY),
        ("corner", stamped(a_note("")), a_note("")),
        ("nobody", stamped(BODY), BODY),
        ("", stamped(BODY), BODY),
        ("corner\x00", stamped(BODY), BODY),
        ("../corner", stamped(BODY), BODY),
    ],
    ids=[
        "missing",
        "empty",
        "hollow",
        "garbage",
        "another key",
        "no key",
        "changed body",
        "no body",
        "changed moment",
        "old",
        "in the future",
        "without an id",
        "unknown integration",
        "no name",
        "odd name",
        "path",
    ],
)
def test_what_is_not_genuine_is_refused_and_leaves_nothing(platform, database, name, headers, body):
    assert receive(platform, name, headers, body) == REFUSED
    assert kept(database) == []
    assert queued(database) == []
    assert platform.dispatcher.backlog() == 0


@pytest.mark.parametrize(
    "webhook",
    [
        None,
        Webhook(ringing_shop.verify_carelessly, {}),
        Webhook(lambda *_: Delivery("1", "t", sent_at=NOON.replace(tzinfo=None)), {}),
    ],
    ids=["no webhooks", "a connector that stumbles", "a moment without a zone"],
)
def test_an_integration_that_cannot_verify_answers_as_to_a_forgery(database, shop, webhook):
    ringing_shop.an_integration(database)
    platform = ringing_shop.a_platform(database, shop, webhook)
    body = a_note()
    assert receive(platform, "corner", stamped(body), body) == REFUSED
    assert kept(database) == []


@pytest.mark.parametrize("lacks", ["secret", "connector"])
def test_an_integration_whose_settings_are_not_complete_answers_as_to_a_forgery(platform, database, lacks):
    def spoil(unit):
        if lacks == "secret":
            removal.remove(unit, 1)
            integrations.insert(unit, name="corner", connector="corner_shop", time_zone="UTC", settings={}, rulebook={})
        else:
            integrations.change(unit, 1, connector="gone")

    database.write(spoil)
    assert deliver(platform) == REFUSED


def test_a_forgery_costs_the_same_statements_whether_or_not_there_is_somebody(platform, database, shop):
    """What an attacker could measure: an unknown name, one without webhooks, a wrong key, a wrong key and a huge body."""
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    body = a_note()
    without = ringing_shop.a_platform(database, shop, None)
    seen = []
    for process, name in ((platform, "corner"), (platform, "nobody"), (platform, "\x00"), (without, "corner")):
        statements.clear()
        assert receive(process, name, stamped(body, keys=("wrong",)), body) == REFUSED
        seen.append(list(statements))
    assert seen[0] == seen[1] == seen[2] == seen[3]


@pytest.mark.parametrize(
    "keys", [(KEY,), (NEXT_KEY,), ("foreign", NEXT_KEY), (KEY, "foreign")], ids=["old", "new", "second", "first"]
)
def test_while_a_key_is_replaced_either_side_may_use_both(database, shop, keys):
    ringing_shop.an_integration(database, next_key=NEXT_KEY)
    platform = ringing_shop.a_platform(database, shop)
    body = a_note()
    assert receive(platform, "corner", stamped(body, keys=keys), body).status == 202


def test_header_names_come_in_any_case(bare_platform):
    body = a_note()
    headers = {name.upper(): value for name, value in bare(body).items()}
    assert receive(bare_platform, "corner", headers, body).status == 202


def test_a_recorded_delivery_under_a_new_id_is_a_replay(bare_platform, database):
    body = a_note()
    assert receive(bare_platform, "corner", bare(body, delivery_id="hook-1"), body).status == 202
    assert receive(bare_platform, "corner", bare(body, delivery_id="hook-1"), body).status == 200
    assert receive(bare_platform, "corner", bare(body, delivery_id="hook-2"), body) == REFUSED
    assert kept(database) == ["hook-1"]
    assert len(queued(database)) == 1


def test_a_recorded_delivery_is_refused_once_it_is_old(platform, database, clock):
    body = a_note()
    headers = stamped(body)
    assert receive(platform, "corner", headers, body).status == 202
    clock.advance(minutes=6)
    assert receive(platform, "corner", headers, body) == REFUSED


@pytest.mark.parametrize("name", ["corner", "nobody"])
def test_a_huge_body_is_refused_before_anything_is_done(platform, database, name):
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    body = b"x" * (LARGEST_BODY + 1)
    assert receive(platform, name, stamped(body), body) == Received(413)
    assert statements == []


def test_a_flood_of_genuine_deliveries_is_let_in_at_the_rate_of_the_integration(platform, database, clock):
    ringing_shop.an_integration(database, name="other")
    full_at = clock().timestamp() + DELIVERIES.seconds * DELIVERIES.burst
    database.write(lambda unit: (stored.spent_until(unit, 1), stored.spend(unit, 1, until=full_at - 0.2)))
    statuses = [deliver(platform, f"evt-{number}").status for number in range(4)]
    assert statuses == [202, 202, 429, 429]
    assert kept(database) == ["evt-0", "evt-1"]
    assert deliver(platform, "evt-2").headers == {"Retry-After": "1"}
    assert deliver(platform, "evt-0").status == 200, "what is stored already is no burden"
    body = a_note()
    assert receive(platform, "other", stamped(body), body).status == 202
    clock.advance(0.1)
    assert deliver(platform, "evt-2", at=clock()).status == 202


def test_a_flood_of_forgeries_is_told_to_slow_down_and_keeps_no_genuine_one_out(platform, database, clock):
    body = a_note()
    forged = stamped(body, keys=("wrong",))
    names = ["corner", "nobody"] * (REFUSALS.burst // 2)
    assert {receive(platform, name, forged, body).status for name in names} == {401}
    assert [receive(platform, name, forged, body) for name in ("corner", "nobody")] == [Received(429, 1)] * 2
    assert deliver(platform).status == 202
    assert kept(database) == ["evt-1"]
    clock.advance(1)
    assert receive(platform, "corner", forged, body) == REFUSED


def test_a_clock_set_back_does_not_shut_deliveries_out(platform, clock):
    assert deliver(platform, "evt-1").status == 202
    clock.advance(days=-30)
    assert deliver(platform, "evt-2", at=clock()).status == 202


@pytest.mark.parametrize(
    "stop",
    [
        lambda unit: integrations.pause(unit, 1, attention="The key was refused."),
        lambda unit: feeds.pause(unit, 1, reason="Too wild."),
        lambda unit: feeds.change(unit, 1, is_enabled=False),
    ],
    ids=["integration paused", "feed paused", "feed switched off"],
)
def test_what_is_stopped_stores_the_delivery_and_runs_nothing(platform, database, stop):
    database.write(stop)
    assert deliver(platform) == Received(202)
    assert kept(database) == ["evt-1"]
    assert queued(database) == []
    assert deliver(platform) == Received(200)


def test_a_topic_nobody_fetches_for_is_stored_and_runs_nothing(platform, database):
    assert deliver(platform, "evt-1", topic=UNHEARD) == Received(202)
    assert deliver(platform, "evt-2", topic="suppliers") == Received(202), "a flow this integration does not have"
    assert kept(database) == ["evt-1", "evt-2"]
    assert queued(database) == []


def test_a_hint_at_nothing_or_at_very_much_asks_for_the_whole_flow(platform, database):
    body = b'{"id":"evt-1","topic":"product/created","ids":[]}'
    assert receive(platform, "corner", stamped(body), body).status == 202
    many = [str(number) for number in range(101)]
    (execution,) = queued(database)
    assert deliver(platform, "evt-2", *many).executions == (execution.id,)
    assert execution.scope is None


def test_hints_gather_in_the_execution_that_waits(platform, database):
    first = deliver(platform, "evt-1", "3")
    assert deliver(platform, "evt-2", "1", "2").executions == first.executions
    assert deliver(platform, "evt-3", "3").executions == first.executions
    (execution,) = queued(database)
    assert execution.scope == {"ids": ["1", "2", "3"]}


def test_hints_do_not_gather_in_what_runs_or_in_what_a_person_asked_for(platform, database):
    first = deliver(platform, "evt-1", "1").executions[0]
    assert executions.claim(platform, first) is not None
    second = deliver(platform, "evt-2", "2").executions[0]
    assert second != first
    update = database.read(lambda unit: feeds.find(unit, 1, flow="update_products"))
    manual = executions.request(platform, update.id, trigger=Trigger.MANUAL, scope={"ids": ["1"]}).execution_id
    assert deliver(platform, "evt-3", "2", topic=UPDATED).executions != (manual,)
    assert [execution.scope for execution in queued(database)] == [{"ids": ["1"]}, {"ids": ["2"]}] * 2


def test_more_than_five_hundred_hints_are_a_further_execution(platform, database):
    for start in range(0, 600, 100):
        deliver(platform, f"evt-{start}", *(str(number) for number in range(start, start + 100)))
    assert [len(execution.scope["ids"]) for execution in queued(database)] == [500, 100]


def test_a_hint_does_not_hurry_an_execution_that_was_asked_to_be_patient(platform, database, clock):
    first = deliver(platform, "evt-1", "1").executions[0]
    claim = executions.claim(platform, first)
    later = clock() + timedelta(minutes=10)
    database.write(lambda unit: rows.release(unit, first, attempt=claim.execution.attempt, available_at=later, tries=1))
    for ids in (("1",), ("2",)):
        deliver(platform, f"evt-{ids}", *ids)
    (execution,) = queued(database)
    assert (execution.available_at, execution.scope) == (later, {"ids": ["1", "2"]})


def test_what_is_signed_and_not_readable_is_told_so_and_not_stored(platform, database):
    body = b'{"id": 5'
    assert receive(platform, "corner", stamped(body), body) == Received(400)
    assert kept(database) == []


def test_a_database_out_of_reach_asks_the_sender_to_come_back(shop, tmp_path):
    with Database(f"sqlite:///{tmp_path / 'nowhere' / 'navette.db'}") as away:
        received = deliver(ringing_shop.a_platform(away, shop))
    assert received == Received(503, retry_after=5)


def test_deliveries_are_forgotten_after_three_months(platform, database, clock):
    deliver(platform, "evt-1")
    clock.advance(days=89)
    deliver(platform, "evt-2", at=clock())
    clock.advance(days=2)
    deliver(platform, "evt-3", at=clock())
    assert kept(database) == ["evt-2", "evt-3"]


def test_ids_and_topics_no_database_could_hold_are_stored_by_their_fingerprint(bare_platform, database):
    """Headers that no signature covers can hold anything."""
    body = a_note()
    odd = bare(body, delivery_id="\x00" + "x" * 5000, topic="\udc80")
    assert [receive(bare_platform, "corner", odd, body).status for _ in range(2)] == [202, 200]
    (row,) = database.read(lambda unit: stored.listed(unit, 1))
    assert (len(row.delivery_id), len(row.topic)) == (64, 64)


def test_an_integration_takes_its_deliveries_with_it(platform, database):
    deliver(platform)
    database.write(lambda unit: removal.remove(unit, 1))
    assert kept(database) == []
    ringing_shop.an_integration(database)
    assert deliver(platform).status == 202


def test_neither_key_nor_payload_is_told_in_the_log(platform, database):
    body = a_note("evt-1", "1", state="canary-payload")
    with capture_logs() as told:
        receive(platform, "corner", stamped(body), body)
        receive(platform, "corner", stamped(body, keys=("wrong",)), body)
        receive(platform, "nobody", stamped(body), body)
        body = b'{"canary-payload'
        receive(platform, "corner", stamped(body), body)
    assert [event["event"] for event in told] == [
        "webhook_stored",
        "webhook_refused",
        "webhook_refused",
        "webhook_unreadable",
    ]
    assert "canary" not in repr(told)
