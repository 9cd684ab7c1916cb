"""The worker's answer to each severity, through real executions of a scripted flow."""

from datetime import timedelta

import pytest

from engine.runtime import executions, issues, worker
from engine.runtime.platform import Platform
from storage.database import Database
from storage.queries import executions as rows
from storage.queries import feeds, integrations
from storage.queries import issues as issue_rows
from storage.rows import Execution, Feed, State, Trigger
from tests import toy


@pytest.fixture
def platform(database: Database) -> Platform:
    return toy.a_platform(database)


def request(platform: Platform, feed: Feed, **more) -> int:
    return executions.request(platform, feed.id, trigger=Trigger.MANUAL, person="anna", **more).execution_id


def run(platform: Platform, execution_id: int) -> Execution:
    worker.run_execution(platform, execution_id)
    return read(platform, execution_id)


def read(platform: Platform, execution_id: int) -> Execution:
    found = platform.database.read(lambda unit: rows.get(unit, execution_id))
    assert found is not None
    return found


def reread(platform: Platform, feed: Feed) -> Feed:
    found = platform.database.read(lambda unit: feeds.get(unit, feed.id))
    assert found is not None
    return found


def open_issues(platform: Platform) -> list[str]:
    return [issue.cause for issue in platform.database.read(issue_rows.listed)]


def test_a_run_saves_its_pages_and_succeeds(platform, database, clock):
    (feed,) = toy.an_integration(database)
    execution = run(platform, request(platform, feed))
    assert execution.state is State.SUCCEEDED
    assert toy.pages(database) == [f"{execution.id}/{page}" for page in (1, 2, 3)]
    assert (execution.created, execution.read, execution.position, execution.expected) == (3, 3, 3, 3)
    assert execution.lease_until is None
    assert execution.ended_at == clock()
    assert execution.phases is not None
    assert "total" in execution.phases
    assert reread(platform, feed).succeeded_at == clock()
    assert reread(platform, feed).average_seconds == 0


def test_a_record_that_failed_makes_it_a_success_with_issues(platform, database):
    (feed,) = toy.an_integration(database, failed=2)
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.failed, execution.read) == (State.SUCCEEDED_WITH_ISSUES, 2, 5)


def test_running_what_has_ended_changes_nothing(platform, database):
    (feed,) = toy.an_integration(database)
    first = run(platform, request(platform, feed))
    assert run(platform, first.id) == first


def test_a_passing_fault_gives_the_execution_back_and_goes_on_from_the_saved_page(platform, database, clock):
    (feed,) = toy.an_integration(database, at=2, event="Unavailable")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.position, execution.reason) == (State.QUEUED, 1, "It was Unavailable.")
    assert execution.available_at >= clock()
    assert open_issues(platform) == []
    clock.advance(hours=1)
    execution = run(platform, execution.id)
    assert (execution.state, execution.attempt, execution.created) == (State.SUCCEEDED, 2, 3)
    assert toy.pages(database) == [f"{execution.id}/{page}" for page in (1, 2, 3)]


def test_a_passing_fault_that_does_not_pass_fails_after_eight_tries_with_one_issue(platform, database, clock):
    (feed,) = toy.an_integration(database, at=1, event="TimedOut", attempts=99)
    execution_id = request(platform, feed)
    states = []
    for _ in range(worker.MOST_TRIES):
        execution = run(platform, execution_id)
        states.append(execution.state)
        assert execution.available_at - clock() <= timedelta(minutes=15)
        clock.advance(hours=1)
    assert states == [State.QUEUED] * 7 + [State.FAILED]
    assert execution.error_code == "timed_out"
    assert open_issues(platform) == ["import_toys:timed_out"]


def test_progress_makes_a_passing_fault_count_from_the_start(platform, database, clock):
    (feed,) = toy.an_integration(database, at=2, event="TimedOut", attempts=1)
    execution = run(platform, request(platform, feed))
    assert execution.tries == 1
    assert execution.read == 1


def test_a_rate_limit_waits_as_long_as_asked_and_counts_as_no_try(platform, database, clock):
    (feed,) = toy.an_integration(database, at=1, event="RateLimited", attempts=20)
    execution_id = request(platform, feed)
    for _ in range(worker.MOST_TRIES + 2):
        execution = run(platform, execution_id)
        assert (execution.state, execution.tries) == (State.QUEUED, 0)
        assert timedelta(seconds=90) <= execution.available_at - clock() <= timedelta(seconds=100)
        clock.advance(minutes=5)


def test_an_error_for_a_person_pauses_the_integration_and_says_what_to_do(platform, database):
    (feed,) = toy.an_integration(database, at=1, event="CredentialsRejected")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.error_code) == (State.FAILED, "credentials_rejected")
    integration = platform.database.read(lambda unit: integrations.get(unit, feed.integration_id))
    assert integration.paused_at is not None
    assert integration.attention == "It was CredentialsRejected."
    (issue,) = platform.database.read(issue_rows.listed)
    assert (issue.cause, issue.remedy) == ("import_toys:credentials_rejected", "Enter a new key.")


def test_an_answer_that_cannot_be_trusted_fails_and_pauses_nothing(platform, database):
    (feed,) = toy.an_integration(database, at=2, event="UnexpectedFormat")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.position) == (State.FAILED, 1)
    assert open_issues(platform) == ["import_toys:unexpected_format"]
    request(platform, feed)


