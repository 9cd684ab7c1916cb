"""Start-up of the command line: ``navette --version``, a whole process each time."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Aim, Figure
from tests.bench.rounds import take_turns
from tests.bench.terms import Terms

NAME = "start_up"
NEEDS_DATABASE = False
_NAVETTE = Path(sys.executable).with_name("navette")


def measure(terms: Terms) -> Iterator[Figure]:
    """Against an interpreter that does nothing."""
    sides = {
        "floor": lambda: _run(sys.executable, "-c", "pass"),
        "engine": lambda: _run(str(_NAVETTE), "--version"),
        "help": lambda: _run(str(_NAVETTE), "--help"),
    }
    medians = take_turns(sides, rounds=5 * terms.rounds)
    floor = f"{medians['floor']['seconds'] * 1000:.0f} ms"
    for what, side, aim in (("navette --version", "engine", Aim(most=150)), ("navette --help", "help", None)):
        yield Figure(NAME, what, "", medians[side]["seconds"] * 1000, "ms", floor=floor, aim=aim)


def _run(*command: str) -> dict[str, float]:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {"seconds": time.perf_counter() - started}
