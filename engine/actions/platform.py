"""Puts a process together: database, registry, keys, and what runs each kind of work."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import UserError
from engine.flow import Check, Export, Import, Retry
from engine.registry import Registry
from engine.runtime import exporter, importer, reconciler, retry
from engine.runtime.platform import Platform, Works
from engine.security.secrets import open_key_ring
from engine.settings import Settings
from storage import schema
from storage.database import Database

WORKS: Works = {Import: importer.run, Export: exporter.run, Check: reconciler.run, Retry: retry.run}


@contextmanager
def open_platform(settings: Settings, *, registry: Registry | None = None) -> Iterator[Platform]:
    """A process on the configured database until the block ends. The embedded database is made and upgraded as needed.

    Raises ``UserError`` when another database has to be upgraded first, ``StorageBusy`` when it cannot be reached.
    """
    with open_database(settings) as database:
        _prepare(database, is_embedded=not settings.database_url)
        keys = open_key_ring(settings.secret_keys.get_secret_value(), key_file=settings.key_file)
        platform = Platform.of(
            database, registry=registry or Registry.find(), settings=settings, keys=keys, works=WORKS
        )
        try:
            yield platform
        finally:
            platform.dispatcher.close()


def open_database(settings: Settings) -> Database:
    """The configured database as it is."""
    if not settings.database_url:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    return Database(settings.database_address, pool_size=settings.worker_threads + 4)


def _prepare(database: Database, *, is_embedded: bool) -> None:
    status = schema.status(database)
    if status.is_current:
        return
    if not is_embedded:
        what = "is of another version" if status.current else "has no tables yet"
        raise UserError(f"The database {what}. Bring it up to date with: navette db upgrade")
    schema.upgrade(database)
