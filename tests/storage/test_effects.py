"""Effects: one identity, one life, in order."""

from typing import Any

import pytest

from storage.database import Conflict, Database, Unit
from storage.queries import effects
from storage.queries.effects import Intended, Settled
from storage.rows import EffectState
from storage.tables import deliveries
from tests.moving import MovableClock
from tests.telling_shop import TellingHub


@pytest.fixture
def hub(database: Database) -> TellingHub:
    return TellingHub(database)


def intend(hub: TellingHub, *targets: str, suffix: str = "") -> None:
    feed = hub.feed("export_stock")
    hub.database.write(
        lambda unit: effects.intend(
            unit,
            integration_id=hub.integration_id,
            feed_id=feed.id,
            execution_id=1,
            kind="stock_level",
            state=EffectState.PENDING,
            reason="",
            intended=[Intended(f"i:{t}{suffix}", t, t, None, None, {"quantity": "1"}) for t in targets],
        )
    )


def test_an_identity_exists_once(hub: TellingHub) -> None:
    intend(hub, "1")
    with pytest.raises(Conflict):
        intend(hub, "1")


def test_effects_are_taken_in_their_order_and_only_once(hub: TellingHub) -> None:
    targets = [f"{number:02}" for number in range(30)]
    intend(hub, *targets)
    feed = hub.feed("export_stock")

    def take(count: int) -> list[str]:
        taken = hub.database.write(lambda unit: effects.take(unit, feed.id, execution_id=7, count=count))
        return [effect.target for effect in taken]

    assert take(20) + take(20) == targets
    assert take(20) == []
    assert {effect.execution_id for effect in hub.effects(EffectState.SENDING)} == {7}


def test_a_receipt_and_what_is_known_to_be_there_are_saved_together(hub: TellingHub) -> None:
    intend(hub, "1", "2")
    first, second = hub.effects()

    def settle(unit: Unit) -> Any:
        effects.settle(
            unit,
            [Settled(first, EffectState.DONE, receipt={"seen": 1}), Settled(second, EffectState.FAILED, "No.")],
            execution_id=9,
        )
        return unit.connection.execute(deliveries.select()).all()

    [row] = hub.database.write(settle)
    assert (row.target, row.value) == ("1", {"quantity": "1"})
    assert [(effect.state, effect.attempts, effect.execution_id) for effect in hub.effects()] == [
        (EffectState.DONE, 1, 9),
        (EffectState.FAILED, 1, 9),
    ]


def test_lists_are_narrowed_and_counted(hub: TellingHub) -> None:
    intend(hub, "1", "2")
    feed = hub.feed("export_stock")

    def targets(**more: Any) -> list[str]:
        return [line.effect.target for line in hub.database.read(lambda unit: effects.listed(unit, **more))]

    newest = hub.effects()[-1]
    assert targets() == ["2", "1"]
    assert targets(integration_id=hub.integration_id, feed_id=feed.id, target="1") == ["1"]
    assert targets(before=newest.id) == ["1"]
    assert targets(states=[EffectState.DONE]) == []
    assert hub.database.read(lambda unit: effects.counts(unit, hub.integration_id)) == {
        (feed.id, EffectState.PENDING): 2
    }


def test_old_effects_are_purged_but_never_the_last_of_a_target(hub: TellingHub, clock: MovableClock) -> None:
    intend(hub, "1")
    intend(hub, "1", suffix="b")
    ids = [effect.id for effect in hub.effects()]
    hub.database.write(
        lambda unit: effects.move(unit, ids, to=EffectState.DISCARDED, reason="", among=(EffectState.PENDING,))
    )
    clock.advance(days=400)
    assert hub.database.write(lambda unit: effects.purge(unit, before=unit.now)) == 1
    assert [effect.id for effect in hub.effects()] == ids[1:]
    assert hub.database.write(lambda unit: effects.purge(unit, before=unit.now)) == 0