def test_our_own_mistake_stops_with_an_issue_that_tells_no_detail(platform, database):
    (feed,) = toy.an_integration(database, at=1, event="break")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.error_code) == (State.FAILED, "broken_invariant")
    assert "mistake in Navette" in execution.reason
    assert "secret" not in execution.reason
    assert open_issues(platform) == ["import_toys:broken_invariant"]


def test_a_success_closes_the_issues_of_the_whole_feed_but_not_those_of_single_records(platform, database):
    (feed,) = toy.an_integration(database, at=1, event="UnexpectedFormat")
    run(platform, request(platform, feed))

    def raise_another(unit):
        issues.raise_issue(unit, integration_id=feed.integration_id, cause="import_toys:effect:refused", message="No.")

    database.write(raise_another)

    def mend(unit):
        integrations.change_settings(unit, feed.integration_id, settings={}, rulebook={}, person="anna")

    database.write(mend)
    assert run(platform, request(platform, feed)).state is State.SUCCEEDED
    assert open_issues(platform) == ["import_toys:effect:refused"]


def test_an_execution_for_one_record_is_no_success_of_the_feed(platform, database):
    (feed,) = toy.an_integration(database)
    run(platform, request(platform, feed, scope={"ids": ["7"]}))
    assert reread(platform, feed).succeeded_at is None


def test_cancelling_keeps_the_pages_saved_so_far(platform, database):
    (feed,) = toy.an_integration(database, at=2, event="Cancelled")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.position) == (State.CANCELLED, 1)
    assert toy.pages(database) == [f"{execution.id}/1"]
    assert open_issues(platform) == []


def test_a_person_who_cancels_is_obeyed_at_the_next_page(platform, database):
    (feed,) = toy.an_integration(database, at=1, event="cancel")
    execution = run(platform, request(platform, feed))
    assert execution.state is State.CANCELLED
    assert toy.pages(database) == []


def test_a_lease_given_up_drops_the_page_and_counts_nothing(platform, database):
    """What a worker does when it is asked to stop."""
    (feed,) = toy.an_integration(database, at=2, event="LeaseLost")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.tries, execution.lost_leases, execution.position) == (State.QUEUED, 0, 0, 1)
    assert run(platform, execution.id).state is State.SUCCEEDED


def test_the_next_execution_of_a_feed_is_rung_when_one_ends(platform, database):
    (feed,) = toy.an_integration(database)
    first = request(platform, feed)
    executions.claim(platform, first)
    second = request(platform, feed)
    database.write(lambda unit: rows.release(unit, first, attempt=1, tries=0))
    rung = platform.dispatcher.backlog()
    run(platform, first)
    assert platform.dispatcher.backlog() == rung + 1
    assert run(platform, second).state is State.SUCCEEDED


def test_a_flow_that_runs_once_is_switched_off_by_its_success(platform, database):
    (feed,) = toy.an_integration(database, flows=(toy.ONCE,))
    assert run(platform, request(platform, feed)).state is State.SUCCEEDED
    assert not reread(platform, feed).is_enabled


def test_a_flow_that_runs_once_stays_open_while_there_was_nothing_for_it(platform, database):
    (feed,) = toy.an_integration(database, flows=(toy.ONCE,), pages=0)
    assert run(platform, request(platform, feed)).state is State.SUCCEEDED
    assert reread(platform, feed).is_enabled


def test_a_missing_right_pauses_only_the_feed_that_needs_it(platform, database):
    feed, other = toy.an_integration(database, flows=(toy.IMPORT, toy.EXPORT), at=1, event="PermissionMissing")
    assert run(platform, request(platform, feed)).state is State.FAILED
    assert reread(platform, feed).paused_at is not None
    assert reread(platform, other).paused_at is None
    integration = platform.database.read(lambda unit: integrations.get(unit, feed.integration_id))
    assert integration.paused_at is None
    (issue,) = platform.database.read(issue_rows.listed)
    assert issue.remedy.endswith(f"navette feeds resume {integration.name}/{feed.flow}")


def test_a_record_that_does_not_exist_is_told_to_who_asked_and_rings_no_bell(platform, database):
    (feed,) = toy.an_integration(database, at=1, event="UserError")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.reason) == (State.FAILED, "It was UserError.")
    assert open_issues(platform) == []


def test_settings_that_do_not_fit_pause_the_integration_and_name_the_field(platform, database):
    (feed,) = toy.an_integration(database, pages="many")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.error_code) == (State.FAILED, "settings_invalid")
    assert "pages" in execution.reason


def test_a_flow_that_was_removed_fails_with_a_sentence(platform, database):
    (feed,) = toy.an_integration(database, flows=("import_dolls",))
    execution = run(platform, request(platform, feed))
    assert execution.state is State.FAILED
    assert "import_dolls" in execution.reason


def test_a_process_that_is_stopping_claims_nothing(platform, database):
    (feed,) = toy.an_integration(database)
    execution_id = request(platform, feed)
    platform.stopping.set()
    assert run(platform, execution_id).state is State.QUEUED


def test_an_execution_taken_over_by_another_worker_is_left_to_it(platform, database):
    """The page in hand is undone, and nothing this worker says about the end counts."""
    (feed,) = toy.an_integration(database, at=2, event="lose")
    execution = run(platform, request(platform, feed))
    assert (execution.state, execution.attempt, execution.worker) == (State.RUNNING, 2, "another")
    assert toy.pages(database) == [f"{execution.id}/1"]


def test_work_may_ring_for_an_execution_it_requested(platform, database):
    (feed,) = toy.an_integration(database, at=1, event="ring")
    run(platform, request(platform, feed))
    assert platform.dispatcher.backlog() == 2
