"""Records that do not pass: each by its severity, folded into issues, let go when they pass."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import RecordProblem, Wait
from domain.records import Order
from engine.runtime import issues
from engine.runtime.inbound.intake import Intake
from engine.runtime.inbound.verdicts import Refused
from storage.database import Unit
from storage.queries import held, reservations
from storage.queries import issues as issue_rows
from storage.queries.held import Held
from storage.queries.outcomes import Line
from storage.queries.references import Known

WAIT_AGAIN_AFTER = timedelta(hours=1)
"""A waiting record is looked up again after this."""
FAILED_AGAIN_AFTER = timedelta(hours=6)
"""A failed record too, in case it was corrected in the shop; nobody has to press a button for that."""

_OUTCOMES = {"info": "skipped", "retry": "waiting", "error": "failed"}


@dataclass(frozen=True, slots=True)
class Holds:
    """What was held back: the ids now held, and the outcome lines."""

    remote_ids: frozenset[str]
    lines: list[Line]


def hold_back(
    unit: Unit, intake: Intake, refused: Sequence[Refused], before: dict[str, Held], known: dict[str, Known]
) -> Holds:
    """Give every refused record its severity: info is told, retry waits for its next try, error goes to an issue."""
    if not refused:
        return Holds(frozenset(), [])
    rows: list[Held] = []
    lines: list[Line] = []
    causes: dict[str, list[Held]] = defaultdict(list)
    problems: dict[str, RecordProblem] = {}
    for item in refused:
        row = _held(unit, intake, item, before.get(item.remote_id))
        record = known.get(item.remote_id)
        message = row.message
        lines.append(
            (record.record_id if record else None, item.remote_id, item.label, _OUTCOMES[row.severity], message)
        )
        if row.severity == "error":
            causes[row.cause].append(row)
            problems[row.cause] = item.problem
        elif row.severity == "retry" or item.remote_id in before:
            rows.append(row)
    for cause, members in causes.items():
        rows += _fold(unit, intake, problems[cause], members, before)
    held.hold(unit, rows)
    changed = {row.issue_id for row in before.values() if row.issue_id} - {row.issue_id for row in rows}
    issue_rows.resolve_emptied(unit, [issue for issue in changed if issue], by="its records passed")
    unknown = [item for item in refused if item.remote_id not in known]
    _reserve(unit, intake, unknown, {row.remote_id: row for row in rows})
    return Holds(frozenset(row.remote_id for row in rows), lines)


def let_go(unit: Unit, intake: Intake, remote_ids: Sequence[str]) -> None:
    """These records passed: no longer held, and issues that hold nothing any more close by themselves."""
    if not remote_ids:
        return
    freed = held.among(unit, intake.integration_id, kind=intake.kind, remote_ids=remote_ids)
    held.release(unit, intake.integration_id, kind=intake.kind, remote_ids=remote_ids)
    issue_ids = sorted({row.issue_id for row in freed.values() if row.issue_id is not None})
    issue_rows.resolve_emptied(unit, issue_ids, by="its records passed")


def forget(unit: Unit, intake: Intake, rows: Sequence[Held]) -> None:
    """The shop no longer has these records: nothing is left to wait for."""
    remote_ids = [row.remote_id for row in rows]
    let_go(unit, intake, remote_ids)
    if intake.work.kind is Order:
        reservations.drop(unit, intake.integration_id, remote_ids)


def _held(unit: Unit, intake: Intake, item: Refused, before: Held | None) -> Held:
    problem = item.problem
    severity, message = problem.severity, problem.message
    first_at = before.first_at if before else unit.now
    give_up_at = None
    give_up_as = ""
    if isinstance(problem, Wait):
        give_up_at = first_at + (problem.give_up_after or intake.run.rulebook.give_up_after)
        give_up_as = problem.give_up_as.severity
        if unit.now >= give_up_at:
            severity = give_up_as
            message = f"{message} It has been waiting since {first_at:%Y-%m-%d}, so it is no longer tried."
    tries_again = {"retry": WAIT_AGAIN_AFTER, "error": FAILED_AGAIN_AFTER}.get(severity)
    return Held(
        integration_id=intake.integration_id,
        kind=intake.kind,
        remote_id=item.remote_id,
        feed_id=intake.feed_id,
        label=item.label,
        severity=severity,
        cause=problem.cause,
        message=message,
        issue_id=None,
        first_at=first_at,
        last_at=unit.now,
        next_try_at=unit.now + tries_again if tries_again else None,
        give_up_at=give_up_at,
        give_up_as=give_up_as,
        tries=before.tries + 1 if before else 1,
    )


def _fold(
    unit: Unit, intake: Intake, problem: RecordProblem, members: Sequence[Held], before: dict[str, Held]
) -> list[Held]:
    first = members[0]
    fresh = sum(1 for row in members if row.remote_id not in before or before[row.remote_id].cause != row.cause)
    issue_id = issues.raise_issue(
        unit,
        integration_id=intake.integration_id,
        feed_id=intake.feed_id,
        cause=first.cause,
        message=first.message,
        remedy=problem.remedy,
        occurrences=fresh,
    )
    return [_with_issue(row, issue_id) for row in members]


def _with_issue(row: Held, issue_id: int) -> Held:
    return Held(**{name: getattr(row, name) for name in row.__slots__ if name != "issue_id"}, issue_id=issue_id)


def _reserve(unit: Unit, intake: Intake, refused: Sequence[Refused], rows: dict[str, Held]) -> None:
    """Orders that wait or failed take their quantities out of what may be sold; those set aside for good do not."""
    if intake.work.kind is not Order:
        return
    orders = [item.record for item in refused if isinstance(item.record, Order)]
    taking = [order for order in orders if order.remote_id in rows and rows[order.remote_id].severity != "info"]
    reservations.replace(unit, intake.integration_id, taking, is_held=True)
    reservations.drop(unit, intake.integration_id, [o.remote_id for o in orders if o not in taking])
