"""Tells the real database from a copy: a copied or restored one behaves as in test mode until an administrator confirms it."""

from hashlib import sha256
from pathlib import Path

import structlog

from domain.errors import UserError
from storage.database import Database, Unit
from storage.queries import audit, effects
from storage.queries import installation as stored

log = structlog.get_logger()

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def fingerprint(unit: Unit) -> str:
    """What this installation is known by. A file is also known by the machine it lies on; a server is one wherever it is
    asked from.
    """
    place = stored.place(unit)
    machine = _machine_id() if unit.dialect == "sqlite" else ""
    return sha256(f"{machine}:{place}".encode()).hexdigest()


def recognise(database: Database) -> bool:
    """Called once as a process starts: whether changes may leave. A new database is recognised at once."""

    def work(unit: Unit) -> bool:
        known, here = stored.get(unit), fingerprint(unit)
        if known is None:
            stored.begin(unit, fingerprint=here)
            return True
        if known.fingerprint != here and known.confirmed_at is not None:
            stored.doubt(unit)
            log.warning("installation_not_recognised")
            return False
        return known.confirmed_at is not None

    return database.write(work)


def is_confirmed(unit: Unit) -> bool:
    """Whether this database is known to be the real one."""
    known = stored.get(unit)
    return known is not None and known.confirmed_at is not None


def confirm(unit: Unit, *, person: str) -> int:
    """An administrator says that this is the real one. Returns how many effects will be looked up before they are sent.

    Whatever was about to be sent when the copy was made may have been sent since.
    """
    if is_confirmed(unit):
        raise UserError("This database is confirmed already.")
    stored.confirm(unit, fingerprint=fingerprint(unit), person=person)
    count = effects.distrust(unit)
    audit.record(unit, person=person, action="confirm_installation", subject="installation", detail={"effects": count})
    return count


def _machine_id() -> str:
    for path in _MACHINE_IDS:
        try:
            return path.read_text().strip()
        except OSError:
            continue
    return ""
