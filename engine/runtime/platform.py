"""What every duty of the runtime works with, put together once for each process."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from engine.registry import Registry
from engine.runtime.dispatcher import Dispatcher
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.run import Run
from engine.security.secrets import KeyRing
from engine.settings import Settings
from storage.database import Database

Works = Mapping[type[Any], Callable[[Run], None]]
"""What runs a flow, by the type of its work."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One process of Navette. ``worker`` is its name in leases and heartbeats, unlike any other's.

    ``stopping`` is set once the process is asked to end.
    """

    database: Database
    registry: Registry
    settings: Settings
    dispatcher: Dispatcher
    keys: KeyRing
    works: Works
    worker: str
    heartbeat: Heartbeat
    stopping: Event = field(default_factory=Event)

    @classmethod
    def of(
        cls, database: Database, *, registry: Registry, settings: Settings, keys: KeyRing, works: Works
    ) -> "Platform":
        """A process on this database; it starts nothing yet."""
        worker = f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(3)}"
        return cls(
            database=database,
            registry=registry,
            settings=settings,
            dispatcher=Dispatcher(settings.redis_url),
            keys=keys,
            works=works,
            worker=worker,
            heartbeat=Heartbeat(database, worker=worker, lease_seconds=settings.lease_seconds),
        )
