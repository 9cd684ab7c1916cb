"""Many rows at once: the page's way into the database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database import Unit

_COPY_FROM = 20
"""On PostgreSQL, from this many rows on COPY beats INSERT."""


def insert_rows(unit: Unit, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of driver-ready values. Raises ``Conflict`` when one of them exists."""
    if not rows:
        return
    names = ", ".join(columns)
    if unit.dialect == "postgresql" and len(rows) >= _COPY_FROM:
        cursor = unit.connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    mark = "%s" if unit.dialect == "postgresql" else "?"
    marks = ", ".join([mark] * len(columns))
    unit.connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))  # noqa: S608 - names of ours


def upsert_rows(
    unit: Unit, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, keys: Sequence[str]
) -> None:
    """Insert rows of driver-ready values, or update those whose ``keys`` exist. No key may come twice."""
    if not rows:
        return
    names = ", ".join(columns)
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in keys)
    action = f"DO UPDATE SET {updates}" if updates else "DO NOTHING"
    conflict = f"ON CONFLICT ({', '.join(keys)}) {action}"
    if unit.dialect == "postgresql" and len(rows) >= _COPY_FROM:
        staging = f"staging_{table.name}"
        cursor = unit.connection.connection.cursor()
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (LIKE {table.name}) ON COMMIT DELETE ROWS")
        for column in table.columns:
            if column.name not in columns:
                cursor.execute(f"ALTER TABLE {staging} ALTER COLUMN {column.name} DROP NOT NULL")
        with cursor.copy(f"COPY {staging} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staging} {conflict}")  # noqa: S608
        cursor.execute(f"TRUNCATE {staging}")
        return
    mark = "%s" if unit.dialect == "postgresql" else "?"
    marks = ", ".join([mark] * len(columns))
    unit.connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {conflict}",  # noqa: S608
        list(rows),
    )


def next_ids(unit: Unit, table: sa.Table, count: int) -> list[int]:
    """Reserve ``count`` ids of a table for rows inserted in this transaction, ascending."""
    if unit.dialect == "postgresql":
        drawn = unit.connection.exec_driver_sql(
            "SELECT nextval(%s) FROM generate_series(1, %s)", (f"{table.name}_id_seq", count)
        )
        return sorted(drawn.scalars())
    highest = unit.connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table.name}").scalar_one()  # noqa: S608
    return list(range(highest + 1, highest + count + 1))


def one_of(column: sa.ColumnElement[Any], name: str = "ids") -> sa.ColumnElement[bool]:
    """``column IN (:ids)`` for a list given at execution; the statement is compiled once whatever the list's length."""
    return column.in_(bindparam(name, expanding=True))
