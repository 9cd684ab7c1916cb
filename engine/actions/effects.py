"""Changes meant for the outside: list them, release, discard, decide what became of them."""

from collections.abc import Sequence

from domain.errors import UserError
from engine.actions.names import feed_named, feed_of, integration_named
from engine.runtime.outbound import withheld
from engine.runtime.platform import Platform
from engine.runtime.production import installation
from storage.database import Unit
from storage.queries import effects
from storage.queries.effects import EffectLine
from storage.rows import EffectState


def listed(
    unit: Unit,
    *,
    of: str = "",
    states: Sequence[EffectState] = (),
    target: str = "",
    count: int = 100,
    before: int | None = None,
) -> list[EffectLine]:
    """Effects, newest first; ``of`` is an integration or ``integration/flow``, ``target`` an item or order."""
    integration_id = feed_id = None
    if "/" in of:
        feed_id = feed_named(unit, of).feed.id
    elif of:
        integration_id = integration_named(unit, of).id
    return effects.listed(
        unit,
        integration_id=integration_id,
        feed_id=feed_id,
        states=states,
        target=target,
        count=count,
        before=before,
    )


def release(platform: Platform, effect_ids: Sequence[int], *, person: str) -> int:
    """Let withheld effects go with the next run of their flow; tells how many. All of them, or none."""

    def work(unit: Unit) -> int:
        by_feed = _by_feed(unit, effect_ids)
        count = 0
        for feed_id, ids in by_feed.items():
            named = feed_of(unit, feed_id)
            because = withheld.reason(
                mode=named.integration.mode,
                is_live=named.feed.is_live,
                is_confirmed=installation.is_confirmed(unit),
            )
            count += withheld.release(unit, ids, withheld_because=because, person=person)
        return count

    return platform.database.write(work)


def discard(platform: Platform, effect_ids: Sequence[int], *, person: str) -> int:
    """Drop effects that were not sent; tells how many."""

    def work(unit: Unit) -> int:
        _by_feed(unit, effect_ids)
        return withheld.discard(unit, effect_ids, person=person)

    return platform.database.write(work)


def decide(platform: Platform, effect_ids: Sequence[int], *, has_happened: bool, person: str) -> int:
    """Say of effects of unknown outcome whether they happened; those that did not are sent again. Tells how many."""

    def work(unit: Unit) -> int:
        _by_feed(unit, effect_ids)
        return withheld.decide(unit, effect_ids, has_happened=has_happened, person=person)

    return platform.database.write(work)


def _by_feed(unit: Unit, effect_ids: Sequence[int]) -> dict[int, list[int]]:
    found = effects.get(unit, effect_ids)
    missing = sorted(set(effect_ids) - {effect.id for effect in found})
    if missing or not effect_ids:
        named = ", ".join(map(str, missing)) or "that name"
        raise UserError(f"There is no effect {named}. List them with: navette effects list")
    by_feed: dict[int, list[int]] = {}
    for effect in found:
        by_feed.setdefault(effect.feed_id, []).append(effect.id)
    return by_feed
