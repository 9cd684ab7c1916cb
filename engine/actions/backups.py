"""The database as an operator sees it: where it is, how large it is, and a copy of it."""

from dataclasses import dataclass
from pathlib import Path

from domain.errors import UserError
from engine.runtime.platform import Platform
from storage import schema
from storage.queries import figures


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """``step`` is the revision of the tables, ``rows`` the counts of the larger ones."""

    kind: str
    place: str
    step: str
    bytes: int
    rows: dict[str, int]


def status(platform: Platform) -> DatabaseStatus:
    """Where the database is, its step, its size."""
    database = platform.database
    return DatabaseStatus(
        kind="PostgreSQL" if database.dialect == "postgresql" else "SQLite, embedded",
        place=figures.place(database),
        step=schema.revision(database),
        bytes=database.read(figures.size),
        rows=database.read(figures.rows),
    )


def backup(platform: Platform, target: Path) -> int:
    """Copy the embedded database to a new file, readable by its owner only; returns its size in bytes."""
    if platform.database.dialect != "sqlite":
        raise UserError("This database is on a PostgreSQL server. Back it up with pg_dump.")
    if target.exists():
        raise UserError(f"{target} exists already. Name another file.")
    if not target.parent.is_dir():
        raise UserError(f"There is no folder {target.parent}.")
    target.touch(mode=0o600)
    figures.copy_file(platform.database, target)
    return target.stat().st_size
