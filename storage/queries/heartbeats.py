"""Heartbeats: one row for each living process, so that people see what runs and what stopped."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.tables import heartbeats

_INSERTS: dict[str, postgresql.Insert | sqlite.Insert] = {
    "postgresql": postgresql.insert(heartbeats),
    "sqlite": sqlite.insert(heartbeats),
}
_BEAT = {
    dialect: insert.on_conflict_do_update(
        index_elements=["name"], set_={"at": insert.excluded.at, "role": insert.excluded.role}
    )
    for dialect, insert in _INSERTS.items()
}


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A process, what it does (``worker``, ``scheduler``, ``sweeper``), and when it was last alive."""

    name: str
    role: str
    at: datetime


def beat(unit: Unit, name: str, *, role: str) -> None:
    """This process is alive."""
    unit.connection.execute(_BEAT[unit.dialect], {"name": name, "role": role, "at": unit.now})


def stop(unit: Unit, name: str) -> None:
    """This process ended in order."""
    unit.connection.execute(heartbeats.delete().where(heartbeats.c.name == name))


def forget(unit: Unit, *, before: datetime) -> int:
    """Drop processes not heard of since; tells how many."""
    return unit.connection.execute(heartbeats.delete().where(heartbeats.c.at < before)).rowcount


def listed(unit: Unit) -> list[Heartbeat]:
    """Processes heard of lately, by role and name."""
    query = sa.select(heartbeats).order_by(heartbeats.c.role, heartbeats.c.name)
    return [Heartbeat(**row) for row in unit.connection.execute(query).mappings()]
