"""An expired sign-in is renewed once, stored, and used; what cannot be renewed asks a person to sign in again."""

import io
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Thread

import pytest
import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from domain.errors import CredentialsRejected, RateLimited, Unavailable
from engine.actions import integrations as actions
from engine.actions import keys
from engine.connector import Limits, SignIn
from engine.logging import set_up_logging
from engine.runtime import executions, opening, tokens, worker
from engine.runtime.platform import Platform
from engine.security.secrets import KeyRing
from engine.simulation.server import Server, serve
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, integrations, renewals
from storage.queries import issues as issue_rows
from storage.queries.issues import Issue
from storage.queries.renewals import Renewal
from storage.rows import Execution, Feed, Mode, State, Trigger
from storage.tables import metadata
from tests import token_shop
from tests.token_shop import CANARY, LEASE, TokenShop


@pytest.fixture
def shop() -> TokenShop:
    return TokenShop()


@pytest.fixture
def server(shop: TokenShop) -> Iterator[Server]:
    with serve(shop) as server:
        yield server


@pytest.fixture
def connected(database: Database, shop: TokenShop, server: Server) -> list[Feed]:
    return token_shop.an_integration(database, shop, base_url=server.url)


@pytest.fixture
def platform(database: Database, connected: list[Feed]) -> Platform:
    return token_shop.a_platform(database)


def run(platform: Platform, feed: Feed) -> Execution:
    execution_id = executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id
    return run_again(platform, execution_id)


def run_again(platform: Platform, execution_id: int) -> Execution:
    worker.run_execution(platform, execution_id)
    found = platform.database.read(lambda unit: rows.get(unit, execution_id))
    assert found is not None
    return found


def issues(platform: Platform) -> list[Issue]:
    return platform.database.read(issue_rows.listed)


def is_paused(platform: Platform, feed: Feed) -> bool:
    found = platform.database.read(lambda unit: integrations.get(unit, feed.integration_id))
    assert found is not None
    return found.paused_at is not None


def renewer(platform: Platform, feed: Feed) -> tokens.Tokens:
    integration = platform.database.read(lambda unit: integrations.get(unit, feed.integration_id))
    assert integration is not None
    connector = platform.registry.connector("token_shop")
    settings = opening.read_settings(platform, integration, connector)
    return tokens.Tokens(platform, integration, connector, settings)


def renew(platform: Platform, feed: Feed) -> SignIn:
    return renewer(platform, feed).renew(SignIn("http://127.0.0.1"))


