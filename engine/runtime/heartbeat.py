"""Shows that this worker lives: renews all its leases in one statement, and learns which of them were lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import structlog

from engine.runtime.run import Lease
from storage.database import Database, Unit
from storage.queries import heartbeats, leases
from storage.rows import Execution

log = structlog.get_logger()


class Heartbeat:
    """The leases of one worker process. ``beat`` is called every third of a lease."""

    def __init__(self, database: Database, *, worker: str, lease_seconds: float) -> None:
        """``worker`` is the name the leases are held under."""
        self._database = database
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._held: dict[tuple[int, int], Lease] = {}
        self._changed = Lock()

    @property
    def count(self) -> int:
        """How many executions are worked on."""
        return len(self._held)

    @contextmanager
    def holding(self, execution: Execution) -> Iterator[Lease]:
        """The lease of an execution just claimed, kept alive until the work on it ends."""
        lease = Lease(seconds=self._lease_seconds)
        with self._changed:
            self._held[execution.id, execution.attempt] = lease
        try:
            yield lease
        finally:
            with self._changed:
                del self._held[execution.id, execution.attempt]

    def beat(self) -> None:
        """Renew every lease; those no longer ours are marked lost. Raises ``StorageBusy`` when the database is away."""
        with self._changed:
            held = dict(self._held)

        def work(unit: Unit) -> dict[int, int]:
            heartbeats.beat(unit, self._worker, role="worker")
            if not held:
                return {}
            return leases.renew(
                unit, [execution_id for execution_id, _ in held], worker=self._worker, lease_seconds=self._lease_seconds
            )

        renewed = self._database.write(work)
        for (execution_id, attempt), lease in held.items():
            if renewed.get(execution_id) == attempt:
                lease.renew()
            elif (execution_id, attempt) in self._held:
                lease.lose()
                log.warning("lease_lost", execution=execution_id, attempt=attempt)

    def give_up(self) -> None:
        """Mark every lease lost, so that each execution stops before its next write."""
        with self._changed:
            for lease in self._held.values():
                lease.lose()
