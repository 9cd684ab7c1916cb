"""Lists: the same columns as a table for people and as JSON for programs."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.terminal.words import printable

Row = TypeVar("Row")

_WIDTH_OF_FILES = 200
"""Columns where the output is no terminal: wide enough that nothing is cut."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column. ``key`` is its name in JSON and never changes; ``show`` is its value in words, ``style`` its colour.

    A column without a title is for JSON only.
    """

    key: str
    value: Callable[[Row], object]
    title: str = ""
    show: Callable[[Row], str] | None = None
    style: Callable[[Row], str] | None = None
    is_number: bool = False


def console() -> Console:
    """Standard output. What is printed is text, never markup: it may come from a shop."""
    is_terminal = sys.stdout.isatty()
    return Console(
        markup=False, highlight=False, emoji=False, soft_wrap=False, width=None if is_terminal else _WIDTH_OF_FILES
    )


def show(rows: Sequence[Row], columns: Sequence[Column[Row]], *, as_json: bool, empty: str, title: str = "") -> None:
    """Print rows. ``empty`` says, when there are none, why, and what to do next."""
    if as_json:
        tell_json([{column.key: column.value(row) for column in columns} for row in rows])
    elif not rows:
        typer.echo(empty)
    else:
        console().print(table(rows, columns, title=title))


def table(rows: Sequence[Row], columns: Sequence[Column[Row]], *, title: str = "", is_compact: bool = False) -> Table:
    """Rows as a table, to be printed among other things. ``is_compact``: a line for each row, cut where it is too long."""
    shown = [column for column in columns if column.title]
    made = Table(
        box=None if is_compact else SIMPLE_HEAD,
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold" if is_compact else None,
        pad_edge=False,
    )
    for column in shown:
        made.add_column(
            Text(column.title),
            justify="right" if column.is_number else "left",
            overflow="ellipsis" if is_compact else "fold",
            no_wrap=is_compact,
            header_style="dim" if is_compact else "",
        )
    for row in rows:
        made.add_row(*(_cell(row, column) for column in shown))
    return made


def _cell(row: Row, column: Column[Row]) -> Text:
    value = column.show(row) if column.show is not None else column.value(row)
    text = "" if value is None else printable(str(value))
    return Text(text, style=column.style(row) if column.style is not None else "")


def tell_json(value: object) -> None:
    """Print a value as JSON: times as ISO 8601 in UTC, quantities as text."""
    encoded = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    typer.echo(encoded.decode())


def facts(pairs: Sequence[tuple[str, str]], *, title: str = "") -> None:
    """Print names and values, one a line; those without a value are left out."""
    made = Table(
        box=None, show_header=False, title=Text(title) if title else None, title_justify="left", pad_edge=False
    )
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            made.add_row(Text(name), Text(printable(value)))
    console().print(made)


def say(text: str = "") -> None:
    """Print a sentence."""
    typer.echo(printable(text))


def warn(text: str) -> None:
    """Print a sentence on standard error."""
    typer.echo(printable(text), err=True)