@contextmanager
def everything_told(database: Database) -> Iterator[io.StringIO]:
    """The log, with all rows of the database behind it when the block is left."""
    stream = io.StringIO()
    before = logging.getLogger().level
    set_up_logging(log_format="json", log_level="debug", stream=stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root = logging.getLogger()
        root.setLevel(before)
        for handler in [handler for handler in root.handlers if getattr(handler, "stream", None) is stream]:
            root.removeHandler(handler)
        with database.reading() as unit:
            for table in metadata.sorted_tables:
                stream.writelines(f"{tuple(row)!r}\n" for row in unit.connection.execute(sa.select(table)))


def test_a_token_that_expires_mid_run_is_renewed_once_and_the_run_goes_on(platform, database, connected, shop):
    shop.is_expired = True
    assert run(platform, connected[0]).state is State.SUCCEEDED
    assert shop.asked == [200]
    assert token_shop.stored(database, connected[0].integration_id) == {
        "access_token": f"{CANARY}-access-2",
        "refresh_token": f"{CANARY}-refresh-2",
    }
    assert issues(platform) == []


def test_the_rotated_refresh_token_is_the_one_used_next_time(platform, connected, shop):
    for _ in range(3):
        shop.is_expired = True
        assert run(platform, connected[0]).state is State.SUCCEEDED
    assert shop.asked == [200, 200, 200]


def test_a_token_may_expire_several_times_in_one_run(database, connected, shop):
    platform = token_shop.a_platform(database, token_shop.connector(limits=lambda _settings: Limits(concurrent=1)))
    seen: list[str] = []

    def expire_once_more(token: str) -> None:
        seen.append(token)
        shop.is_expired = len(seen) in (1, 2)

    shop.is_expired, shop.on_use = True, expire_once_more
    assert run(platform, connected[0]).state is State.SUCCEEDED
    assert shop.asked == [200, 200, 200]


def test_new_secrets_are_stored_before_they_are_used(platform, database, connected, shop):
    seen = []
    shop.is_expired = True
    shop.on_use = lambda token: seen.append(
        token_shop.stored(database, connected[0].integration_id)["access_token"] == token
    )
    assert run(platform, connected[0]).state is State.SUCCEEDED
    assert seen == [True] * 3


def test_eight_threads_of_one_door_renew_once(platform, database, connected, shop):
    database.write(
        lambda unit: integrations.change(
            unit, connected[0].integration_id, settings={**_plain(database, connected[0]), "items": 40}
        )
    )
    shop.is_expired = True
    assert run(platform, connected[0]).state is State.SUCCEEDED
    assert shop.asked == [200]
    assert shop.used.count(f"{CANARY}-access-2") == 40, "each request is repeated once, and none twice"


def _plain(database: Database, feed: Feed) -> dict[str, object]:
    found = database.read(lambda unit: integrations.get(unit, feed.integration_id))
    assert found is not None
    return found.settings


def test_workers_that_meet_the_expired_token_at_once_renew_once(database, connected, shop, server):
    shop.is_expired = True
    server.faults.add("latency", times=None, path="/token", setting="150")
    barrier = Barrier(6)

    def one(_number: int) -> str:
        tokens_of_its_own = renewer(token_shop.a_platform(database), connected[0])
        barrier.wait()
        renewed = tokens_of_its_own.renew(SignIn(server.url))
        return renewed.headers["Authorization"]

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(one, range(6))) == {f"Bearer {CANARY}-access-2"}
    assert shop.asked == [200]


def test_a_second_refusal_pauses_the_integration(platform, connected, shop):
    shop.refuses_everything = True
    execution = run(platform, connected[2])
    assert (execution.state, execution.error_code) == (State.FAILED, "credentials_rejected")
    assert shop.used == [f"{CANARY}-access-1", f"{CANARY}-access-2"]
    assert shop.asked == [200]
    assert is_paused(platform, connected[0])
    assert [issue.cause for issue in issues(platform)] == [f"{token_shop.LEVELS}:credentials_rejected"]


def test_a_refused_renewal_pauses_and_asks_to_sign_in_again(platform, connected, shop):
    shop.is_expired = shop.refuses_renewal = True
    execution = run(platform, connected[0])
    assert (execution.state, execution.error_code) == (State.FAILED, "credentials_rejected")
    assert is_paused(platform, connected[0])
    (issue,) = issues(platform)
    assert issue.message == "The sign-in of shop has expired, and the other side refused to renew it."
    assert issue.remedy == "Sign in to shop again in its settings."


def test_a_refusal_stands_for_all_who_hold_the_same_secrets_for_a_minute(platform, database, connected, shop, clock):
    shop.is_expired = shop.refuses_renewal = True
    for _ in range(3):
        with pytest.raises(CredentialsRejected):
            renew(platform, connected[0])
    assert shop.asked == [400]
    clock.advance(61)
    with pytest.raises(CredentialsRejected):
        renew(platform, connected[0])
    assert shop.asked == [400, 400]


def test_a_refusal_is_forgotten_when_a_person_signs_in(platform, database, connected, shop):
    feed = connected[0]
    shop.is_expired = shop.refuses_renewal = True
    with pytest.raises(CredentialsRejected):
        renew(platform, feed)
    shop.refuses_renewal = False
    database.write(lambda unit: token_shop.keep(unit, feed.integration_id, refresh_token=shop.refresh_token))
    assert renew(platform, feed).headers == {"Authorization": f"Bearer {CANARY}-access-2"}


def test_what_a_person_entered_meanwhile_is_taken_without_asking(platform, database, connected, shop):
    feed = connected[0]
    held = renewer(platform, feed)
    database.write(lambda unit: token_shop.keep(unit, feed.integration_id, access_token="entered"))
    assert held.renew(SignIn("http://127.0.0.1")).headers == {"Authorization": "Bearer entered"}
    assert shop.asked == []


