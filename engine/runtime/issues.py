"""Folds problems into issues. The bell rings when an issue opens or comes back, not each time."""

import structlog

from storage.database import Unit
from storage.queries import issues

log = structlog.get_logger()


def raise_issue(
    unit: Unit,
    *,
    integration_id: int,
    cause: str,
    message: str,
    remedy: str = "",
    severity: str = "error",
    feed_id: int | None = None,
    occurrences: int = 1,
) -> int:
    """Count a problem under its cause and return the issue's id."""
    folded = issues.fold(
        unit,
        integration_id=integration_id,
        feed_id=feed_id,
        cause=cause,
        severity=severity,
        message=message,
        remedy=remedy,
        occurrences=occurrences,
    )
    if folded.has_rung and severity == "error":
        log.warning("bell_rang", issue=folded.id, integration=integration_id, cause=cause)
    return folded.id


def settle(unit: Unit, *, integration_id: int, cause: str, by: str) -> None:
    """Close the issue of a cause that is gone; nothing happens when there is none."""
    if issues.resolve_cause(unit, integration_id, cause=cause, by=by):
        log.info("issue_resolved", integration=integration_id, cause=cause, by=by)
