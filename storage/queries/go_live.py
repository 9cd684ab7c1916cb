"""What going live is judged by, and what an administrator waived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.records import Order
from storage.bulk import upsert_rows
from storage.database import Unit
from storage.queries.records import bodies
from storage.rows import EffectState
from storage.tables import audit, effects, held, references, waivers
from storage.types import instant_to_driver


@dataclass(frozen=True, slots=True)
class Waiver:
    """That an administrator accepts a failing check, and why."""

    name: str
    reason: str
    person: str
    at: datetime


def waived(unit: Unit, integration_id: int) -> dict[str, Waiver]:
    """Waivers by the name of their check."""
    query = sa.select(waivers.c.name, waivers.c.reason, waivers.c.person, waivers.c.at).where(
        waivers.c.integration_id == integration_id
    )
    return {row[0]: Waiver(*row) for row in unit.connection.execute(query)}


def waive(unit: Unit, integration_id: int, *, name: str, reason: str, person: str) -> None:
    """Keep a waiver in place of the one before."""
    upsert_rows(
        unit,
        waivers,
        ("integration_id", "name", "reason", "person", "at"),
        [(integration_id, name, reason, person, instant_to_driver(unit.now, unit.dialect))],
        keys=("integration_id", "name"),
    )


def unwaive(unit: Unit, integration_id: int, *, name: str) -> bool:
    """Take a waiver back; False when there was none."""
    return (
        unit.connection.execute(
            waivers.delete().where(waivers.c.integration_id == integration_id, waivers.c.name == name)
        ).rowcount
        > 0
    )


@dataclass(frozen=True, slots=True)
class Links:
    """How many items of a shop are tied to a record of the hub, and the labels of some that are not."""

    linked: int
    unlinked: int
    examples: Sequence[str]


def links(unit: Unit, integration_id: int, *, kinds: Sequence[str]) -> Links:
    """The share of linked records: those held back are known in the shop, and not tied to anything here."""
    linked = unit.connection.execute(
        sa.select(sa.func.count()).where(
            references.c.integration_id == integration_id,
            references.c.kind.in_(kinds),
            references.c.gone_at.is_(None),
        )
    ).scalar_one()
    where = (held.c.integration_id == integration_id) & held.c.kind.in_(kinds)
    unlinked = unit.connection.execute(sa.select(sa.func.count()).where(where)).scalar_one()
    examples = unit.connection.execute(
        sa.select(held.c.label).where(where).order_by(held.c.first_at, held.c.remote_id).limit(5)
    ).scalars()
    return Links(linked, unlinked, tuple(examples))


@dataclass(frozen=True, slots=True)
class Seen:
    """The values that orders of a shop were seen with."""

    statuses: frozenset[str]
    shipping_methods: frozenset[str]
    payment_methods: frozenset[str]


def seen(unit: Unit, integration_id: int, *, count: int = 2000) -> Seen:
    """Statuses, shipping and payment methods of the newest orders of a shop."""
    query = (
        sa.select(references.c.record_id)
        .where(references.c.integration_id == integration_id, references.c.kind == Order.kind)
        .order_by(references.c.changed_at.desc(), references.c.record_id.desc())
        .limit(count)
    )
    orders = bodies(unit, Order.kind, list(unit.connection.execute(query).scalars())).values()
    return Seen(
        frozenset(order.status.remote_id for order in orders),
        frozenset(order.shipping_code for order in orders if order.needs_shipping and order.shipping_code),
        frozenset(order.payment_method for order in orders if order.payment_method),
    )


def held_causes(unit: Unit, integration_id: int, *, prefix: str) -> list[str]:
    """The causes starting with ``prefix`` that hold records back."""
    query = (
        sa.select(held.c.cause)
        .distinct()
        .where(held.c.integration_id == integration_id, held.c.cause.startswith(prefix, autoescape=True))
        .order_by(held.c.cause)
    )
    return list(unit.connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Withholding:
    """How many effects are withheld, since when the newest, and when a person last looked at the list."""

    count: int
    newest_at: datetime | None
    looked_at: datetime | None


def withholding(unit: Unit, integration_id: int, *, action: str, subject: str) -> Withholding:
    """``action`` and ``subject`` are what the look is kept under."""
    count, newest_at = unit.connection.execute(
        sa.select(sa.func.count(), sa.func.max(effects.c.updated_at, type_=effects.c.updated_at.type)).where(
            effects.c.integration_id == integration_id, effects.c.state == EffectState.WITHHELD.value
        )
    ).one()
    looked_at = unit.connection.execute(
        sa.select(sa.func.max(audit.c.at, type_=audit.c.at.type)).where(
            audit.c.action == action, audit.c.subject == subject
        )
    ).scalar_one()
    return Withholding(count, newest_at, looked_at)