def test_an_answer_cut_by_the_network_leaves_the_old_tokens_and_asks_to_sign_in_again(
    platform, database, connected, shop, server
):
    shop.is_expired = True
    server.faults.add("cut_after_write", times=1, path="/token")
    execution = run(platform, connected[0])
    assert (execution.state, execution.error_code) == (State.FAILED, "credentials_rejected")
    assert shop.asked == [200, 400], "the door asked once more, with the token that was used up"
    (issue,) = issues(platform)
    assert issue.remedy == "Sign in to shop again in its settings."
    assert token_shop.stored(database, connected[0].integration_id)["access_token"] == f"{CANARY}-access-1"


def test_an_answer_that_was_lost_is_told_when_the_next_asking_is_refused(platform, connected, shop, clock):
    shop.is_expired = True
    shop.token_body = lambda _body: b"[]"
    execution = run(platform, connected[0])
    assert (execution.state, execution.error_code) == (State.FAILED, "unexpected_format")
    shop.is_expired = True
    execution = run(platform, connected[0])
    assert (execution.state, execution.error_code) == (State.FAILED, "credentials_rejected")
    assert "an earlier renewal was cut off" in execution.reason
    assert is_paused(platform, connected[0])


def test_a_token_address_out_of_order_lets_the_execution_wait_and_pauses_nothing(
    platform, connected, shop, server, clock
):
    shop.is_expired = True
    server.faults.add("unavailable", times=1, path="/token", setting="60")
    execution = run(platform, connected[0])
    assert execution.state is State.QUEUED
    assert not is_paused(platform, connected[0])
    clock.advance(hours=1)
    assert run_again(platform, execution.id).state is State.SUCCEEDED
    assert shop.asked == [200]


def test_being_asked_to_slow_down_is_no_interruption(platform, database, connected, shop, server):
    server.faults.add("rate_limited", times=1, path="/token", setting="60")
    with pytest.raises(RateLimited):
        renew(platform, connected[0])
    found = database.write(lambda unit: renewals.lock(unit, connected[0].integration_id))
    assert (found.holder, found.is_interrupted) == ("", False)


def test_others_wait_for_whoever_renews_and_take_what_was_stored(platform, database, connected, shop, clock):
    feed = connected[0]
    taken = Renewal(holder="another", lease_until=clock() + LEASE)
    database.write(
        lambda unit: (renewals.lock(unit, feed.integration_id), renewals.save(unit, feed.integration_id, taken))
    )
    held = renewer(platform, feed)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(held.renew, SignIn("http://127.0.0.1"))
        database.write(lambda unit: token_shop.keep(unit, feed.integration_id, access_token="theirs"))
        assert waiting.result().headers == {"Authorization": "Bearer theirs"}
    assert shop.asked == []


def test_waiting_ends_when_the_process_is_asked_to_stop(platform, database, connected, clock):
    taken = Renewal(holder="another", lease_until=clock() + LEASE)
    integration_id = connected[0].integration_id
    database.write(lambda unit: (renewals.lock(unit, integration_id), renewals.save(unit, integration_id, taken)))
    platform.stopping.set()
    with pytest.raises(Unavailable):
        renew(platform, connected[0])


def test_an_asking_overtaken_after_its_lease_still_stores_what_it_got(platform, database, connected, shop, clock):
    """Stopped beyond its lease, then continued: it holds the only good tokens there are."""
    feed = connected[0]

    def lose_the_lease(body: bytes) -> bytes:
        other = Renewal(holder="another", lease_until=clock() + LEASE)
        database.write(lambda unit: renewals.save(unit, feed.integration_id, other))
        return body

    shop.token_body = lose_the_lease
    assert renew(platform, feed).headers == {"Authorization": f"Bearer {CANARY}-access-2"}
    found = database.write(lambda unit: renewals.lock(unit, feed.integration_id))
    assert found.holder == "another"


