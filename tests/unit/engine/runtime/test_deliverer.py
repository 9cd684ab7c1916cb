"""Delivery: each change is applied once, whatever happens between sending and the receipt."""

from threading import Barrier

import pytest

from domain.errors import (
    BrokenInvariant,
    Cancelled,
    CredentialsRejected,
    LeaseLost,
    NotFound,
    OutcomeUnknown,
    RequestRefused,
    Unavailable,
    UnexpectedFormat,
    Withheld,
)
from engine.connector import Change
from engine.runtime.outbound import withheld
from storage.database import Database
from storage.queries import effects, executions
from storage.rows import EffectState, State
from tests.telling_shop import TellingHub, no_answer

ITEMS = [f"{number:03}" for number in range(100)]


@pytest.fixture
def hub(database: Database) -> TellingHub:
    return TellingHub(database)


def changed(hub: TellingHub, *items: str) -> None:
    """A production hub on which these items have another level than the shop shows."""
    hub.stocked(*items)
    hub.go_live()
    for item in items:
        hub.count(item, 9)


def applied(hub: TellingHub) -> list[str]:
    return sorted(change.target for change in hub.shop.ledger)


def states(hub: TellingHub) -> dict[str, EffectState]:
    return {effect.target: effect.state for effect in hub.effects()}


def test_of_a_batch_of_100_with_40_refused_60_have_receipts_and_only_the_40_are_tried_again(hub: TellingHub) -> None:
    hub.shop.batch = 100
    hub.reconnect()
    changed(hub, *ITEMS)
    refused = set(ITEMS[60:])
    hub.shop.refuses = lambda change: (
        RequestRefused("Stock of this item is managed elsewhere.", status=400, remote_code="133")
        if change.target in refused
        else None
    )
    tally = hub.run("export_stock")
    assert (tally.updated, tally.failed) == (60, 40)
    [issue] = hub.issues()
    assert (issue.cause, issue.occurrences) == ("export_stock:effect:refused:133", 40)
    assert issue.message == "Stock of this item is managed elsewhere."

    hub.shop.refuses = lambda _change: None
    identities = {effect.identity for effect in hub.effects(EffectState.FAILED)}
    assert hub.run("export_stock").updated == 40
    assert set(hub.shop.calls[-1]) == identities
    assert applied(hub) == ITEMS
    assert hub.issues() == []


def test_an_answer_lost_on_the_way_is_looked_up_and_found(hub: TellingHub) -> None:
    changed(hub, "1", "2")
    hub.shop.forgets = lambda change: no_answer(change) if change.target == "1" else None
    assert hub.run("export_stock").updated == 2
    assert applied(hub) == ["1", "2"]
    [first, _] = hub.effects()
    assert (first.state, first.receipt["was_found"]) == (EffectState.DONE, True)


def test_a_change_that_never_arrived_is_sent_again_under_the_same_identity(hub: TellingHub) -> None:
    changed(hub, "1")
    losing = iter([True])
    hub.shop.refuses = lambda change: no_answer(change) if next(losing, False) else None
    assert hub.run("export_stock").updated == 1
    assert hub.shop.calls[0] == hub.shop.calls[1]
    assert applied(hub) == ["1"]
    assert hub.effects()[0].attempts == 2


@pytest.mark.parametrize("error", [NotFound("No such item.", status=404), UnexpectedFormat("A login page.")])
def test_when_nobody_can_tell_a_person_is_asked_and_nothing_is_sent_again(hub: TellingHub, error: Exception) -> None:
    changed(hub, "1")
    hub.shop.forgets = no_answer
    hub.shop.blind = lambda _change: error  # type: ignore[assignment, return-value]
    for _ in range(2):
        tally = hub.run("export_stock")
        assert (tally.waiting, tally.updated, tally.read) == (1, 0, 1)
    assert len(hub.shop.calls) == 1
    assert states(hub) == {"1": EffectState.UNKNOWN}
    [issue] = hub.issues()
    assert issue.cause == "export_stock:effect:outcome_unknown"

    [effect] = hub.effects()
    hub.database.write(lambda unit: withheld.decide(unit, [effect.id], has_happened=True, person="ada"))
    assert hub.run("export_stock").unchanged == 1
    assert hub.issues() == []


def test_a_person_may_say_that_an_unknown_change_did_not_happen(hub: TellingHub) -> None:
    changed(hub, "1")
    hub.shop.refuses = no_answer
    hub.shop.blind = no_answer
    hub.run("export_stock")
    [effect] = hub.effects()
    hub.database.write(lambda unit: withheld.decide(unit, [effect.id], has_happened=False, person="ada"))
    hub.shop.refuses = lambda _change: None
    assert hub.run("export_stock").updated == 1
    assert applied(hub) == ["1"]


def test_what_a_dead_attempt_left_being_sent_is_looked_up_first(hub: TellingHub) -> None:
    changed(hub, "1", "2")
    hub.shop.refuses = lambda _change: Unavailable("Down.")
    with pytest.raises(Unavailable):
        hub.run("export_stock")
    hub.shop.refuses = lambda _change: None
    feed = hub.feed("export_stock")
    taken = hub.database.write(lambda unit: effects.take(unit, feed.id, execution_id=99, count=10))
    hub.shop._apply_level(Change(taken[0].identity, taken[0].target, None, taken[0].after))
    hub.shop.calls.clear()
    assert hub.run("export_stock").updated == 2
    assert hub.shop.looks[:2] == [taken[0].identity, taken[1].identity]
    assert hub.shop.calls == [(taken[1].identity,)]


