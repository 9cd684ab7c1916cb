"""What arrived, and what it changed."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from domain import clock
from engine.simulation.exchange import Change, Request

RECENT_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. ``status`` is 0 when nothing was answered; ``fault`` names the misbehaviour it met, if any.

    ``body`` is kept for requests that changed something, and empty otherwise; ``digest`` is the body's SHA-256.
    """

    sequence: int
    at: datetime
    method: str
    target: str
    status: int
    digest: str
    body: bytes = b""
    changes: tuple[Change, ...] = ()
    fault: str = ""


class Ledger:
    """Counts every request, keeps the last ten thousand, and keeps every one that changed something. Safe across threads."""

    def __init__(self) -> None:
        """Nothing has arrived."""
        self._condition = threading.Condition()
        self._count = 0
        self._recent: deque[Entry] = deque(maxlen=RECENT_KEPT)
        self._writes: list[Entry] = []

    def enter(
        self,
        request: Request,
        status: int,
        *,
        changes: tuple[Change, ...] = (),
        fault: str = "",
    ) -> Entry:
        """Note a request and what became of it."""
        digest = sha256(request.body).hexdigest() if request.body else ""
        with self._condition:
            self._count += 1
            entry = Entry(
                sequence=self._count,
                at=clock.now(),
                method=request.method,
                target=request.target,
                status=status,
                digest=digest,
                body=request.body if changes else b"",
                changes=changes,
                fault=fault,
            )
            self._recent.append(entry)
            if changes:
                self._writes.append(entry)
            self._condition.notify_all()
        return entry

    @property
    def count(self) -> int:
        """How many requests ever arrived, or since ``clear``."""
        return self._count

    @property
    def recent(self) -> tuple[Entry, ...]:
        """The last requests, oldest first, reads and writes."""
        with self._condition:
            return tuple(self._recent)

    @property
    def writes(self) -> tuple[Entry, ...]:
        """Every request that changed something, oldest first."""
        with self._condition:
            return tuple(self._writes)

    def clear(self) -> None:
        """Forget everything."""
        with self._condition:
            self._count = 0
            self._recent.clear()
            self._writes.clear()

    def wait(self, until: "Callable[[Ledger], bool]", *, timeout_seconds: float = 10) -> bool:
        """Wait until the ledger shows what ``until`` looks for; False when it did not in time."""
        deadline = clock.monotonic() + timeout_seconds
        while not until(self):
            left = deadline - clock.monotonic()
            if left <= 0:
                return False
            with self._condition:
                # An entry made between the question above and this line is looked at a moment later, not missed.
                self._condition.wait(min(left, 0.05))
        return True
