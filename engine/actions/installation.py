"""Whether this database is the real one, or a copy of it."""

from dataclasses import dataclass
from datetime import datetime

from engine.runtime.platform import Platform
from engine.runtime.production import installation
from storage.queries import installation as stored


@dataclass(frozen=True, slots=True)
class Standing:
    """While ``is_confirmed`` is false, nothing leaves for the outside."""

    is_confirmed: bool
    confirmed_at: datetime | None
    confirmed_by: str


def standing(platform: Platform) -> Standing:
    """Whether changes may leave from this database."""
    found = platform.database.read(stored.get)
    if found is None:
        return Standing(False, None, "")
    return Standing(found.confirmed_at is not None, found.confirmed_at, found.confirmed_by)


def confirm(platform: Platform, *, person: str) -> int:
    """Say that this is the real database and no copy; returns how many effects are looked up before they are sent."""
    return platform.database.write(lambda unit: installation.confirm(unit, person=person))
