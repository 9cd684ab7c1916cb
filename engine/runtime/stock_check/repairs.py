"""What a person does about differences: send the hub's level, take over the shop's, accept them, or take that back.

Everything is logged. What is sent goes the way of every effect: the gate applies, and the next export run delivers it.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum

from domain.errors import UserError
from domain.rulebook import Rulebook
from engine.connector import Connector, quantity_json
from engine.runtime.outbound import stock
from storage.database import Unit
from storage.queries import audit, differences, effects
from storage.queries import stock as levels
from storage.queries.differences import STANDING, Difference, DifferenceState, Explanation
from storage.queries.effects import UNSENT, Intended
from storage.queries.stock import Item, Sharing, level_value
from storage.rows import EffectState, Feed

_SETTLES_ITSELF = "Orders on their way account for it; it settles by itself."
_NOT_LINKED = "The item is known on one side only; import its product, or remove it there, first."


class Direction(StrEnum):
    """Which side is right."""

    SEND = "send"
    ADOPT = "adopt"


def repair(
    unit: Unit,
    difference_ids: Sequence[int],
    *,
    direction: Direction,
    feed: Feed,
    connector: Connector,
    rulebook: Rulebook,
    withheld_because: str,
    person: str,
) -> int:
    """Repair chosen differences of one integration; returns how many.

    ``feed`` is the one that exports stock, ``withheld_because`` why its changes are withheld now (empty: they may leave).
    Raises ``UserError`` when one of them cannot be repaired this way: then none is.
    """
    chosen = _standing(unit, difference_ids)
    for difference in chosen:
        _demand_repairable(difference, direction)
    share = stock.sharing(unit, feed.integration_id, connector=connector, rulebook=rulebook)
    items = levels.chosen(unit, share, [difference.target for difference in chosen])
    for difference in chosen:
        item = items.get(difference.target)
        if item is None:
            raise UserError(f"{difference.label}: {_NOT_LINKED}")
        if direction is Direction.SEND:
            _send(unit, difference, item=item, feed=feed, withheld_because=withheld_because, person=person)
        else:
            _adopt(unit, difference, item=item, share=share, person=person)
    state = DifferenceState.REPAIRED if direction is Direction.SEND else DifferenceState.ADOPTED
    differences.change_state(unit, [difference.id for difference in chosen], to=state)
    _log(unit, chosen, action=f"repair_{direction.value}", person=person)
    return len(chosen)


def accept(unit: Unit, difference_ids: Sequence[int], *, person: str) -> int:
    """Differences a person can live with: they ring no more as long as neither level changes. Returns how many."""
    chosen = _standing(unit, difference_ids)
    differences.change_state(unit, [difference.id for difference in chosen], to=DifferenceState.ACCEPTED)
    _log(unit, chosen, action="accept_differences", person=person)
    return len(chosen)


def undo(
    unit: Unit,
    difference_ids: Sequence[int],
    *,
    feed: Feed,
    connector: Connector,
    rulebook: Rulebook,
    person: str,
) -> int:
    """Take back what was done about differences; returns how many.

    A level that was taken over is given back. A level that waits is not sent. A level that was sent already is countered
    by taking over what the shop showed before, so that the next export restores it there.
    """
    undoing: dict[DifferenceState, Callable[[Difference, Item, Sharing], None]] = {
        DifferenceState.ACCEPTED: lambda _difference, _item, _share: None,
        DifferenceState.ADOPTED: lambda difference, item, _share: _unadopt(unit, difference, item=item, person=person),
        DifferenceState.REPAIRED: lambda difference, item, share: _unsend(
            unit, difference, item=item, share=share, person=person
        ),
    }
    chosen = [row for row in differences.get(unit, difference_ids) if row.state in undoing]
    if not chosen:
        raise UserError("Nothing was done about these differences that could be taken back.")
    share = stock.sharing(unit, feed.integration_id, connector=connector, rulebook=rulebook)
    items = levels.chosen(unit, share, [difference.target for difference in chosen])
    for difference in chosen:
        undoing[difference.state](difference, items[difference.target], share)
    differences.change_state(unit, [difference.id for difference in chosen], to=DifferenceState.OPEN)
    _log(unit, chosen, action="undo_repair", person=person)
    return len(chosen)


# --- the two directions -------------------------------------------------------------------------------------------


def _send(unit: Unit, difference: Difference, *, item: Item, feed: Feed, withheld_because: str, person: str) -> None:
    """What the shop shows is known now, so the hub's level differs from it and is a change like any other."""
    assert difference.remote is not None
    _know(unit, feed.integration_id, item, difference.remote)
    if item.available is None or item.available == difference.remote:
        return
    if item.latest is not None:
        effects.move(unit, [item.latest.id], to=EffectState.SUPERSEDED, reason="A repair took its place.", among=UNSENT)
    told = stock.candidate(item._replace(delivered=difference.remote))
    effects.intend(
        unit,
        integration_id=feed.integration_id,
        feed_id=feed.id,
        execution_id=None,
        kind=levels.KIND,
        state=EffectState.WITHHELD if withheld_because else EffectState.PENDING,
        reason=withheld_because or f"Repair asked for by {person}.",
        intended=[Intended(told.identity, told.target, told.label, told.record_id, told.before, told.after)],
    )


