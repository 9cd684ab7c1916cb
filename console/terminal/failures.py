"""How errors reach a person at a terminal: a sentence on standard error, exit status 1, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import typer
from typer.exceptions import TyperException

from domain.errors import BrokenInvariant, PlatformError

DEBUG: ContextVar[bool] = ContextVar("debug", default=False)
"""Whether the log goes to standard error."""


@contextmanager
def told() -> Iterator[None]:
    """Turn errors into a sentence and exit status 1."""
    try:
        yield
    except (TyperException, typer.Exit, typer.Abort):
        raise
    except PlatformError as error:
        if isinstance(error, BrokenInvariant):
            _log(error)
        remedy = str(getattr(error, "remedy", ""))
        typer.echo(f"{error.message} {remedy}".strip(), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        raise typer.Exit(1) from None
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        typer.echo(f"The computer refused: {error.strerror or error}{place}.", err=True)
        raise typer.Exit(1) from None
    except Exception as error:  # noqa: BLE001 - a person is owed a sentence, whatever went wrong
        _log(error)
        where = "see above" if DEBUG.get() else "run the same command with --debug in front to see it"
        typer.echo(f"Something went wrong that Navette did not expect; {where}. Please report it.", err=True)
        raise typer.Exit(1) from None


def _log(error: Exception) -> None:
    import structlog  # noqa: PLC0415 - nothing is loaded for commands that go well

    structlog.get_logger(__name__).error("command_broke", exc_info=error)
