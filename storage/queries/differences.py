"""What does not match between the hub and a shop, and what people did about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from domain.records import Order
from storage.bulk import insert_rows, one_of
from storage.database import Unit
from storage.tables import differences, held, integrations, references, reservations
from storage.types import instant_to_driver, quantity_to_driver


class Explanation(StrEnum):
    """Why a level differs."""

    IN_FLIGHT = "in_flight"
    PENDING_EXPORT = "pending_export"
    UNLINKED = "unlinked"
    CHANGED_REMOTELY = "changed_remotely"
    UNKNOWN = "unknown"


class DifferenceState(StrEnum):
    """What became of a difference."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REPAIRED = "repaired"
    ADOPTED = "adopted"
    GONE = "gone"


STANDING = (DifferenceState.OPEN, DifferenceState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Difference:
    """One item whose level is not the same on both sides. ``hub`` or ``remote`` is None where that side has no level."""

    id: int
    integration_id: int
    execution_id: int
    target: str
    record_id: int | None
    label: str
    hub: Decimal | None
    remote: Decimal | None
    explanation: Explanation
    detail: str
    state: DifferenceState
    at: datetime


class Found(NamedTuple):
    """A difference as a check finds it."""

    target: str
    record_id: int | None
    label: str
    hub: Decimal | None
    remote: Decimal | None
    explanation: Explanation
    detail: str


class Standing(NamedTuple):
    """A difference an earlier check found."""

    id: int
    state: DifferenceState
    hub: Decimal | None
    remote: Decimal | None


def standing(unit: Unit, integration_id: int) -> dict[str, Standing]:
    """Open and accepted differences by target."""
    query = sa.select(
        differences.c.target, differences.c.id, differences.c.state, differences.c.hub, differences.c.remote
    ).where(differences.c.integration_id == integration_id, differences.c.state.in_(STANDING))
    return {row[0]: Standing(row[1], DifferenceState(row[2]), row[3], row[4]) for row in unit.connection.execute(query)}


def save(
    unit: Unit, integration_id: int, *, execution_id: int, found: Sequence[Found], known: dict[str, Standing]
) -> int:
    """Keep what a check found; returns how many of them nobody accepted.

    A difference found before is brought up to date, and stays accepted as long as both levels are those accepted.
    """
    now = instant_to_driver(unit.now, unit.dialect)
    new: list[tuple[object, ...]] = []
    changed: list[dict[str, object]] = []
    accepted = 0
    for item in found:
        before = known.get(item.target)
        if before is None:
            new.append(
                (
                    *(integration_id, execution_id, item.target, item.record_id, item.label),
                    None if item.hub is None else quantity_to_driver(item.hub),
                    None if item.remote is None else quantity_to_driver(item.remote),
                    *(item.explanation.value, item.detail, DifferenceState.OPEN.value, now),
                )
            )
            continue
        is_same = (before.hub, before.remote) == (item.hub, item.remote)
        state = before.state if is_same else DifferenceState.OPEN
        accepted += state is DifferenceState.ACCEPTED
        changed.append(
            {
                "difference": before.id,
                "new_hub": item.hub,
                "new_remote": item.remote,
                "new_explanation": item.explanation.value,
                "new_detail": item.detail,
                "new_state": state.value,
            }
        )
    insert_rows(unit, differences, _COLUMNS, new)
    if changed:
        unit.connection.execute(
            differences.update()
            .where(differences.c.id == sa.bindparam("difference"))
            .values(
                execution_id=execution_id,
                hub=sa.bindparam("new_hub", type_=differences.c.hub.type),
                remote=sa.bindparam("new_remote", type_=differences.c.remote.type),
                explanation=sa.bindparam("new_explanation"),
                detail=sa.bindparam("new_detail"),
                state=sa.bindparam("new_state"),
                at=unit.now,
            ),
            changed,
        )
    return len(found) - accepted


_COLUMNS = (
    "integration_id",
    "execution_id",
    "target",
    "record_id",
    "label",
    "hub",
    "remote",
    "explanation",
    "detail",
    "state",
    "at",
)


def close_others(unit: Unit, integration_id: int, *, execution_id: int) -> int:
    """A whole check is over: what it did not find again is gone. Tells how many were."""
    return unit.connection.execute(
        differences.update()
        .where(
            differences.c.integration_id == integration_id,
            differences.c.state.in_(STANDING),
            differences.c.execution_id != execution_id,
        )
        .values(state=DifferenceState.GONE, at=unit.now)
    ).rowcount


def change_state(unit: Unit, difference_ids: Sequence[int], *, to: DifferenceState) -> None:
    """What became of differences."""
    if difference_ids:
        unit.connection.execute(
            differences.update().where(one_of(differences.c.id)).values(state=to, at=unit.now),
            {"ids": list(difference_ids)},
        )


def get(unit: Unit, difference_ids: Sequence[int]) -> list[Difference]:
    """These differences, in the order of their ids."""
    query = sa.select(differences).where(one_of(differences.c.id)).order_by(differences.c.id)
    return [_difference(row) for row in unit.connection.execute(query, {"ids": list(difference_ids)}).mappings()]


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """A difference as a list shows it."""

    integration: str
    difference: Difference


def listed(
    unit: Unit,
    *,
    integration_id: int | None = None,
    states: Sequence[DifferenceState] = (DifferenceState.OPEN,),
    explanation: Explanation | None = None,
    count: int = 100,
    after: int = 0,
) -> list[DifferenceLine]:
    """Differences for people, in the order they were found; ``after`` is the id to go on from."""
    query = (
        sa.select(differences, integrations.c.name.label("integration"))
        .select_from(differences.join(integrations, integrations.c.id == differences.c.integration_id))
        .where(differences.c.state.in_(states), differences.c.id > after)
        .order_by(differences.c.id)
        .limit(count)
    )
    if integration_id is not None:
        query = query.where(differences.c.integration_id == integration_id)
    if explanation is not None:
        query = query.where(differences.c.explanation == explanation.value)
    return [DifferenceLine(row["integration"], _difference(row)) for row in unit.connection.execute(query).mappings()]


def counts(unit: Unit, integration_id: int) -> dict[tuple[DifferenceState, Explanation], int]:
    """How many differences of each sort there are, those that are gone aside."""
    query = (
        sa.select(differences.c.state, differences.c.explanation, sa.func.count())
        .where(differences.c.integration_id == integration_id, differences.c.state != DifferenceState.GONE.value)
        .group_by(differences.c.state, differences.c.explanation)
    )
    return {(DifferenceState(row[0]), Explanation(row[1])): row[2] for row in unit.connection.execute(query)}


def unseen(unit: Unit, integration_id: int, order_remote_ids: Sequence[str]) -> set[str]:
    """Those of the orders the hub neither has, nor holds back, nor reserves stock for."""
    parameters = {"ids": list(order_remote_ids)}
    known: set[str] = set()
    for column, where in (
        (references.c.remote_id, (references.c.integration_id == integration_id) & (references.c.kind == Order.kind)),
        (held.c.remote_id, (held.c.integration_id == integration_id) & (held.c.kind == Order.kind)),
        (reservations.c.order_remote_id, reservations.c.integration_id == integration_id),
    ):
        known |= set(unit.connection.execute(sa.select(column).where(where, one_of(column)), parameters).scalars())
    return set(order_remote_ids) - known


def _difference(row: sa.RowMapping) -> Difference:
    values = {name: row[name] for name in Difference.__dataclass_fields__}
    return Difference(
        **{**values, "explanation": Explanation(row["explanation"]), "state": DifferenceState(row["state"])}
    )
