"""Renewals of sign-ins: who asks for new tokens at this moment, and how the last asking ended. One row per integration."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.tables import renewals


@dataclass(frozen=True, slots=True)
class Renewal:
    """The state of an integration's sign-in.

    ``holder`` asks for new secrets until ``lease_until`` (empty: nobody does). ``is_interrupted``: an asking ended without an
    answer that could be used. ``refused_at``: when the other side refused. Both concern the secrets of ``secrets_digest``.
    """

    holder: str = ""
    lease_until: datetime | None = None
    is_interrupted: bool = False
    refused_at: datetime | None = None
    secrets_digest: bytes | None = None


_COLUMNS = (
    renewals.c.holder,
    renewals.c.lease_until,
    renewals.c.is_interrupted,
    renewals.c.refused_at,
    renewals.c.secrets_digest,
)


def lock(unit: Unit, integration_id: int) -> Renewal:
    """The state, kept from other writers until the transaction ends."""
    table = postgresql.insert(renewals) if unit.dialect == "postgresql" else sqlite.insert(renewals)
    fresh = table.values(integration_id=integration_id, holder="")
    unit.connection.execute(fresh.on_conflict_do_nothing(index_elements=["integration_id"]))
    query = sa.select(*_COLUMNS).where(renewals.c.integration_id == integration_id).with_for_update()
    row = unit.connection.execute(query).one()
    return Renewal(row.holder, row.lease_until, bool(row.is_interrupted), row.refused_at, row.secrets_digest)


def save(unit: Unit, integration_id: int, renewal: Renewal) -> None:
    """Keep what was decided under ``lock``."""
    unit.connection.execute(
        renewals.update()
        .where(renewals.c.integration_id == integration_id)
        .values(
            holder=renewal.holder,
            lease_until=renewal.lease_until,
            is_interrupted=renewal.is_interrupted,
            refused_at=renewal.refused_at,
            secrets_digest=renewal.secrets_digest,
        )
    )
