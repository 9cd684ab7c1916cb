"""Whole processes: each side of a comparison runs in an interpreter of its own, as it would in life."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process answered, and what it cost: seconds from start to end, seconds of processor, peak memory in MB."""

    answer: dict[str, Any]
    seconds: float
    processor_seconds: float
    peak_megabytes: float


def run_apart(function: str, **arguments: Any) -> Finished:
    """Call ``package.module:function`` in a new process; arguments and answer are JSON."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.processes", function],
        check=True,
        input=json.dumps(arguments).encode(),
        stdout=subprocess.PIPE,
        cwd=_PROJECT,
    )
    seconds = time.perf_counter() - started
    told = json.loads(done.stdout)
    return Finished(told["answer"], seconds, told["processor_seconds"], told["peak_megabytes"])


def peak_megabytes() -> float:
    """The most memory this process ever held. ``ru_maxrss`` will not do: a child inherits the peak of its parent."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the system does not tell the peak")


def main() -> None:
    """The new process."""
    module, _, name = sys.argv[1].partition(":")
    answer = getattr(import_module(module), name)(**json.load(sys.stdin))
    told = {"answer": answer, "processor_seconds": time.process_time(), "peak_megabytes": peak_megabytes()}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
