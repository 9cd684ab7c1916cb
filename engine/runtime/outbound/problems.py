"""Problems with single effects, folded by cause: one issue for each, closed by the first run that no longer meets it."""

from collections import Counter
from collections.abc import Iterable

from domain.errors import OutcomeUnknown, PlatformError, RecordProblem, RequestRefused
from engine.runtime import issues
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries.issues import listed

_OPEN_AT_MOST = 1000


def raise_all(unit: Unit, run: Run, errors: Iterable[PlatformError]) -> set[str]:
    """Count problems under their causes, in the transaction that sets the records aside; returns the causes."""
    examples: dict[str, PlatformError] = {}
    counts: Counter[str] = Counter()
    for error in errors:
        cause = f"{_prefix(run)}{_cause(error)}"
        examples[cause] = error
        counts[cause] += 1
    for cause, error in examples.items():
        issues.raise_issue(
            unit,
            integration_id=run.integration.id,
            feed_id=run.feed.id,
            cause=cause,
            message=error.message,
            remedy=_remedy(error),
            occurrences=counts[cause],
        )
    return set(examples)


def settle_others(run: Run, *, standing: Iterable[str]) -> None:
    """A whole run is over: the causes of this feed it did not meet are gone."""
    kept = set(standing)

    def work(unit: Unit) -> None:
        for issue in listed(unit, integration_id=run.integration.id, count=_OPEN_AT_MOST):
            if issue.cause.startswith(_prefix(run)) and issue.cause not in kept:
                issues.settle(unit, integration_id=run.integration.id, cause=issue.cause, by="a run without it")

    run.database.write(work)


def _prefix(run: Run) -> str:
    return f"{run.flow.name}:effect:"


def _cause(error: PlatformError) -> str:
    if isinstance(error, RecordProblem):
        return error.cause
    if isinstance(error, RequestRefused):
        return f"refused:{error.remote_code or error.status}"
    return error.code


def _remedy(error: PlatformError) -> str:
    if isinstance(error, RecordProblem):
        return error.remedy
    if isinstance(error, OutcomeUnknown):
        return "Look on the other side whether the change is there, then say so on the page of the effect."
    return "Correct it on the other side; the change is sent again with the next run."
