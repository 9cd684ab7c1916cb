"""Puts a process together: database, registry, keys, and what runs each kind of work."""

from engine.flow import Check, Export, Import, Retry
from engine.registry import Registry
from engine.runtime import exporter, importer, reconciler, retry
from engine.runtime.platform import Platform, Works
from engine.security.secrets import open_key_ring
from engine.settings import Settings
from storage import schema
from storage.database import Database

WORKS: Works = {Import: importer.run, Export: exporter.run, Check: reconciler.run, Retry: retry.run}


def open_platform(settings: Settings, *, registry: Registry | None = None) -> Platform:
    """A process on the configured database; the embedded one is made and upgraded as needed. Close it with ``close``.

    Raises ``UserError`` when the database is another version's, and ``StorageBusy`` when it cannot be reached.
    """
    if not settings.database_url:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_address, pool_size=settings.worker_threads + 4)
    schema.prepare(database, is_embedded=not settings.database_url)
    keys = open_key_ring(settings.secret_keys.get_secret_value(), key_file=settings.key_file)
    return Platform.of(
        database, registry=registry or Registry.find(), settings=settings, keys=keys, works=WORKS
    )


def close(platform: Platform) -> None:
    """Let go of everything."""
    platform.dispatcher.close()
    platform.database.close()
