"""What a command works with: the platform on the configured database, and who asks."""

import getpass
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer

from console.terminal.failures import DEBUG
from engine.actions.platform import open_platform
from engine.logging import set_up_logging
from engine.runtime.platform import Platform
from engine.settings import load_settings

LOG_FILE = "navette.log"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "somebody"


Person = Annotated[
    str,
    typer.Option(
        "--as",
        envvar="NAVETTE_PERSON",
        default_factory=_user,
        show_default="your account",
        help="Who asks: kept in the audit.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with stable names, for programs.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="How many at most.")]


class _LogFile(io.TextIOBase):
    """A file in the data folder that is only made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / LOG_FILE

    def write(self, text: str) -> int:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            return file.write(text)


@contextmanager
def session() -> Iterator[Platform]:
    """The platform, for one command. What breaks is logged in the data folder; with ``--debug`` all goes to standard error."""
    settings = load_settings()
    if DEBUG.get():
        set_up_logging(log_format=settings.log_format, log_level="debug")
    else:
        set_up_logging(log_format="json", log_level="error", stream=cast(TextIO, _LogFile(settings.data_folder)))
    with open_platform(settings) as platform:
        yield platform
