"""Putting things right: mappings, rules, issues, and what runs again because of them."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.errors import UserError
from domain.rulebook import Fate, PaymentRule
from engine.actions import feeds, issues, mappings, rulebooks, rules
from engine.actions.names import feed_named, integration_named
from engine.runtime import issues as folding
from storage.queries import executions, held
from storage.queries import issues as issue_rows
from storage.queries.issues import Issue
from storage.rows import State, Trigger
from tests.builders import UNPAID, an_order
from tests.moving import MovableClock
from tests.unit.engine.actions.desk import NAME, PERSON, Desk


@pytest.fixture
def held_back(connected: Desk) -> Desk:
    """Three orders by carrier 2, one by carrier 20, none of them mapped; and one that is not paid."""
    connected.fill(
        *(an_order(remote_id) for remote_id in ("100", "101", "102")),
        an_order("200", shipping_code="20", shipping_name="Pigeon"),
        an_order("300", status=UNPAID, shipping_code="20"),
    )
    connected.run("import_new_orders")
    return connected


def open_issues(desk: Desk) -> dict[str, Issue]:
    return {issue.cause: issue for issue in desk.database.read(issue_rows.listed)}


def held_ids(desk: Desk) -> set[str]:
    return {row.remote_id for row in desk.database.read(held.listed)}


def rulebook(desk: Desk):
    return rulebooks.read(desk.database.read(lambda unit: integration_named(unit, NAME)))


def test_exactly_the_records_that_waited_for_a_mapping_run_again(held_back: Desk) -> None:
    changed = mappings.set_entry(held_back.platform, NAME, "shipping_method", "2", "standard", person=PERSON)
    [requested] = changed.retried.requests
    execution = held_back.database.read(lambda unit: executions.get(unit, requested.execution_id))
    assert changed.retried.records == 3
    assert execution.scope == {"ids": ["100", "101", "102"]}
    assert (execution.trigger, execution.person) == (Trigger.RETRY, PERSON)
    ended = held_back.work(*changed.retried.requests)
    assert ended.created == 3
    assert held_ids(held_back) == {"200", "300"}
    assert open_issues(held_back).keys() == {"unmapped:shipping_method:20"}
    assert held_back.audit[0].detail == {
        "table": "shipping_method",
        "remote": "2",
        "from": "",
        "to": "standard",
        "records": 3,
    }


def test_the_wildcard_lets_everything_unmapped_run_again(held_back: Desk) -> None:
    changed = mappings.set_entry(held_back.platform, NAME, "shipping_method", "*", "standard", person=PERSON)
    assert changed.retried.records == 4
    held_back.work(*changed.retried.requests)
    assert held_ids(held_back) == {"300"}
    assert open_issues(held_back) == {}


def test_a_changed_mapping_tells_what_it_was_and_each_change_is_a_version(held_back: Desk) -> None:
    first = mappings.set_entry(held_back.platform, NAME, "shipping_method", "2", "standard", person=PERSON)
    second = mappings.set_entry(held_back.platform, NAME, "shipping_method", "2", "express", person=PERSON)
    third = mappings.unset_entry(held_back.platform, NAME, "shipping_method", "2", person=PERSON)
    assert [first.version, second.version, third.version] == [2, 3, 4]
    assert (second.before, second.after) == ("standard", "express")
    assert rulebook(held_back).shipping_methods == {}
    assert third.retried.requests == []


def test_a_paused_flow_keeps_the_mapping_and_says_what_holds_the_records(held_back: Desk) -> None:
    feeds.pause(held_back.platform, f"{NAME}/import_new_orders", person=PERSON)
    changed = mappings.set_entry(held_back.platform, NAME, "shipping_method", "2", "standard", person=PERSON)
    assert changed.retried.requests == []
    assert "Resume it first" in changed.retried.hindrances[0]
    assert rulebook(held_back).shipping_methods == {"2": "standard"}


@pytest.mark.parametrize(
    ("table", "remote", "hub", "words"),
    [
        ("carrier", "2", "x", "no table called"),
        ("status", "2", "sell", "Choose one of: import, wait, skip, cancel, shipped"),
        ("payment_method", "x", "sometimes", "Choose one of"),
        ("shipping_method", " ", "x", "Name the value"),
        ("shipping_method", "55", "", "not in the table"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(connected: Desk, table: str, remote: str, hub: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        mappings.set_entry(connected.platform, NAME, table, remote, hub, person=PERSON)


def test_the_tables_list_what_is_mapped_what_is_not_and_what_waits(held_back: Desk) -> None:
    mappings.set_entry(held_back.platform, NAME, "status", "5", "skip", person=PERSON)
    mappings.set_entry(held_back.platform, NAME, "payment_method", "*", "always", person=PERSON)
    entries = held_back.database.read(lambda unit: mappings.listed(unit, NAME))
    shown = {(entry.table, entry.remote): entry for entry in entries}
    assert shown["status", "2"].hub == "import"
    assert shown["status", "77"].hub == ""
    assert shown["status", "5"].label == ""
    assert shown["shipping_method", "2"].held == 3
    assert shown["shipping_method", "20"].held == 1
    assert shown["shipping_method", "9"].label == "Pigeon"
    assert shown["payment_method", "*"].label == "any other"
    only = held_back.database.read(lambda unit: mappings.listed(unit, NAME, table="status"))
    assert {entry.table for entry in only} == {"status"}


def test_a_new_status_rule_decides_about_the_next_order(connected: Desk) -> None:
    mappings.set_entry(connected.platform, NAME, "status", "2", "skip", person=PERSON)
    mappings.set_entry(connected.platform, NAME, "payment_method", "Bank wire", "never", person=PERSON)
    connected.fill(an_order("100"))
    assert connected.run("import_new_orders").skipped == 1
    assert rulebook(connected).statuses["2"] is Fate.SKIP
    assert rulebook(connected).payment_methods["Bank wire"] is PaymentRule.NEVER


# --- issues -------------------------------------------------------------------------------------------------------


def issue_of(desk: Desk) -> Issue:
    return open_issues(desk)["unmapped:shipping_method:2"]


def test_retrying_an_issue_runs_only_its_records(held_back: Desk) -> None:
    rulebooks.change(held_back.platform, NAME, values={"safety_buffer": "1"}, person=PERSON)
    retried = issues.retry(held_back.platform, issue_of(held_back).id, person=PERSON)
    ended = held_back.work(*retried.requests)
    assert retried.records == ended.read == ended.failed == 3
    assert issue_of(held_back).occurrences == 3  # the same failure again is no further occurrence


def test_an_issue_of_a_whole_flow_runs_that_flow(held_back: Desk) -> None:
    feed = held_back.database.read(lambda unit: feed_named(unit, f"{NAME}/retry")).feed
    integration_id = feed.integration_id
    whole = held_back.database.write(
        lambda unit: folding.raise_issue(
            unit, integration_id=integration_id, feed_id=feed.id, cause="retry:slow", message="It is slow."
        )
    )
    nobody = held_back.database.write(
        lambda unit: folding.raise_issue(unit, integration_id=integration_id, cause="odd", message="It is odd.")
    )
    retried = issues.retry(held_back.platform, whole, person=PERSON)
    assert held_back.work(*retried.requests).state is State.SUCCEEDED
    with pytest.raises(UserError, match="nothing to run"):
        issues.retry(held_back.platform, nobody, person=PERSON)


def test_an_issue_shows_the_records_it_holds_back(held_back: Desk) -> None:
    issue, rows = held_back.database.read(lambda unit: issues.show(unit, issue_of(held_back).id))
    assert [row.remote_id for row in rows] == ["100", "101", "102"]
    assert issue.records == 3
    with pytest.raises(UserError, match="no issue 999"):
        held_back.database.read(lambda unit: issues.show(unit, 999))


def test_a_resolved_issue_keeps_by_whom_and_opens_again_with_its_cause(held_back: Desk) -> None:
    number = issue_of(held_back).id
    issues.resolve(held_back.platform, number, person=PERSON, note="asked the carrier")
    kept = held_back.database.read(lambda unit: issue_rows.get(unit, number))
    assert (kept.state, kept.resolved_by, kept.note) == ("resolved", PERSON, "asked the carrier")
    for again in (
        lambda: issues.resolve(held_back.platform, number, person=PERSON),
        lambda: issues.retry(held_back.platform, number, person=PERSON),
    ):
        with pytest.raises(UserError, match="resolved already, by ada"):
            again()
    held_back.fill(an_order("103"))
    held_back.run("import_new_orders")
    assert issue_of(held_back).id == number
    assert issue_of(held_back).reopened == 1


def test_a_snoozed_issue_does_not_ring_until_then(held_back: Desk, clock: MovableClock) -> None:
    bell = held_back.database.read(issue_rows.open_errors)
    issues.snooze(held_back.platform, issue_of(held_back).id, until=clock() + timedelta(hours=2), person=PERSON)
    assert held_back.database.read(issue_rows.open_errors) == bell - 1
    clock.advance(hours=3)
    assert held_back.database.read(issue_rows.open_errors) == bell
    with pytest.raises(UserError, match="in the future"):
        issues.snooze(held_back.platform, issue_of(held_back).id, until=clock(), person=PERSON)


def test_an_issue_has_somebody_who_looks_after_it_and_a_note(held_back: Desk) -> None:
    number = issue_of(held_back).id
    issues.assign(held_back.platform, number, to="bob", person=PERSON)
    issues.note(held_back.platform, number, text="bob is on it", person=PERSON)
    issue = held_back.database.read(lambda unit: issues.get(unit, number))
    assert (issue.assignee, issue.note) == ("bob", "bob is on it")
    assert held_back.actions[-2:] == ["assign_issue", "note_issue"]
    assert held_back.audit[0].subject == f"issue {number} of {NAME}"


# --- rules --------------------------------------------------------------------------------------------------------


def test_rules_are_changed_as_people_write_them(connected: Desk) -> None:
    version = rulebooks.change(
        connected.platform,
        NAME,
        values={
            "safety_buffer": "2",
            "warehouses": "main, north",
            "guard_share": "20%",
            "give_up_after": "14 days",
            "first_import_window": "7d",
            "hub_fields": "name,weight",
        },
        person=PERSON,
    )
    changed = rulebook(connected)
    assert version == 2
    assert (changed.safety_buffer, changed.warehouses) == (Decimal(2), ("main", "north"))
    assert (changed.guard_share, changed.hub_fields) == (Decimal("0.2"), ("name", "weight"))
    assert (changed.give_up_after.days, changed.first_import_window.days) == (14, 7)
    integration = connected.database.read(lambda unit: integration_named(unit, NAME))
    shown = {rule.name: rule.value for rule in rulebooks.listed(integration)}
    assert shown["give_up_after"] == "14 days"
    assert shown["warehouses"] == "main, north"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("buffer", "1"),
        ("safety_buffer", "-1"),
        ("safety_buffer", "many"),
        ("safety_buffer", "NaN"),
        ("guard_share", "0"),
        ("guard_share", "150%"),
        ("give_up_after", "soon"),
        ("give_up_after", "0"),
        ("warehouses", " , "),
        ("hub_fields", "colour"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(connected: Desk, name: str, value: str) -> None:
    with pytest.raises(UserError):
        rulebooks.change(connected.platform, NAME, values={name: value}, person=PERSON)
    assert rulebook(connected).guard_share == Decimal("0.30")


def test_a_rule_tried_before_it_is_saved_tells_which_orders_change_their_fate(held_back: Desk) -> None:
    changed = mappings.set_entry(held_back.platform, NAME, "shipping_method", "2", "standard", person=PERSON)
    held_back.work(*changed.retried.requests)
    before = rulebook(held_back)
    trial = rules.try_entry(held_back.platform, NAME, "status", "2", "skip")
    assert trial.tried == 5
    assert {change.label for change in trial.changes} == {"ORDER100", "ORDER101", "ORDER102"}
    assert {(change.before.verdict, change.after.verdict) for change in trial.changes} == {("import", "skip")}
    assert rulebook(held_back) == before


def test_trying_a_mapping_shows_which_held_records_would_be_tried_again(held_back: Desk) -> None:
    trial = rules.try_entry(held_back.platform, NAME, "shipping_method", "2", "standard")
    assert [change.remote_id for change in trial.changes] == ["100", "101", "102"]
    assert all(change.is_held and change.before.verdict == "error" for change in trial.changes)
    everything = rules.try_entry(held_back.platform, NAME, "shipping_method", "*", "standard")
    assert len(everything.changes) == 4
    assert rules.try_entry(held_back.platform, NAME, "payment_method", "x", "always").changes == []


def test_trying_a_status_shows_the_orders_set_aside_for_it(connected: Desk) -> None:
    mappings.set_entry(connected.platform, NAME, "status", "2", "wait", person=PERSON)
    connected.fill(an_order("100"))
    connected.run("import_new_orders")
    trial = rules.try_entry(connected.platform, NAME, "status", "2", "import")
    assert [(change.remote_id, change.before.verdict, change.after.verdict) for change in trial.changes] == [
        ("100", "wait", "tried again")
    ]
    assert rules.try_entry(connected.platform, NAME, "status", "77", "import").changes == []


def test_an_order_shipped_in_the_shop_would_come_in_as_shipped(connected: Desk) -> None:
    order = an_order("1", fate="cancelled", shipping_method="express")
    told = rules.as_told(order)
    flow = connected.platform.registry.flow("import_new_orders").work
    wanted = msgspec.structs.replace(rulebook(connected), statuses={"2": Fate.SHIPPED})
    assert (told.fate, told.shipping_method) == ("open", "")
    assert rules.judge(order, flow.rules, wanted).verdict == "import as shipped"
