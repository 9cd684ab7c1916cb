"""Many rows at once: the page's way into the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

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


class _Listed(TypeDecorator[Sequence[Any]]):
    """A list given at execution as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, *, of_integers: bool) -> None:
        """PostgreSQL wants to know what the list holds, also when it is empty."""
        super().__init__()
        self.of_integers = of_integers

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """The database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(sa.BigInteger() if self.of_integers else sa.Text()))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: sa.Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        """To the driver."""
        return list(value or ()) if dialect.name == "postgresql" else msgspec.json.encode(list(value or ())).decode()


class _OneOf(FunctionElement[bool]):
    """``column IN list`` with the list as one parameter: the statement is compiled once, whatever the list's length."""

    name = "one_of"
    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> "_OneOf":  # noqa: ARG002 - SQLAlchemy's signature
        """As it is: made into ``(… IN …) = 1``, as SQLAlchemy does for SQLite, it would keep an index from being used."""
        return self


@compiles(_OneOf, "sqlite")
def _one_of_sqlite(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, listed = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # noqa: S608


@compiles(_OneOf, "postgresql")
def _one_of_postgresql(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, listed = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({listed})"


def given_rows(**columns: sa.ColumnElement[Any]) -> sa.TableValuedAlias:
    """PostgreSQL only: rows given at execution, under ``rows``, as ``encode_rows`` writes them. One round trip for all."""
    rows = sa.func.json_to_recordset(sa.cast(bindparam("rows", type_=sa.Text()), sa.JSON))
    table = rows.table_valued(*(sa.column(name, column.type) for name, column in columns.items()))
    return table.render_derived("given", with_types=True)


def encode_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What ``given_rows`` are given."""
    return {"rows": msgspec.json.encode(rows).decode()}


def one_of(column: sa.ColumnElement[Any], name: str = "ids") -> sa.ColumnElement[bool]:
    """Whether a column of integers or text is among the list given under ``name`` at execution."""
    listed = _Listed(of_integers=isinstance(column.type, sa.Integer))
    return _OneOf(column, bindparam(name, type_=listed))
