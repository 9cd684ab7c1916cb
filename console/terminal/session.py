"""What a command works with: the platform on the configured database, and who asks."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from console.terminal.failures import DEBUG
from engine.actions.platform import open_platform
from engine.logging import set_up_logging
from engine.runtime.platform import Platform
from engine.settings import Settings, load_settings


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


@contextmanager
def session(settings: Settings | None = None) -> Iterator[Platform]:
    """The platform, for one command. The log is silent but for what matters, unless ``--debug`` was asked for."""
    set_up_logging(log_format="auto", log_level="debug" if DEBUG.get() else "critical")
    with open_platform(settings or load_settings()) as platform:
        yield platform
