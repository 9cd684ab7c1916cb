"""Whatever goes wrong at a terminal is a sentence and an exit status."""

import pytest
import structlog
import typer

from console.terminal.failures import DEBUG, told
from domain.errors import BrokenInvariant, CredentialsRejected, UserError


@pytest.mark.parametrize(
    ("error", "words", "status"),
    [
        (UserError("There is no such thing."), "There is no such thing.\n", 1),
        (
            CredentialsRejected("The key was refused.", remedy="Enter another."),
            "The key was refused. Enter another.\n",
            1,
        ),
        (BrokenInvariant("Our own mistake."), "Our own mistake.\n", 1),
        (
            PermissionError(13, "Permission denied", "/etc/secret"),
            "The computer refused: Permission denied (/etc/secret).\n",
            1,
        ),
        (OSError("odd"), "The computer refused: odd.\n", 1),
        (BrokenPipeError(), "", 1),
        (KeyboardInterrupt(), "", 130),
    ],
)
def test_an_error_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], error: BaseException, words: str, status: int
) -> None:
    with structlog.testing.capture_logs(), pytest.raises(typer.Exit) as ended, told():
        raise error
    assert ended.value.exit_code == status
    assert capsys.readouterr().err == words


@pytest.mark.parametrize(("debug", "words"), [(False, "with --debug in front"), (True, "see above")])
def test_what_nobody_expected_is_logged_and_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], *, debug: bool, words: str
) -> None:
    token = DEBUG.set(debug)
    with structlog.testing.capture_logs() as logged, pytest.raises(typer.Exit), told():
        raise ZeroDivisionError("division")
    DEBUG.reset(token)
    assert words in capsys.readouterr().err
    assert [event["event"] for event in logged] == ["command_broke"]


@pytest.mark.parametrize("signal", [typer.Exit(3), typer.Abort(), typer.BadParameter("no")])
def test_the_command_lines_own_signals_pass(signal: Exception) -> None:
    with pytest.raises(type(signal)), told():
        raise signal
