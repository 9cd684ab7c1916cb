"""Effects: changes intended outside, each with an identity fixed before it is sent, and what is known to be there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from storage.bulk import insert_rows, one_of, upsert_rows
from storage.database import Unit
from storage.rows import EffectState
from storage.tables import deliveries, effects, feeds, integrations
from storage.types import instant_to_driver

UNSENT = (EffectState.PENDING, EffectState.WITHHELD)
UNSETTLED = (EffectState.SENDING, EffectState.UNKNOWN)

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Effect:
    """One intended change outside. ``before`` is None where nothing was known to be there."""

    id: int
    integration_id: int
    feed_id: int
    kind: str
    identity: str
    target: str
    label: str
    record_id: int | None
    before: Any
    after: Any
    state: EffectState
    reason: str
    attempts: int
    execution_id: int | None
    receipt: Any
    created_at: datetime
    updated_at: datetime


class Latest(NamedTuple):
    """The last effect of a target."""

    id: int
    state: EffectState
    after: Any
    execution_id: int | None


class Intended(NamedTuple):
    """An effect to be."""

    identity: str
    target: str
    label: str
    record_id: int | None
    before: Any
    after: Any


class Settled(NamedTuple):
    """What became of an effect. ``was_sent`` counts an attempt."""

    effect: Effect
    state: EffectState
    reason: str = ""
    receipt: Any = None
    was_sent: bool = True


def intend(
    unit: Unit,
    *,
    integration_id: int,
    feed_id: int,
    execution_id: int | None,
    kind: str,
    state: EffectState,
    reason: str,
    intended: Sequence[Intended],
) -> None:
    """Keep new effects. Raises ``Conflict`` when an identity exists already."""
    now = instant_to_driver(unit.now, unit.dialect)
    insert_rows(
        unit,
        effects,
        (
            *("integration_id", "feed_id", "kind", "execution_id", "state", "reason", "created_at", "updated_at"),
            *("identity", "target", "label", "record_id", "before", "after"),
        ),
        [
            (
                *(integration_id, feed_id, kind, execution_id, state.value, reason, now, now),
                *(change.identity, change.target, change.label, change.record_id),
                None if change.before is None else _encode(change.before),
                _encode(change.after),
            )
            for change in intended
        ],
    )


def move(
    unit: Unit,
    effect_ids: Sequence[int],
    *,
    to: EffectState,
    reason: str,
    among: Iterable[EffectState],
    execution_id: int | None = None,
) -> int:
    """Change the state of those effects that are in one of the states ``among``; tells how many were."""
    if not effect_ids:
        return 0
    values: dict[str, Any] = {"state": to, "reason": reason, "updated_at": unit.now}
    if execution_id is not None:
        values["execution_id"] = execution_id
    return unit.connection.execute(
        effects.update()
        .where(one_of(effects.c.id), effects.c.state.in_([state.value for state in among]))
        .values(**values),
        {"ids": list(effect_ids)},
    ).rowcount


def revise(unit: Unit, values: Sequence[tuple[int, Any]]) -> None:
    """Give effects that were not done another value: ``(id, after)``."""
    if values:
        unit.connection.execute(
            effects.update()
            .where(effects.c.id == sa.bindparam("effect"))
            .values(after=sa.bindparam("new_after", type_=effects.c.after.type), updated_at=unit.now),
            [{"effect": effect_id, "new_after": after} for effect_id, after in values],
        )


def move_all(unit: Unit, feed_id: int, *, to: EffectState, reason: str, among: Iterable[EffectState]) -> int:
    """Change the state of every effect of a feed that is in one of the states ``among``."""
    return unit.connection.execute(
        effects.update()
        .where(effects.c.feed_id == feed_id, effects.c.state.in_([state.value for state in among]))
        .values(state=to, reason=reason, updated_at=unit.now)
    ).rowcount


def withdraw(unit: Unit, feed_id: int, *, execution_id: int, reason: str) -> int:
    """Take back what an execution intended and nobody sent yet."""
    return unit.connection.execute(
        effects.update()
        .where(
            effects.c.feed_id == feed_id,
            effects.c.execution_id == execution_id,
            effects.c.state == EffectState.PENDING.value,
        )
        .values(state=EffectState.SUPERSEDED, reason=reason, updated_at=unit.now)
    ).rowcount


def take(unit: Unit, feed_id: int, *, execution_id: int, count: int) -> list[Effect]:
    """Mark the next pending effects of a feed, in their order, as being sent, and return them."""
    taken = pending(unit, feed_id, count=count, locked=True)
    move(
        unit,
        [effect.id for effect in taken],
        to=EffectState.SENDING,
        reason="",
        among=(EffectState.PENDING,),
        execution_id=execution_id,
    )
    return taken


def pending(unit: Unit, feed_id: int, *, count: int, after: int = 0, locked: bool = False) -> list[Effect]:
    """The next effects of a feed that wait to be sent, in the order of their ids."""
    return _of_feed(unit, feed_id, state=EffectState.PENDING, after=after, count=count, locked=locked)


def unknown(unit: Unit, feed_id: int, *, after: int = 0, count: int) -> list[Effect]:
    """Effects of a feed that may have been applied, in the order of their ids."""
    return _of_feed(unit, feed_id, state=EffectState.UNKNOWN, after=after, count=count)


def _of_feed(
    unit: Unit, feed_id: int, *, state: EffectState, after: int, count: int, locked: bool = False
) -> list[Effect]:
    query = (
        sa.select(*_COLUMNS)
        .where(effects.c.feed_id == feed_id, effects.c.state == state.value, effects.c.id > after)
        .order_by(effects.c.id)
        .limit(count)
    )
    if locked:
        query = query.with_for_update()
    return _effects(unit, query)


def _effects(unit: Unit, query: sa.Select[Any], parameters: dict[str, Any] | None = None) -> list[Effect]:
    return [_effect(row) for row in unit.connection.execute(query, parameters or {}).all()]


_FIELDS = tuple(Effect.__dataclass_fields__)
_COLUMNS = tuple(effects.c[name] for name in _FIELDS)
_STATE = _FIELDS.index("state")
_STATES = {state.value: state for state in EffectState}


def _effect(row: Sequence[Any]) -> Effect:
    """From a row that begins with the columns above."""
    values = list(row[: len(_FIELDS)])
    values[_STATE] = _STATES[values[_STATE]]
    return Effect(*values)


def done_by(unit: Unit, feed_id: int, execution_id: int) -> int:
    """How many effects an execution has done so far."""
    query = sa.select(sa.func.count()).where(
        effects.c.feed_id == feed_id, effects.c.state == EffectState.DONE.value, effects.c.execution_id == execution_id
    )
    return unit.connection.execute(query).scalar_one()


_SETTLE = """
UPDATE effects SET state = ?, reason = ?, receipt = ?, attempts = attempts + ?, execution_id = coalesce(?, execution_id),
  updated_at = ? WHERE id = ?
