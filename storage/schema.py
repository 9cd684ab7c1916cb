"""Brings the database's tables up to date as a process starts, whatever it finds: nothing, an older release, half a step.

Alembic is loaded only where a step has to be taken: with it, every process would start 0.1 s later and hold 8 MB more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa

from domain.errors import PlatformError, UserError
from storage.database import Database, Unit
from storage.tables import metadata

_LOCK = 7_283_611_902
"""PostgreSQL's advisory lock that one process at a time migrates under; the number means nothing else."""
_BEFORE = "_before_"
STEPS = ("storage:migrations/versions",)
"""Where the steps are written, each in a file of its own name."""
_VERSION = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own, as it makes it."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did. ``before`` is empty for a new database; ``backup`` the copy made first, of an existing SQLite."""

    before: str
    after: str
    backup: Path | None

    @property
    def has_changed(self) -> bool:
        """Whether anything had to be done."""
        return self.before != self.after


class MigrationFailed(PlatformError):
    """The tables could not be brought up to date; the message names the step and the backup."""

    code = "migration_failed"


def head(steps: Sequence[str] = STEPS) -> str:
    """The revision this release is written for."""
    if steps == STEPS:
        return max(file.stem for file in Path(__file__).parent.glob("migrations/versions/[0-9]*.py"))
    last: str = _written().head(steps)
    return last


def revision(database: Database) -> str:
    """The revision of a database; empty when it has none yet."""
    return database.read(_revision)


def create(database: Database) -> None:
    """Make all tables of a new database at once, as if by every step. Faster than ``upgrade``; for tests and demonstrations."""
    database.write(_create)


def upgrade(database: Database, *, steps: Sequence[str] = STEPS) -> Upgrade:
    """Make the tables, or bring them up to date. Safe when several processes start at once, or when one was killed here.

    An existing SQLite database is copied next to itself first. Raises ``MigrationFailed``, or ``UserError`` when the
    database belongs to a newer release that this one cannot run on.
    """
    before = revision(database)
    if before == head(steps):
        return Upgrade(before, before, None)
    if before and before not in _written().revisions(steps):
        if _BEFORE in before:  # made so that the release before it goes on
            return Upgrade(before, before, None)
        raise UserError(
            f"This database was changed by a newer Navette (step {before}). Start that release, or restore a backup."
        )
    if not before and steps == STEPS and database.write(_create_in_empty):
        return Upgrade("", head(), None)
    backup = _copy(database, f"{head(steps)}-from-{before}") if before else None
    try:
        database.write(lambda unit: _migrate(unit, steps))
    except PlatformError as error:
        raise _failure(database, error, backup=backup, steps=steps) from None
    return Upgrade(before, revision(database), backup)


def _create(unit: Unit) -> None:
    metadata.create_all(unit.connection, checkfirst=False)
    _VERSION.create(unit.connection)
    unit.connection.execute(_VERSION.insert().values(version_num=head()))


def _create_in_empty(unit: Unit) -> bool:
    """Make everything at once where there is nothing yet; False where there is something."""
    _lock(unit)
    if sa.inspect(unit.connection).get_table_names():
        return False
    _create(unit)
    return True


def _migrate(unit: Unit, steps: Sequence[str]) -> None:
    _lock(unit)
    _written().take(unit, steps)


def _lock(unit: Unit) -> None:
    if unit.dialect == "postgresql":
        unit.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _failure(database: Database, error: PlatformError, *, backup: Path | None, steps: Sequence[str]) -> PlatformError:
    done = revision(database)
    ahead = [step for step in _written().revisions(steps) if not done or step > done]
    kept = f" A copy from before is {backup}." if backup else ""
    return MigrationFailed(
        f"The database could not be brought up to date: step {ahead[0] if ahead else done} failed, and nothing of it was "
        f"kept.{kept} Start Navette again; if it fails again, go on with the release before and report it.",
        detail=error.detail or error.message,
    )


def _copy(database: Database, occasion: str) -> Path | None:
    """A whole copy of a SQLite file, consistent also while others write."""
    file = database.engine.url.database
    if database.dialect != "sqlite" or not file or file == ":memory:":
        return None
    copy = Path(f"{file}.before-{occasion}")
    copy.unlink(missing_ok=True)
    try:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(copy),))
    except sa.exc.DBAPIError as error:
        raise MigrationFailed(
            f"The database has to be brought up to date, and could not be copied to {copy} first; nothing was changed. "
            "Make room there, or let Navette write there, and start it again.",
            detail=str(error.orig),
        ) from None
    return copy


def _revision(unit: Unit) -> str:
    if not sa.inspect(unit.connection).has_table(_VERSION.name):
        return ""
    return unit.connection.execute(sa.select(_VERSION.c.version_num)).scalar() or ""


def _written() -> ModuleType:
    """``storage.steps``, which needs Alembic."""
    return import_module("storage.steps")
