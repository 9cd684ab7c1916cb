"""The command line. Starts quickly: a command's own code is loaded only when it is used."""

import sys

from console.version import VERSION


def main() -> None:
    """Run the command line; does not return."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"navette {VERSION}\n")
        return
    from console.terminal.app import main as run  # noqa: PLC0415 - the version is told without loading anything

    run()
