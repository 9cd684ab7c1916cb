"""Puts a process together: database, registry, keys, and what runs each kind of work."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from engine.actions import keys as keys_action
from engine.flow import Check, Export, Import, Retry
from engine.registry import Registry
from engine.runtime.inbound import importer, retry
from engine.runtime.outbound import exporter
from engine.runtime.platform import Platform, Works
from engine.runtime.production import installation
from engine.runtime.stock_check import reconciler
from engine.security.secrets import open_key_ring
from engine.settings import Settings
from storage import schema
from storage.database import Database

WORKS: Works = {Import: importer.run, Export: exporter.run, Check: reconciler.run, Retry: retry.run}


@contextmanager
def open_platform(
    settings: Settings, *, registry: Registry | None = None, now: Callable[[], datetime] | None = None
) -> Iterator[Platform]:
    """A process on the configured database, which is made or brought up to date first, until the block ends.

    ``now`` replaces the database's own time, for a demonstration that lets hours go by.
    Raises ``UserError`` or ``MigrationFailed`` when that cannot be, ``StorageBusy`` when the database cannot be reached.
    """
    with open_database(settings, now=now) as database:
        schema.upgrade(database)
        installation.recognise(database)
        keys = open_key_ring(settings.secret_keys.get_secret_value(), key_file=settings.key_file)
        keys_action.demand_right(database, keys)
        platform = Platform.of(
            database, registry=registry or Registry.find(), settings=settings, keys=keys, works=WORKS
        )
        gc.freeze()  # modules and tables stay; looking them over again and again cost an import a tenth of its time
        try:
            yield platform
        finally:
            platform.dispatcher.close()


def open_database(settings: Settings, *, now: Callable[[], datetime] | None = None) -> Database:
    """The configured database as it is."""
    if not settings.database_url:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    return Database(settings.database_address, now=now, pool_size=settings.worker_threads + 4)