@pytest.mark.parametrize("is_refused", [False, True], ids=["granted", "refused"])
def test_newer_secrets_stored_during_an_asking_are_kept_and_used(platform, database, connected, shop, is_refused):
    feed = connected[0]
    shop.refuses_renewal = is_refused
    respond = shop.respond

    def enter_others(request: object) -> object:
        database.write(lambda unit: token_shop.keep(unit, feed.integration_id, access_token="theirs"))
        return respond(request)

    shop.respond = enter_others
    assert renew(platform, feed).headers == {"Authorization": "Bearer theirs"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_new_tokens_are_stored_again_and_again_until_the_database_lets_them(
    platform, database, connected, shop, request
):
    shop.is_expired = True
    with database.writing() as unit:
        unit.connection.exec_driver_sql(
            "CREATE TRIGGER stubborn BEFORE UPDATE ON secrets BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    refused = Event()

    def drop() -> None:
        refused.wait(30)
        with database.writing() as unit:
            unit.connection.exec_driver_sql("DROP TRIGGER stubborn")

    def notice(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if event["event"] == "sign_in_not_stored":
            refused.set()
        raise structlog.DropEvent

    structlog.configure(processors=[notice])
    request.addfinalizer(structlog.reset_defaults)
    dropper = Thread(target=drop)
    dropper.start()
    assert run(platform, connected[0]).state is State.SUCCEEDED
    dropper.join()
    assert refused.is_set()
    assert shop.asked == [200]


def test_a_refused_change_was_not_made_and_is_sent_once_more(platform, connected, shop, server):
    shop.is_expired = True
    assert run(platform, connected[2]).state is State.SUCCEEDED
    assert shop.asked == [200]
    assert len(server.ledger.writes) == 1
    assert shop.used == [f"{CANARY}-access-1", f"{CANARY}-access-2"]


def test_in_test_mode_tokens_are_renewed_and_nothing_is_written(platform, database, connected, shop, server):
    database.write(lambda unit: integrations.change(unit, connected[0].integration_id, mode=Mode.TEST))
    shop.is_expired = True
    assert run(platform, connected[0]).state is State.SUCCEEDED
    assert shop.asked == [200]
    shop.is_expired = True
    assert run(platform, connected[2]).error_code == "withheld"
    assert not server.ledger.writes
    assert shop.asked == [200]


def test_a_change_that_stops_being_live_between_its_two_sendings_stays_here(
    platform, database, connected, shop, server
):
    shop.is_expired = True

    def stop(body: bytes) -> bytes:
        database.write(lambda unit: feeds.change(unit, connected[2].id, is_live=False))
        return body

    shop.token_body = stop
    assert run(platform, connected[2]).error_code == "withheld"
    assert not server.ledger.writes


def test_a_renewal_declared_as_a_change_is_stopped_at_the_gate(database, connected, shop):
    def ask(door, _settings):
        return door.send(token_shop.Ask(token_shop.SET, "/token"))

    platform = token_shop.a_platform(database, token_shop.connector(refresh=ask))
    shop.is_expired = True
    assert run(platform, connected[0]).error_code == "withheld"
    assert shop.asked == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"acces_token": SecretStr(f"{CANARY}-new")}, "broken_invariant"),
        ({}, "unexpected_format"),
        ({"access_token": SecretStr("")}, "unexpected_format"),
        (ValueError(f"{CANARY}-new"), "broken_invariant"),
    ],
    ids=["a setting there is not", "nothing", "an empty token", "a mistake"],
)
def test_what_a_connector_does_wrong_stores_nothing_and_tells_no_token(database, connected, shop, given, code):
    def wrong(_door, _settings):
        if isinstance(given, Exception):
            raise given
        return given

    platform = token_shop.a_platform(database, token_shop.connector(refresh=wrong))
    shop.is_expired = True
    with everything_told(database) as told:
        execution = run(platform, connected[0])
    assert (execution.state, execution.error_code) == (State.FAILED, code)
    assert CANARY not in told.getvalue()
    assert token_shop.stored(database, connected[0].integration_id)["access_token"] == f"{CANARY}-access-1"


def test_tokens_are_asked_for_where_the_connector_says(database, shop, server):
    """Without the refused header, and with every secret known to the door that must not show it."""
    with serve(TokenShop(refuses_everything=True)) as elsewhere:
        connector = token_shop.connector(refresh_sign_in=lambda settings: SignIn(settings.token_url))
        feeds_ = token_shop.an_integration(database, shop, base_url=server.url, token_url=elsewhere.url)
        platform = token_shop.a_platform(database, connector)
        shop.is_expired = True
        run(platform, feeds_[0])
        assert elsewhere.app.asked == [200]
        assert shop.asked == []


