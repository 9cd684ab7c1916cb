"""The state of the tables: are they there, and are they those this version works with."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Database
from storage.tables import metadata


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """``current`` is the version of the tables (empty: none yet), ``newest`` the one this program works with."""

    current: str
    newest: str

    @property
    def is_current(self) -> bool:
        """Whether nothing has to be done."""
        return self.current == self.newest


_NEWEST = "1"


def status(database: Database) -> SchemaStatus:
    """Look, change nothing."""
    with database.reading() as unit:
        has_tables = sa.inspect(unit.connection).has_table("integrations")
    return SchemaStatus(_NEWEST if has_tables else "", _NEWEST)


def upgrade(database: Database) -> None:
    """Make or change the tables so that this program can work with them; nothing happens when they are current."""
    metadata.create_all(database.engine)
