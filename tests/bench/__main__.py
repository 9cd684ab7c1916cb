"""Run benchmarks: ``python -m tests.bench [names…] [--rounds N] [--scale 0.1] [--databases sqlite,postgresql] [--json FILE]``."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.bench import databases, table
from tests.bench.figure import Figure
from tests.bench.terms import Terms

NAMES = ("products", "slow_shop", "empty_execution", "run_now", "schedules", "stock_export", "stock_check", "start_up")


def run(names: Sequence[str], *, dialects: Sequence[str], rounds: int, scale: float) -> Iterator[Figure]:
    """The figures of these benchmarks, on each database."""
    modules = [import_module(f"tests.bench.{name}") for name in names]
    for position, dialect in enumerate(dialects):
        with databases.opened(dialect) as made:
            terms = Terms(made, rounds=rounds, scale=scale)
            for module in modules:
                if position == 0 or _needs_database(module):
                    yield from module.measure(terms)


def _needs_database(module: ModuleType) -> bool:
    return bool(getattr(module, "NEEDS_DATABASE", True))


def main() -> None:
    """Measure, print the table, and fail when an aim was missed."""
    options = _options()
    figures: list[Figure] = []
    before = os.getloadavg()[0]
    for figure in run(
        options.names or NAMES, dialects=options.databases.split(","), rounds=options.rounds, scale=options.scale
    ):
        sys.stderr.write(f"{figure.benchmark}: {figure.what} {figure.database}: {table.number(figure)}\n")
        figures.append(figure)
    figures.sort(key=lambda one: NAMES.index(one.benchmark))
    notes = [
        f"Medians of {options.rounds} rounds at scale {options.scale:g}, floor and engine in turns.",
        f"{os.cpu_count()} cores; load before: {before:.1f} (other work makes every figure worse).",
    ]
    table.show(figures, notes=notes)
    if options.json:
        table.save(figures, options.json)
    sys.exit(0 if all(one.is_reached for one in figures) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies every size")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


if __name__ == "__main__":
    main()
