"""Real processes of the tiny platform, to be killed, stopped and woken at chosen moments."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Event, Thread

from storage.database import Database
from storage.queries import executions, history
from storage.rows import Execution
from tests import toy

ROOT = Path(__file__).parents[2]
QUICK = {
    "NAVETTE_LEASE_SECONDS": "2",
    "NAVETTE_HEARTBEAT_SECONDS": "0.4",
    "NAVETTE_SWEEP_SECONDS": "0.3",
    "NAVETTE_TICK_SECONDS": "0.2",
    "NAVETTE_GRACE_SECONDS": "3",
    "NAVETTE_WORKER_THREADS": "3",
}


class Process:
    """``python -m tests.toy``; every line it prints can be waited for."""

    def __init__(self, url: str, *roles: str, folder: Path, **settings: str) -> None:
        """Start it; ``ready`` waits until it serves."""
        environment = {**os.environ, **QUICK, **settings, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.toy", url, *roles],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: Queue[str | None] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def wait_for(self, line: str) -> None:
        """Wait until it prints a line."""
        while (found := self._lines.get(timeout=60)) != line:
            assert found is not None, f"It ended before it said {line!r}."

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end and return its exit status. One that does not end shows where each of its threads is."""
        try:
            return self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGABRT)
            return self._process.wait()

    def close(self) -> None:
        """Kill it if it still runs."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())
        self._lines.put(None)


@contextmanager
def process(url: str, *roles: str, folder: Path, **settings: str) -> Iterator[Process]:
    """A process that serves, killed at the end if need be."""
    found = Process(url, *roles, folder=folder, **settings)
    try:
        found.wait_for("ready")
        yield found
        found.send(signal.SIGTERM)
        found.ended()
    finally:
        found.close()


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for something another process does."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        Event().wait(0.05)
    raise AssertionError(f"It did not happen within {seconds} seconds.")


def read(database: Database, execution_id: int) -> Execution:
    """One execution as it is."""
    found = database.read(lambda unit: executions.get(unit, execution_id))
    assert found is not None
    return found


def judge(database: Database, *, pages: int = 3) -> None:
    """Nothing lost, doubled or stuck: every execution that ran saved each of its pages once, and none is left."""
    ran = [row.execution for row in database.read(lambda unit: history.listed(unit, count=10_000))]
    assert all(execution.ended_at is not None for execution in ran)
    wanted = [f"{execution.id}/{page}" for execution in ran for page in range(1, execution.created + 1)]
    assert sorted(toy.pages(database)) == sorted(wanted)
    for execution in ran:
        assert execution.state != "succeeded" or execution.created == pages
