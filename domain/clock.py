"""The only place that reads a clock.

``now`` is the wall clock, for what people see and for schedules; ``monotonic`` only ever goes forward, for deadlines inside
one process. Leases and due times use the database's own time, through ``storage.Database.now``.
"""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def monotonic() -> float:
    """Seconds on a clock that never goes back; goes on while the process is stopped."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
