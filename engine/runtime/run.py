"""What one attempt at an execution works with."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import Any

from domain import clock
from domain.errors import Cancelled, LeaseLost
from domain.rulebook import Rulebook
from engine.connector import Connector, Door
from engine.flow import Flow
from engine.registry import Registry
from storage.database import Database, Unit
from storage.queries import executions
from storage.rows import Execution, Feed, Integration


@dataclass(frozen=True, slots=True)
class Tally:
    """Counters of one execution: each record looked at counts under exactly one outcome."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    waiting: int = 0
    failed: int = 0
    withheld: int = 0

    @property
    def read(self) -> int:
        """Records looked at: the sum of the outcomes."""
        return sum(getattr(self, outcome) for outcome in OUTCOMES)

    def plus(self, **more: int) -> "Tally":
        """This tally with some outcomes counted further."""
        return replace(self, **{name: getattr(self, name) + count for name, count in more.items()})

    @property
    def columns(self) -> dict[str, int]:
        """The columns of an execution it fills."""
        return {"read": self.read, **{outcome: getattr(self, outcome) for outcome in OUTCOMES}}


OUTCOMES = ("created", "updated", "unchanged", "skipped", "waiting", "failed", "withheld")


@dataclass(slots=True)
class Traffic:
    """What an execution cost: requests, bytes received, and seconds by phase. Counted from several threads."""

    calls: int = 0
    bytes: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def count(self, *, received: int, seconds: float) -> None:
        """One more request was answered."""
        with self._lock:
            self.calls += 1
            self.bytes += received
            self.phases["network"] = self.phases.get("network", 0.0) + seconds

    def spend(self, phase: str, seconds: float) -> None:
        """Add to the time a phase took."""
        with self._lock:
            self.phases[phase] = self.phases.get(phase, 0.0) + seconds

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of an execution it fills."""
        with self._lock:
            phases = {phase: round(seconds, 4) for phase, seconds in self.phases.items()}
            return {"calls": self.calls, "bytes": self.bytes, "phases": phases}


class Lease:
    """The right to work on an execution. Renewed by a heartbeat; every write and every send asks it first."""

    def __init__(self, *, seconds: float) -> None:
        """A lease just taken."""
        self.seconds = seconds
        self._lost = Event()
        self._until = clock.monotonic() + seconds

    def renew(self) -> None:
        """The database confirmed the lease just now."""
        self._until = clock.monotonic() + self.seconds

    def lose(self) -> None:
        """The database says another worker holds it."""
        self._lost.set()

    def demand(self) -> None:
        """Raise ``LeaseLost`` when the lease is gone, or ran out on our own clock, which goes on while we are stopped."""
        if self._lost.is_set() or clock.monotonic() >= self._until:
            raise LeaseLost("The lease on this execution was lost; another worker goes on with it.")


@dataclass(slots=True)
class Run:
    """One attempt at one execution: the rows as claimed, the declared flow, the connector, and the way out.

    ``ring(execution_id)`` tells a worker that something waits; call it after commit only.
    """

    database: Database
    execution: Execution
    feed: Feed
    integration: Integration
    flow: Flow
    connector: Connector
    registry: Registry
    settings: Any
    rulebook: Rulebook
    door: Door
    lease: Lease
    ring: Callable[[int], None]
    tally: Tally = field(default_factory=Tally)
    traffic: Traffic = field(default_factory=Traffic)

    def fence(self, unit: Unit, tally: Tally | None = None, **columns: object) -> None:
        """Part of every transaction of this run: saves progress, and proves that the lease is ours.

        ``columns`` are further columns of the execution (``position``, ``expected``). Raises ``LeaseLost`` when another
        worker holds the execution, ``Cancelled`` when a person asked to stop: either way the transaction is undone.
        """
        self.lease.demand()
        is_cancelling = executions.progress(
            unit,
            self.execution.id,
            attempt=self.execution.attempt,
            lease_seconds=self.lease.seconds,
            columns={**(tally or self.tally).columns, **self.traffic.columns, **columns},
        )
        if is_cancelling is None:
            self.lease.lose()
            self.lease.demand()
        self.lease.renew()
        if is_cancelling:
            raise Cancelled("A person cancelled this execution.")
