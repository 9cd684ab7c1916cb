"""What every test may ask for: a database of either kind, a movable clock, a Redis."""

import ipaddress
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import schema
from storage.database import Database
from storage.tables import metadata
from tests.moving import MovableClock
from tests.servers import Postgres, Redis


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    """No test reaches beyond this machine, whatever it calls."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            raise AssertionError(f"A test tried to reach {host}.")


sys.addaudithook(_loopback_only)


@pytest.fixture
def clock() -> MovableClock:
    """The time the ``database`` fixture lives in: a Monday noon until moved."""
    return MovableClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the session. Tests that stop servers make their own."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """A PostgreSQL database with empty tables, made once."""
    postgres.execute("CREATE DATABASE navette")
    with Database(postgres.url("navette")) as database:
        schema.create(database)
    return postgres.url("navette")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with empty tables, to copy."""
    path = tmp_path_factory.mktemp("template") / "navette.db"
    with Database(f"sqlite:///{path}") as database:
        schema.create(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of either kind with empty tables; for tests that start processes of their own."""
    if request.param == "sqlite":
        path = tmp_path / "navette.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgres_url")
    with Database(url) as database:
        _empty(database.engine)
    return url


@pytest.fixture
def database(database_url: str, clock: MovableClock) -> Iterator[Database]:
    """A database of either kind with empty tables, living in the time of ``clock``."""
    with Database(database_url, now=clock) as database:
        yield database


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """One Redis for the session. Tests that stop servers make their own."""
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The address of an empty Redis."""
    with redis_server.client as client:
        client.flushall()
    return redis_server.url


def _empty(engine: sa.Engine) -> None:
    """Deleting from tables that hold next to nothing takes a hundredth of the time of truncating them."""
    tables = [table.name for table in reversed(metadata.sorted_tables)]
    with engine.begin() as connection:
        connection.exec_driver_sql("; ".join(f"DELETE FROM {name}" for name in tables))
        connection.exec_driver_sql(
            "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
        )
