"""Which installation this database belongs to, and who said so."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from storage.database import Unit
from storage.tables import installation


@dataclass(frozen=True, slots=True)
class Installation:
    """``confirmed_at`` is None until an administrator says that this database is the real one."""

    fingerprint: str
    confirmed_at: datetime | None
    confirmed_by: str


def place(unit: Unit) -> str:
    """Where the database is: the same for every process on it, another for a copy of it.

    SQLite: the file's path. PostgreSQL: the cluster's and the database's own numbers; a dump that is restored has others.
    """
    if unit.dialect == "sqlite":
        path = unit.connection.exec_driver_sql("SELECT file FROM pragma_database_list WHERE name = 'main'").scalar_one()
        return f"sqlite:{Path(path).resolve()}"
    may_ask = unit.connection.exec_driver_sql(
        "SELECT has_function_privilege('pg_control_system()', 'execute')"
    ).scalar_one()
    cluster = (
        unit.connection.exec_driver_sql("SELECT system_identifier FROM pg_control_system()").scalar_one()
        if may_ask
        else ""
    )
    number, name = unit.connection.exec_driver_sql(
        "SELECT oid, datname FROM pg_database WHERE datname = current_database()"
    ).one()
    return f"postgresql:{cluster}:{number}:{name}"


def get(unit: Unit) -> Installation | None:
    """What is known, if this database was ever started on."""
    row = unit.connection.execute(sa.select(installation)).one_or_none()
    return Installation(row.fingerprint, row.confirmed_at, row.confirmed_by) if row is not None else None


def begin(unit: Unit, *, fingerprint: str) -> None:
    """A new database is where it was made: nothing to confirm."""
    unit.connection.execute(
        installation.insert().values(id=1, fingerprint=fingerprint, confirmed_at=unit.now, confirmed_by="")
    )


def doubt(unit: Unit) -> None:
    """The database is not where it was: nobody has confirmed it."""
    unit.connection.execute(installation.update().values(confirmed_at=None, confirmed_by=""))


def confirm(unit: Unit, *, fingerprint: str, person: str) -> None:
    """A person says that this is the real one."""
    unit.connection.execute(
        installation.update().values(fingerprint=fingerprint, confirmed_at=unit.now, confirmed_by=person)
    )
