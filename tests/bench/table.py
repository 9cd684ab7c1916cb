"""The table of figures: for people, and as JSON for comparing runs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Aim, Figure

_DIGITS = {"x": ".2f", "s": ".2f", "ms": ".1f", "µs": ".1f", "MB": ".0f"}


def show(figures: Sequence[Figure], *, notes: Sequence[str] = ()) -> None:
    """Print every figure with what it is compared with, its aim, and whether that was reached."""
    table = Table(title="Benchmarks", caption="\n".join(notes), caption_justify="left")
    for name in ("benchmark", "what", "database", "floor", "engine", "figure", "aim", ""):
        table.add_column(name, justify="right" if name in ("floor", "engine", "figure", "aim") else "left")
    for one in figures:
        verdict = "" if one.aim is None else "[green]PASS[/]" if one.is_reached else "[bold red]MISS[/]"
        table.add_row(
            one.benchmark, one.what, one.database, one.floor, one.engine, number(one), aim(one.aim, one.unit), verdict
        )
    Console(width=180 if not Console().is_terminal else None).print(table)


def save(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps([{**asdict(one), "is_reached": one.is_reached} for one in figures], indent=2))


def number(figure: Figure) -> str:
    """A number with its unit."""
    return f"{figure.number:{_DIGITS.get(figure.unit, ',.0f')}} {figure.unit}"


def aim(aim: Aim | None, unit: str) -> str:
    """An aim in signs."""
    if aim is None:
        return ""
    ends = [f"≥ {aim.least:g}" if aim.least is not None else "", f"≤ {aim.most:g}" if aim.most is not None else ""]
    return f"{' '.join(end for end in ends if end)} {unit}"