def test_a_connector_without_renewal_pauses_at_the_first_refusal(database, connected, shop):
    platform = token_shop.a_platform(database, token_shop.connector(refresh=None))
    shop.is_expired = True
    assert run(platform, connected[2]).error_code == "credentials_rejected"
    assert shop.used == [f"{CANARY}-access-1"]


@pytest.mark.parametrize(
    "body",
    [
        lambda body: body,
        lambda body: body[:-6],
        lambda body: b"<p>" + body.split(b'"')[3],
        lambda body: b'["' + body[17:],
        lambda body: b"\xff" + body,
    ],
    ids=["good", "cut", "a page", "odd", "no text"],
)
@pytest.mark.parametrize("fault", ["", "server_error_after_write", "wrong_content_type"])
def test_no_token_is_told_in_logs_issues_or_any_row(platform, database, connected, shop, server, body, fault):
    shop.is_expired, shop.token_body = True, body
    shop.accepts_former = True  # so that the door's second try is answered no better
    if fault:
        server.faults.add(fault, times=3, path="/token")
    with everything_told(database) as told:
        run(platform, connected[0])
        database.write(lambda unit: integrations.resume(unit, connected[0].integration_id))
        shop.is_expired = True
        run(platform, connected[1])
    assert "execution_ended" in told.getvalue()
    assert CANARY not in told.getvalue()


def test_what_the_shop_says_of_tokens_it_refuses_is_told_without_them(platform, database, connected, shop):
    """The new access token is shown in the refusal of the repeated request, then everything we sent in that of a renewal."""
    with everything_told(database) as told:
        shop.refuses_everything = True
        run(platform, connected[0])
        database.write(lambda unit: integrations.resume(unit, connected[0].integration_id))
        shop.forbids_renewal = True
        assert run(platform, connected[1]).error_code == "permission_missing"
    assert shop.asked == [200, 403]
    assert told.getvalue().count("***") >= 3
    assert CANARY not in told.getvalue()


def test_a_connection_test_renews_an_expired_sign_in(platform, database, connected, shop):
    shop.is_expired = True
    found = actions.test_connection(platform, "shop", person="anna")
    assert [check.passed for check in found.checks] == [True]
    assert token_shop.stored(database, connected[0].integration_id)["refresh_token"] == f"{CANARY}-refresh-2"


def test_changing_another_setting_keeps_tokens_renewed_meanwhile(platform, database, connected, shop):
    shop.is_expired = True
    actions.change_settings(platform, "shop", values={"items": 1}, person="anna")
    assert token_shop.stored(database, connected[0].integration_id) == {
        "access_token": f"{CANARY}-access-2",
        "refresh_token": f"{CANARY}-refresh-2",
    }


def test_a_change_of_the_key_does_not_bring_back_a_token_renewed_at_that_moment(database, connected):
    feed, old_and_new = connected[0], KeyRing([bytes([1]) * 32, bytes(32)])
    has_read = Event()

    def notice(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT secrets"):
            has_read.set()

    with ThreadPoolExecutor(1) as threads:
        with database.writing() as unit:
            token_shop.keep(unit, feed.integration_id, access_token="renewed")
            sa.event.listen(database.engine, "after_cursor_execute", notice)
            rotating = threads.submit(keys.rotate, database, old_and_new, person="anna")
            has_read.wait(0.5)  # it should not get to read before this transaction ends
        assert rotating.result() == 2
    text = database.read(lambda unit: integrations.secrets_of(unit, feed.integration_id))["access_token"]
    assert old_and_new.decrypt(text, place=opening.secret_place(feed.integration_id, "access_token")) == "renewed"


def test_tokens_a_person_enters_are_tested_as_entered(platform, database, connected, shop):
    with pytest.raises(actions.ConnectionFailed):
        actions.change_settings(platform, "shop", values={"access_token": "wrong"}, person="anna")
    assert shop.asked == []
    shop.number = 7
    entered = {"access_token": shop.access_token, "refresh_token": shop.refresh_token}
    actions.change_settings(platform, "shop", values=entered, person="anna")
    assert token_shop.stored(database, connected[0].integration_id) == entered
