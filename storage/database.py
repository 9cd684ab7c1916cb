"""One database: SQLite in a file or PostgreSQL, behind the same few promises.

- ``writing`` is one transaction, all or nothing. On SQLite it begins immediate: with a plain begin, 210 of 400
  read-then-write transactions of two writers failed at once with "database is locked", with this none.
- ``reading`` sees one consistent state and takes no write lock.
- Errors of the driver are translated: nothing of SQLAlchemy is raised above this room.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc

from domain import clock
from domain.errors import BrokenInvariant, PlatformError, TransientError

T = TypeVar("T")

_REPEATS = 3
_SQLITE_WAIT_SECONDS = 10.0
_PASSING = ("OperationalError", "InterfaceError", "AdminShutdown", "CrashShutdown", "CannotConnectNow")


class StorageBusy(TransientError):
    """The database is busy or out of reach for now."""

    code = "storage_busy"


class StorageFull(TransientError):
    """There is no space left to write to."""

    code = "storage_full"


class Conflict(PlatformError):
    """A row that must be unique exists already, or another transaction was faster."""

    code = "conflict"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of work: one transaction, and the moment it runs at."""

    connection: sa.Connection
    now: datetime

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str, *, now: Callable[[], datetime] | None = None, pool_size: int = 10) -> None:
        """``now`` replaces the database's own time; tests move it."""
        self._now = now
        self._random = Random()  # noqa: S311 - jitter, not a secret
        self.engine = _create_engine(url, pool_size)
        self.dialect = self.engine.dialect.name
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error

    def __enter__(self) -> "Database":
        """Close on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """One transaction that may write. Raises ``Conflict``, ``StorageBusy`` or ``StorageFull``."""
        with self._translated(), self._begun("BEGIN IMMEDIATE") as unit:
            yield unit

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """One consistent view, for reading only."""
        with self._translated(), self._begun("BEGIN") as unit:
            yield unit

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run ``work`` in one transaction; again, up to three times, when the database made it give way to another."""
        for repeat in range(_REPEATS):
            try:
                with self.writing() as unit:
                    return work(unit)
            except Conflict:
                if repeat == _REPEATS - 1:
                    raise
                clock.sleep(self._random.uniform(0, 0.05 * 2**repeat))
        raise BrokenInvariant("A transaction was neither done nor refused.")

    def read(self, work: Callable[[Unit], T]) -> T:
        """Run ``work`` on one consistent view."""
        with self.reading() as unit:
            return work(unit)

    def now(self) -> datetime:
        """The database's own time, which all processes share."""
        return self.read(lambda unit: unit.now)

    @contextmanager
    def _begun(self, sqlite_begin: str) -> Iterator[Unit]:
        """A transaction, committed unless an error leaves the block."""
        connection, now = self._begin(sqlite_begin)
        with connection:
            try:
                yield Unit(connection, now)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _begin(self, sqlite_begin: str) -> tuple[sa.Connection, datetime]:
        """The first statement shows whether a pooled connection still lives. Nothing is done yet, so a fresh one may follow."""
        for is_second in (False, True):
            connection = self.engine.connect()
            try:
                return connection, self._say_begin(connection, sqlite_begin)
            except BaseException as error:
                connection.close()
                if is_second or not (isinstance(error, exc.DBAPIError) and error.connection_invalidated):
                    raise
        raise BrokenInvariant("A transaction was neither begun nor refused.")

    def _say_begin(self, connection: sa.Connection, sqlite_begin: str) -> datetime:
        """On PostgreSQL its time comes along in the same round trip, which is why neither driver says BEGIN by itself."""
        if self.dialect == "sqlite":
            connection.exec_driver_sql(sqlite_begin)
            return (self._now or clock.now)()
        if self._now is not None:
            connection.exec_driver_sql("BEGIN")
            return self._now()
        time: datetime = connection.exec_driver_sql("SELECT clock_timestamp(); BEGIN").scalar_one()
        return time.astimezone(UTC)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exc.SQLAlchemyError, self._driver_error) as error:
            raise _translate(error) from None


def _create_engine(url: str, pool_size: int) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, isolation_level="AUTOCOMMIT")
    engine = sa.create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={"timeout": _SQLITE_WAIT_SECONDS, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    """Write-ahead log: readers never wait for the writer. NORMAL: durable but for the last moment before a power cut."""
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-8000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _translate(error: Exception) -> PlatformError:
    """The driver's words for it go to the log; parameters, which hold data, do not."""
    cause = getattr(error, "orig", None) or error
    kind, words = type(cause).__name__, str(cause)
    detail = f"{kind}: {words.partition(chr(10))[0][:300]}"
    state = getattr(cause, "sqlstate", None) or ""
    words = words.lower()
    if isinstance(error, exc.IntegrityError) or kind == "IntegrityError" or state.startswith("23"):
        return Conflict("Another change was saved first.", detail=detail)
    if state in ("40001", "40P01"):
        return Conflict("Two changes met in the database, and this one gave way.", detail=detail)
    if state == "53100" or "disk is full" in words or "disk i/o error" in words:
        return StorageFull(
            "The database has no space left to write to. Free some space on its disk; work goes on by itself.",
            detail=detail,
        )
    if (
        isinstance(error, (exc.OperationalError, exc.InterfaceError, exc.TimeoutError))
        or kind in _PASSING
        or (isinstance(error, exc.DBAPIError) and error.connection_invalidated)
    ):
        return StorageBusy("The database is busy or cannot be reached; this is tried again by itself.", detail=detail)
    return BrokenInvariant("Navette asked the database for something it cannot do.", detail=detail)