@pytest.mark.parametrize("error", [Unavailable("The shop is down."), CredentialsRejected("The key was refused.")])
def test_a_fault_of_the_way_stops_sending_and_leaves_the_rest_pending(hub: TellingHub, error: Exception) -> None:
    hub.shop.concurrent = 2
    hub.reconnect()
    changed(hub, *ITEMS[:40])
    hub.shop.refuses = lambda change: error if change.target >= ITEMS[5] else None  # type: ignore[assignment, return-value]
    with pytest.raises(type(error)):
        hub.run("export_stock")
    assert set(states(hub).values()) == {EffectState.DONE, EffectState.PENDING}
    assert len(hub.shop.calls) < 40
    assert all(effect.attempts == 0 for effect in hub.effects(EffectState.PENDING))
    hub.shop.refuses = lambda _change: None
    hub.run("export_stock")
    assert applied(hub) == ITEMS[:40]


def test_when_the_gate_shuts_while_sending_the_rest_is_withheld(hub: TellingHub) -> None:
    changed(hub, *ITEMS[:30])
    hub.shop.refuses = lambda change: Withheld("Test mode.") if change.target >= ITEMS[3] else None
    tally = hub.run("export_stock")
    assert (tally.updated, tally.withheld) == (3, 27)
    assert applied(hub) == ITEMS[:3]
    assert len(hub.effects(EffectState.WITHHELD)) == 27


def test_cancelling_keeps_the_receipts_of_what_was_sent(hub: TellingHub) -> None:
    changed(hub, *ITEMS[:30])
    run = hub.claim("export_stock")

    def cancel(_changes: object) -> None:
        if len(hub.shop.calls) == 3:
            hub.database.write(lambda unit: executions.cancel(unit, run.execution.id, reason="ada"))

    hub.shop.before_send = cancel
    with pytest.raises(Cancelled):
        hub.work(run)
    assert len(hub.effects(EffectState.DONE)) == len(hub.shop.ledger) < 30
    assert hub.effects(EffectState.SENDING) == []


def test_a_worker_that_lost_its_lease_sends_nothing_more(hub: TellingHub) -> None:
    changed(hub, *ITEMS[:30])
    run = hub.claim("export_stock")

    def steal(_changes: object) -> None:
        if len(hub.shop.calls) == 2:
            run.lease.lose()

    hub.shop.before_send = steal
    with pytest.raises(LeaseLost):
        hub.work(run)
    assert len(hub.shop.calls) == 3
    hub.shop.before_send = lambda _changes: None
    hub.database.write(
        lambda unit: executions.finish(unit, run.execution.id, attempt=1, state=State.FAILED, columns={})
    )
    hub.run("export_stock")
    assert applied(hub) == ITEMS[:30]
    assert len(hub.shop.ledger) == 30


def test_as_many_groups_are_on_their_way_at_once_as_the_shop_allows(hub: TellingHub) -> None:
    hub.shop.concurrent = 4
    hub.shop.batch = 2
    hub.reconnect()
    changed(hub, *ITEMS[:16])
    together = Barrier(4, timeout=30)
    hub.shop.before_send = lambda _changes: (together.wait(), None)[1]
    assert hub.run("export_stock").updated == 16
    assert sorted(len(call) for call in hub.shop.calls) == [2] * 8


def test_a_connector_that_miscounts_is_not_believed(hub: TellingHub) -> None:
    changed(hub, "1")
    hub.shop.miscounts = True
    with pytest.raises(BrokenInvariant):
        hub.run("export_stock")
    assert states(hub) == {"1": EffectState.UNKNOWN}


def test_a_connector_that_breaks_leaves_its_change_unknown(hub: TellingHub) -> None:
    changed(hub, "1")

    def explode(_changes: object) -> None:
        raise ZeroDivisionError

    hub.shop.before_send = explode
    with pytest.raises(ZeroDivisionError):
        hub.run("export_stock")
    assert states(hub) == {"1": EffectState.UNKNOWN}


def test_when_looking_up_fails_in_passing_the_change_stays_unknown_until_the_next_run(hub: TellingHub) -> None:
    changed(hub, "1")
    hub.shop.forgets = no_answer
    hub.shop.blind = lambda _change: Unavailable("Down.")
    with pytest.raises(Unavailable):
        hub.run("export_stock")
    assert states(hub) == {"1": EffectState.UNKNOWN}
    hub.shop.blind = lambda _change: None
    assert hub.run("export_stock").updated == 1
    assert applied(hub) == ["1"]


def test_an_error_raised_for_a_whole_batch_holds_for_each_of_its_changes(hub: TellingHub) -> None:
    hub.shop.batch = 3
    hub.reconnect()
    changed(hub, "1", "2", "3")

    def refuse(_changes: object) -> None:
        raise OutcomeUnknown("Cut off.")

    hub.shop.before_send = refuse
    tally = hub.run("export_stock")
    assert tally.waiting == 3
    assert set(states(hub).values()) == {EffectState.UNKNOWN}
