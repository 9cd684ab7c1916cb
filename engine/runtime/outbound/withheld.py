"""Changes that do not leave: why, and what a person may do with them."""

from collections.abc import Sequence
from datetime import timedelta

from domain.errors import UserError
from storage.database import Unit
from storage.queries import audit, effects
from storage.queries.executions import Permission
from storage.rows import EffectState, Mode

KEPT_FOR = timedelta(days=30)

NOT_CONFIRMED = "This database was copied or restored, and nobody confirmed yet that it is the real one."
TEST_MODE = "The integration is in test mode."
NOT_LIVE = "This flow is not live yet."


def reason(*, mode: Mode, is_live: bool, is_confirmed: bool) -> str:
    """Why changes of a feed are withheld; empty when they may leave."""
    if not is_confirmed:
        return NOT_CONFIRMED
    if mode is not Mode.PRODUCTION:
        return TEST_MODE
    return "" if is_live else NOT_LIVE


def reason_of(permission: Permission) -> str:
    """Why changes are withheld under this permission; empty when they may leave."""
    return reason(mode=permission.mode, is_live=permission.is_live, is_confirmed=permission.is_confirmed)


def release(unit: Unit, effect_ids: Sequence[int], *, withheld_because: str, person: str) -> int:
    """Let withheld effects go with the next run of their feed; tells how many.

    ``withheld_because`` is what ``reason`` says of their feed now. Raises ``UserError`` while it would keep them back.
    """
    if withheld_because:
        raise UserError(f"These changes cannot leave yet. {withheld_because} Go live first, then release them.")
    count = effects.move(
        unit,
        effect_ids,
        to=EffectState.PENDING,
        reason=f"Released by {person}.",
        among=(EffectState.WITHHELD,),
    )
    _demand_some(count, "waits to be released")
    audit.record(unit, person=person, action="release_effects", subject="effects", detail=list(effect_ids))
    return count


def discard(unit: Unit, effect_ids: Sequence[int], *, person: str) -> int:
    """Drop effects that were not sent; tells how many."""
    count = effects.move(
        unit, effect_ids, to=EffectState.DISCARDED, reason=f"Discarded by {person}.", among=effects.UNSENT
    )
    _demand_some(count, "can still be discarded")
    audit.record(unit, person=person, action="discard_effects", subject="effects", detail=list(effect_ids))
    return count


def decide(unit: Unit, effect_ids: Sequence[int], *, has_happened: bool, person: str) -> int:
    """Say of effects of unknown outcome that they happened, or that they did not and are to be sent again."""
    known = [effect for effect in effects.get(unit, effect_ids) if effect.state is EffectState.UNKNOWN]
    _demand_some(len(known), "is of unknown outcome")
    state, words = (EffectState.DONE, "happened") if has_happened else (EffectState.PENDING, "did not happen")
    effects.settle(
        unit,
        [
            effects.Settled(
                effect,
                state,
                reason=f"{person} says it {words}.",
                receipt={"evidence": None, "was_found": True, "by": person} if has_happened else None,
                was_sent=False,
            )
            for effect in known
        ],
    )
    audit.record(
        unit,
        person=person,
        action="decide_effects",
        subject="effects",
        detail={"ids": [effect.id for effect in known], "has_happened": has_happened},
    )
    return len(known)


def expire(unit: Unit) -> int:
    """Drop what was withheld for longer than anybody will look at it; tells how many."""
    return effects.expire(unit, before=unit.now - KEPT_FOR)


def _demand_some(count: int, what: str) -> None:
    if not count:
        raise UserError(f"None of these effects {what}; look at the list again.")
