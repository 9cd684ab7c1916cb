"""Databases to measure on: a SQLite file, and a real PostgreSQL on this machine."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from storage import schema
from storage.database import Database
from tests.servers import Postgres

SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Databases:
    """Makes databases of one dialect, each new and with empty tables."""

    def __init__(self, dialect: str, folder: Path, *, postgres: Postgres | None = None) -> None:
        """``folder`` holds the SQLite files."""
        self.dialect = dialect
        self._folder = folder
        self._postgres = postgres
        self._numbers = count(1)

    def fresh(self) -> str:
        """The address of a new database."""
        name = f"bench{next(self._numbers)}"
        if self._postgres is None:
            url = f"sqlite:///{self._folder / name}.db"
        else:
            self._postgres.execute(f"CREATE DATABASE {name}")
            url = self._postgres.url(name)
        with Database(url) as database:
            schema.create(database)
        return url

    def settle(self, url: str) -> None:
        """Let the server finish what it puts off, so that one side does not pay for the other's leftovers."""
        if self._postgres is not None:
            self._postgres.execute("CHECKPOINT")

    def drop(self, url: str) -> None:
        """Remove a database that is no longer needed."""
        name = url.partition("?")[0].rpartition("/")[2]
        if self._postgres is not None:
            self._postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
        else:
            for file in self._folder.glob(f"{name}*"):
                file.unlink()


@contextmanager
def opened(dialect: str) -> Iterator[Databases]:
    """Databases of one dialect until the block ends."""
    with tempfile.TemporaryDirectory(prefix="navette-bench-") as folder:
        if dialect == SQLITE:
            yield Databases(dialect, Path(folder))
            return
        postgres = Postgres()
        try:
            postgres.start()
            yield Databases(dialect, Path(folder), postgres=postgres)
        finally:
            postgres.close()
