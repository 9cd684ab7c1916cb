"""Issues: look, resolve, snooze, assign, note, and run again exactly what one of them holds back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import UserError
from engine.actions.names import feed_of
from engine.runtime import executions
from engine.runtime.executions import Requested
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, held, issues
from storage.queries.held import Held
from storage.queries.issues import Issue
from storage.rows import Trigger


@dataclass(frozen=True, slots=True)
class Retried:
    """What runs again: one request for each feed, how many records, and why some cannot (a paused flow)."""

    requests: Sequence[Requested]
    records: int
    hindrances: Sequence[str]


def get(unit: Unit, issue_id: int) -> Issue:
    """One issue. Raises ``UserError`` when there is none."""
    issue = issues.get(unit, issue_id)
    if issue is None:
        raise UserError(f"There is no issue {issue_id}. List the open ones with: navette issues list")
    return issue


def show(unit: Unit, issue_id: int) -> tuple[Issue, list[Held]]:
    """One issue and the records it holds back."""
    return get(unit, issue_id), held.of_issue(unit, issue_id)


def resolve(platform: Platform, issue_id: int, *, person: str, note: str = "") -> Issue:
    """Close an issue by hand. It opens again when its cause comes back."""

    def work(unit: Unit) -> Issue:
        issue = _open(unit, issue_id)
        issues.resolve(unit, [issue_id], by=person)
        if note:
            issues.annotate(unit, issue_id, note=note)
        _record(unit, issue, person=person, action="resolve_issue", note=note)
        return issue

    return platform.database.write(work)


def snooze(platform: Platform, issue_id: int, *, until: datetime, person: str) -> Issue:
    """Keep an issue off the bell until a moment in the future."""

    def work(unit: Unit) -> Issue:
        issue = _open(unit, issue_id)
        if until <= unit.now:
            raise UserError("An issue is snoozed until a moment in the future.")
        issues.annotate(unit, issue_id, snoozed_until=until)
        _record(unit, issue, person=person, action="snooze_issue", until=until.isoformat())
        return issue

    return platform.database.write(work)


def assign(platform: Platform, issue_id: int, *, to: str, person: str) -> Issue:
    """Say who looks after an issue; empty: nobody."""

    def work(unit: Unit) -> Issue:
        issue = get(unit, issue_id)
        issues.annotate(unit, issue_id, assignee=to)
        _record(unit, issue, person=person, action="assign_issue", to=to)
        return issue

    return platform.database.write(work)


def note(platform: Platform, issue_id: int, *, text: str, person: str) -> Issue:
    """Write down what is known about an issue."""

    def work(unit: Unit) -> Issue:
        issue = get(unit, issue_id)
        issues.annotate(unit, issue_id, note=text)
        _record(unit, issue, person=person, action="note_issue", note=text)
        return issue

    return platform.database.write(work)


def retry(platform: Platform, issue_id: int, *, person: str) -> Retried:
    """Run again only the records an issue holds back; an issue of a whole flow runs that flow."""

    def work(unit: Unit) -> Retried:
        issue = _open(unit, issue_id)
        rows = held.of_issue(unit, issue_id)
        if rows:
            retried = run_again(unit, rows, person=person)
        elif issue.feed_id is not None:
            requested = executions.place(unit, issue.feed_id, trigger=Trigger.MANUAL, person=person)
            retried = Retried([requested], 0, [])
        else:
            raise UserError(
                f"Issue {issue_id} holds no record back and belongs to no flow, so there is nothing to run."
            )
        _record(unit, issue, person=person, action="retry_issue", executions=_ids(retried.requests))
        return retried

    return ring(platform, platform.database.write(work))


def run_again(unit: Unit, rows: Iterable[Held], *, person: str) -> Retried:
    """Ask for exactly these records, by one request for each feed that first saw them. Rung by the caller, after commit."""
    by_feed: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        by_feed[row.feed_id].append(row.remote_id)
    requests: list[Requested] = []
    hindrances: list[str] = []
    count = 0
    for feed_id, remote_ids in by_feed.items():
        try:
            requests.append(
                executions.place(unit, feed_id, trigger=Trigger.RETRY, person=person, scope={"ids": sorted(remote_ids)})
            )
            count += len(remote_ids)
        except UserError as error:
            hindrances.append(f"{feed_of(unit, feed_id).name}: {error.message}")
    return Retried(requests, count, hindrances)


def ring(platform: Platform, retried: Retried) -> Retried:
    """Tell workers, after commit."""
    platform.dispatcher.ring(_ids(retried.requests))
    return retried


def _ids(requests: Sequence[Requested]) -> list[int]:
    return [requested.execution_id for requested in requests]


def _open(unit: Unit, issue_id: int) -> Issue:
    issue = get(unit, issue_id)
    if issue.state != "open":
        raise UserError(f"Issue {issue_id} is resolved already, by {issue.resolved_by}.")
    return issue


def _record(unit: Unit, issue: Issue, *, person: str, action: str, **detail: object) -> None:
    subject = f"issue {issue.id} of {issue.integration}"
    audit.record(unit, person=person, action=action, subject=subject, detail={"cause": issue.cause, **detail})
