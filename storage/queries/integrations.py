"""Integrations: configured accounts, the versions of their settings, and their secrets as ciphertext."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Unit
from storage.rows import Integration, Mode
from storage.tables import integrations, secrets, settings_versions

COLUMNS = tuple(integrations.c[field.name] for field in fields(Integration))
_FIELDS = tuple(field.name for field in fields(Integration))

# Built once: to build a statement takes longer than to run it.
_GET = sa.select(*COLUMNS).where(integrations.c.id == sa.bindparam("integration"))
_FIND = sa.select(*COLUMNS).where(integrations.c.name == sa.bindparam("integration"))
_SECRETS = sa.select(secrets.c.name, secrets.c.ciphertext).where(
    secrets.c.integration_id == sa.bindparam("integration")
)


def insert(
    unit: Unit,
    *,
    name: str,
    connector: str,
    time_zone: str,
    settings: Mapping[str, Any],
    rulebook: Mapping[str, Any],
    title: str = "",
    person: str = "",
) -> int:
    """A new integration, in test mode. ``settings`` holds no secret. Raises ``Conflict`` when the name is taken."""
    statement = integrations.insert().values(
        name=name,
        connector=connector,
        title=title,
        mode=Mode.TEST,
        time_zone=time_zone,
        settings=settings,
        rulebook=rulebook,
        settings_version=1,
        created_at=unit.now,
    )
    integration_id: int = unit.connection.execute(statement.returning(integrations.c.id)).scalar_one()
    _keep_version(unit, integration_id, version=1, settings=settings, rulebook=rulebook, person=person)
    return integration_id


def get(unit: Unit, integration_id: int) -> Integration | None:
    """One integration."""
    return _one(unit.connection.execute(_GET, {"integration": integration_id}))


def find(unit: Unit, name: str) -> Integration | None:
    """One integration by its name."""
    return _one(unit.connection.execute(_FIND, {"integration": name}))


def listed(unit: Unit) -> list[Integration]:
    """All integrations, by name."""
    query = sa.select(*COLUMNS).order_by(integrations.c.name)
    return [to_integration(row) for row in unit.connection.execute(query)]


def change_settings(
    unit: Unit, integration_id: int, *, settings: Mapping[str, Any], rulebook: Mapping[str, Any], person: str
) -> int:
    """Save settings and rules as a new version and return its number."""
    version: int = unit.connection.execute(
        integrations.update()
        .where(integrations.c.id == integration_id)
        .values(settings=settings, rulebook=rulebook, settings_version=integrations.c.settings_version + 1)
        .returning(integrations.c.settings_version)
    ).scalar_one()
    _keep_version(unit, integration_id, version=version, settings=settings, rulebook=rulebook, person=person)
    return version


def version_of(unit: Unit, integration_id: int, *, version: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The settings and rules of an earlier version."""
    query = sa.select(settings_versions.c.settings, settings_versions.c.rulebook).where(
        settings_versions.c.integration_id == integration_id, settings_versions.c.version == version
    )
    row = unit.connection.execute(query).one_or_none()
    return (row.settings, row.rulebook) if row is not None else None


def change(unit: Unit, integration_id: int, **values: object) -> bool:
    """Set columns such as ``mode``, ``title``, ``time_zone``, ``probe``; False when there is no such integration."""
    statement = integrations.update().where(integrations.c.id == integration_id).values(**values)
    return unit.connection.execute(statement).rowcount == 1


def pause(unit: Unit, integration_id: int, *, attention: str) -> bool:
    """Stop every feed of an integration until a person acts; ``attention`` says what about. False: it was stopped already."""
    statement = (
        integrations.update()
        .where(integrations.c.id == integration_id, integrations.c.paused_at.is_(None))
        .values(paused_at=unit.now, attention=attention)
    )
    return unit.connection.execute(statement).rowcount == 1


def resume(unit: Unit, integration_id: int) -> bool:
    """Let the feeds go on; False when it was not stopped."""
    statement = (
        integrations.update()
        .where(integrations.c.id == integration_id, integrations.c.paused_at.is_not(None))
        .values(paused_at=None, attention="")
    )
    return unit.connection.execute(statement).rowcount == 1


def secrets_of(unit: Unit, integration_id: int) -> dict[str, str]:
    """The ciphertexts of an integration's secrets, by name."""
    rows = unit.connection.execute(_SECRETS, {"integration": integration_id})
    return {row.name: row.ciphertext for row in rows}


def keep_secret(unit: Unit, integration_id: int, *, name: str, ciphertext: str) -> None:
    """Keep a secret's ciphertext in place of the one before."""
    table = postgresql.insert(secrets) if unit.dialect == "postgresql" else sqlite.insert(secrets)
    statement = table.values(integration_id=integration_id, name=name, ciphertext=ciphertext)
    unit.connection.execute(
        statement.on_conflict_do_update(index_elements=["integration_id", "name"], set_={"ciphertext": ciphertext})
    )


def all_secrets(unit: Unit, *, locks: bool = False) -> list[tuple[int, str, str]]:
    """Every secret there is, as integration, name and ciphertext: for a change of the key.

    ``locks`` keeps them from other writers until the transaction ends.
    """
    query = sa.select(secrets.c.integration_id, secrets.c.name, secrets.c.ciphertext)
    if locks:
        query = query.with_for_update()
    return [(row.integration_id, row.name, row.ciphertext) for row in unit.connection.execute(query)]


def _keep_version(
    unit: Unit,
    integration_id: int,
    *,
    version: int,
    settings: Mapping[str, Any],
    rulebook: Mapping[str, Any],
    person: str,
) -> None:
    unit.connection.execute(
        settings_versions.insert().values(
            integration_id=integration_id,
            version=version,
            settings=settings,
            rulebook=rulebook,
            person=person,
            at=unit.now,
        )
    )


def to_integration(row: Sequence[Any]) -> Integration:
    """Values of ``COLUMNS`` as an integration."""
    values = dict(zip(_FIELDS, row, strict=True))
    return Integration(**{**values, "mode": Mode(values["mode"])})


def _one(result: sa.CursorResult[Any]) -> Integration | None:
    row = result.one_or_none()
    return to_integration(row) if row is not None else None
