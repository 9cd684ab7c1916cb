"""How a secret comes in: never as an argument of a process, which everybody on the machine can read."""

import sys
from pathlib import Path

import typer

from domain.errors import UserError

REFUSAL = (
    "A key written on the command line can be read by everybody on this machine, so it was not used. Leave --key out to be "
    "asked for it, or use --key-file FILE, --key - (standard input) or the variable NAVETTE_KEY."
)


def read_secret(
    *, name: str, argument: str | None, is_from_environment: bool, file: Path | None, is_needed: bool
) -> str | None:
    """The secret, from wherever the person keeps it; asked for when it is needed and nothing was said."""
    if argument is not None and argument != "-" and not is_from_environment:
        raise UserError(REFUSAL)
    if file is not None:
        return _only_line(file.read_text(encoding="utf-8"), where=str(file))
    if argument == "-":
        return _only_line(sys.stdin.read(), where="standard input")
    if argument:
        return argument.strip()
    if not is_needed:
        return None
    if not sys.stdin.isatty():
        raise UserError(
            f"The setting {name} is missing. Give it by --key-file FILE, --key - (standard input) or the variable NAVETTE_KEY."
        )
    answer: str = typer.prompt(name, hide_input=True)
    return answer.strip()


def _only_line(text: str, *, where: str) -> str:
    secret = text.strip()
    if not secret:
        raise UserError(f"There is no key in {where}.")
    if "\n" in secret:
        raise UserError(f"There is more than a key in {where}: it must hold the key and nothing else.")
    return secret
