"""The error tree: the type says what happens next, and every error can be told to a person."""

import pickle
from datetime import timedelta

import pytest

from domain import errors
from domain.errors import PlatformError, RecordProblem, RequestRefused, Skip, TransientError, Wait


def every(kind: type[PlatformError]) -> list[type[PlatformError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in every(child))]


def test_every_error_has_a_code_of_its_own() -> None:
    ours = [kind for kind in every(PlatformError) if kind.__module__ == errors.__name__]
    assert len({kind.code for kind in ours}) == len(ours)


@pytest.mark.parametrize(
    "error",
    [
        Wait("Unpaid.", cause="unpaid", give_up_after=timedelta(days=3), detail="d"),
        TransientError("Later.", retry_after=timedelta(seconds=7)),
        RequestRefused("No.", status=400, remote_code="85"),
        errors.CredentialsRejected("Wrong key.", remedy="Make a new one."),
    ],
)
def test_errors_cross_process_borders_whole(error: PlatformError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)


def test_a_wait_that_gives_up_becomes_info_unless_said_otherwise() -> None:
    assert Wait("x", cause="x").give_up_as is Skip
    assert {kind.severity for kind in every(RecordProblem)} == {"info", "retry", "error"}
