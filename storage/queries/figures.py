"""Figures about the database itself: how large it is, how many rows its larger tables hold; and a copy of it."""

from pathlib import Path

import sqlalchemy as sa

from storage.database import Database, Unit
from storage.tables import effects, executions, held, issues, outcomes, records

_TABLES = (records, executions, outcomes, effects, held, issues)


def rows(unit: Unit) -> dict[str, int]:
    """How many rows the larger tables hold."""
    return {
        table.name: unit.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in _TABLES
    }


def size(unit: Unit) -> int:
    """The size of the database in bytes."""
    if unit.dialect == "postgresql":
        return int(unit.connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
    query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int(unit.connection.exec_driver_sql(query).scalar_one())


def place(database: Database) -> str:
    """Where the database is, without its password."""
    url = database.engine.url
    return str(url.database) if database.dialect == "sqlite" else url.render_as_string(hide_password=True)


def copy_file(database: Database, target: Path) -> None:
    """A whole copy of a SQLite database, consistent also while others write."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