def _unsend(unit: Unit, difference: Difference, *, item: Item, share: Sharing, person: str) -> None:
    latest = item.latest
    if latest is not None and effects.move(
        unit, [latest.id], to=EffectState.SUPERSEDED, reason=f"The repair was undone by {person}.", among=UNSENT
    ):
        if difference.hub is not None and difference.explanation is Explanation.CHANGED_REMOTELY:
            _know(unit, difference.integration_id, item, difference.hub)
        return
    if latest is not None and latest.state in effects.UNSETTLED:
        raise UserError(f"{difference.label}: the level is being sent; try again when the export is over.")
    _take_over(unit, difference, item=item, share=share, person=person, reason=f"repair {difference.id} undone")


def _adopt(unit: Unit, difference: Difference, *, item: Item, share: Sharing, person: str) -> None:
    assert difference.remote is not None
    _take_over(unit, difference, item=item, share=share, person=person, reason=_adopted(difference))
    _know(unit, share.integration_id, item, difference.remote)


def _unadopt(unit: Unit, difference: Difference, *, item: Item, person: str) -> None:
    moved = levels.moved_because(unit, item.record_id, reason=_adopted(difference))
    levels.change_levels(
        unit,
        {(item.record_id, warehouse): -change for warehouse, change in moved.items() if change},
        reason=f"taking over difference {difference.id} undone",
        person=person,
    )
    if difference.hub is not None and difference.explanation is Explanation.CHANGED_REMOTELY:
        _know(unit, difference.integration_id, item, difference.hub)


def _take_over(unit: Unit, difference: Difference, *, item: Item, share: Sharing, person: str, reason: str) -> None:
    """Make the hub offer what the shop showed: what is promised and kept back comes on top."""
    assert difference.remote is not None
    first = (item.record_id, share.warehouses[0])
    left = item.left
    if left is None:
        levels.set_levels(unit, {first: Decimal(0)}, reason=reason, person=person)
        left = levels.chosen(unit, share, [item.remote_id])[item.remote_id].left
        assert left is not None
    levels.change_levels(unit, {first: difference.remote - left}, reason=reason, person=person)


# --- small things -------------------------------------------------------------------------------------------------


def _standing(unit: Unit, difference_ids: Sequence[int]) -> list[Difference]:
    chosen = [row for row in differences.get(unit, difference_ids) if row.state in STANDING]
    if not chosen:
        raise UserError("None of these differences is open any more; look at the list again.")
    return chosen


def _demand_repairable(difference: Difference, direction: Direction) -> None:
    problem = ""
    if difference.explanation is Explanation.UNLINKED:
        problem = _NOT_LINKED
    elif difference.explanation is Explanation.IN_FLIGHT:
        problem = _SETTLES_ITSELF
    elif direction is Direction.SEND and difference.hub is None:
        problem = "The hub holds no level of it to send; take over the shop's."
    if problem:
        raise UserError(f"{difference.label}: {problem}")


def _adopted(difference: Difference) -> str:
    return f"difference {difference.id}: taken over from the shop"


def _know(unit: Unit, integration_id: int, item: Item, quantity: Decimal) -> None:
    effects.know(unit, [(integration_id, levels.KIND, item.remote_id, level_value(item.remote_id, quantity))])


def _log(unit: Unit, chosen: Sequence[Difference], *, action: str, person: str) -> None:
    audit.record(
        unit,
        person=person,
        action=action,
        subject="differences",
        detail=[
            {
                "id": row.id,
                "item": row.label,
                "hub": None if row.hub is None else quantity_json(row.hub),
                "remote": None if row.remote is None else quantity_json(row.remote),
            }
            for row in chosen
        ],
    )