"""


def settle(unit: Unit, settled: Sequence[Settled], *, execution_id: int | None = None) -> None:
    """Save what became of effects; the values of those that are done are from now on what is known to be there."""
    if not settled:
        return
    now = instant_to_driver(unit.now, unit.dialect)
    unit.connection.exec_driver_sql(
        _SETTLE if unit.dialect == "sqlite" else _SETTLE.replace("?", "%s"),
        [
            (
                *(item.state.value, item.reason, None if item.receipt is None else _encode(item.receipt)),
                *(int(item.was_sent), execution_id, now, item.effect.id),
            )
            for item in settled
        ],
    )
    know(
        unit,
        [
            (item.effect.integration_id, item.effect.kind, item.effect.target, item.effect.after)
            for item in settled
            if item.state is EffectState.DONE
        ],
    )


def know(unit: Unit, values: Sequence[tuple[int, str, str, Any]]) -> None:
    """Remember what the other side holds: ``(integration id, kind, target, value)``. Of one target the last counts."""
    now = instant_to_driver(unit.now, unit.dialect)
    by_target = {value[:3]: value[3] for value in values}
    upsert_rows(
        unit,
        deliveries,
        ("integration_id", "kind", "target", "value", "at"),
        [(*key, _encode(value), now) for key, value in by_target.items()],
        keys=("integration_id", "kind", "target"),
    )


def get(unit: Unit, effect_ids: Sequence[int]) -> list[Effect]:
    """These effects, in the order of their ids; those that do not exist are left out."""
    return _effects(
        unit, sa.select(*_COLUMNS).where(one_of(effects.c.id)).order_by(effects.c.id), {"ids": list(effect_ids)}
    )


def of_identities(unit: Unit, integration_id: int, identities: Sequence[str]) -> dict[str, Effect]:
    """Effects by their identities."""
    query = sa.select(*_COLUMNS).where(effects.c.integration_id == integration_id, one_of(effects.c.identity))
    return {effect.identity: effect for effect in _effects(unit, query, {"ids": list(identities)})}


@dataclass(frozen=True, slots=True)
class EffectLine:
    """An effect as a list shows it."""

    integration: str
    flow: str
    effect: Effect


def listed(
    unit: Unit,
    *,
    integration_id: int | None = None,
    feed_id: int | None = None,
    states: Iterable[EffectState] = (),
    target: str = "",
    count: int = 100,
    before: int | None = None,
) -> list[EffectLine]:
    """Effects for people, newest first; ``before`` is the id to go on from."""
    query = (
        sa.select(*_COLUMNS, integrations.c.name.label("integration"), feeds.c.flow)
        .select_from(
            effects.join(integrations, integrations.c.id == effects.c.integration_id).join(
                feeds, feeds.c.id == effects.c.feed_id
            )
        )
        .order_by(effects.c.id.desc())
        .limit(count)
    )
    if integration_id is not None:
        query = query.where(effects.c.integration_id == integration_id)
    if feed_id is not None:
        query = query.where(effects.c.feed_id == feed_id)
    if wanted := [state.value for state in states]:
        query = query.where(effects.c.state.in_(wanted))
    if target:
        query = query.where(sa.or_(effects.c.target == target, effects.c.label == target))
    if before is not None:
        query = query.where(effects.c.id < before)
    return [EffectLine(row.integration, row.flow, _effect(row)) for row in unit.connection.execute(query)]


def counts(unit: Unit, integration_id: int) -> dict[tuple[int, EffectState], int]:
    """How many effects each feed of an integration has in each state."""
    query = (
        sa.select(effects.c.feed_id, effects.c.state, sa.func.count())
        .where(effects.c.integration_id == integration_id)
        .group_by(effects.c.feed_id, effects.c.state)
    )
    return {(row[0], EffectState(row[1])): row[2] for row in unit.connection.execute(query)}


def expire(unit: Unit, *, before: datetime) -> int:
    """Withheld effects older than ``before`` will not be sent any more; tells how many."""
    return unit.connection.execute(
        effects.update()
        .where(effects.c.state == EffectState.WITHHELD.value, effects.c.created_at < before)
        .values(
            state=EffectState.EXPIRED, reason="Withheld for so long that it was dropped by itself.", updated_at=unit.now
        )
    ).rowcount


def distrust(unit: Unit) -> int:
    """Whatever waits to be sent may have been sent already: it is looked up first. Tells how many effects that concerns."""
    return unit.connection.execute(
        effects.update()
        .where(effects.c.state.in_([EffectState.PENDING.value, EffectState.SENDING.value]))
        .values(state=EffectState.UNKNOWN, reason="The database was copied or restored.", updated_at=unit.now)
    ).rowcount


def purge(unit: Unit, *, before: datetime, count: int = 1000) -> int:
    """Delete a small batch of old effects whose story is over; tells how many, 0 when none is left.

    The last effect of a target stays: the next one is told apart by it.
    """
    newer = effects.alias("newer")
    last = ~(
        sa.select(newer.c.id)
        .where(
            newer.c.integration_id == effects.c.integration_id,
            newer.c.kind == effects.c.kind,
            newer.c.target == effects.c.target,
            newer.c.id > effects.c.id,
        )
        .exists()
    )
    over = [state.value for state in EffectState if state not in (*UNSENT, *UNSETTLED)]
    old = sa.select(effects.c.id).where(effects.c.updated_at < before, effects.c.state.in_(over), ~last).limit(count)
    return unit.connection.execute(effects.delete().where(effects.c.id.in_(old))).rowcount
