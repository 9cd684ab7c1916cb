"""What a person may do with changes that did not leave."""

import pytest

from domain.errors import UserError
from engine.runtime.outbound import withheld
from storage.database import Database
from storage.queries import audit
from storage.rows import EffectState, Mode
from tests.moving import MovableClock
from tests.telling_shop import TellingHub


@pytest.fixture
def hub(database: Database) -> TellingHub:
    hub = TellingHub(database)
    hub.stocked("1", "2")
    hub.count("1", 9)
    hub.count("2", 9)
    hub.run("export_stock")
    return hub


@pytest.mark.parametrize(
    ("mode", "is_live", "is_confirmed", "words"),
    [
        (Mode.PRODUCTION, True, True, ""),
        (Mode.PRODUCTION, False, True, withheld.NOT_LIVE),
        (Mode.TEST, True, True, withheld.TEST_MODE),
        (Mode.PRODUCTION, True, False, withheld.NOT_CONFIRMED),
        (Mode.TEST, False, False, withheld.NOT_CONFIRMED),
    ],
)
def test_changes_leave_only_in_confirmed_live_production(
    mode: Mode, is_live: bool, is_confirmed: bool, words: str
) -> None:
    assert withheld.reason(mode=mode, is_live=is_live, is_confirmed=is_confirmed) == words


def test_nothing_is_released_in_test_mode(hub: TellingHub) -> None:
    ids = [effect.id for effect in hub.effects()]
    with pytest.raises(UserError, match="Go live first"):
        hub.database.write(lambda unit: withheld.release(unit, ids, withheld_because=withheld.TEST_MODE, person="ada"))
    assert len(hub.effects(EffectState.WITHHELD)) == 2


def test_a_chosen_set_is_released_and_logged(hub: TellingHub) -> None:
    first, second = hub.effects()
    assert hub.database.write(lambda unit: withheld.release(unit, [first.id], withheld_because="", person="ada")) == 1
    assert {effect.id: effect.state for effect in hub.effects()} == {
        first.id: EffectState.PENDING,
        second.id: EffectState.WITHHELD,
    }
    assert hub.database.read(audit.latest)[0].action == "release_effects"


def test_what_is_not_there_any_more_cannot_be_released_discarded_or_decided(hub: TellingHub) -> None:
    ids = [effect.id for effect in hub.effects()]
    assert hub.database.write(lambda unit: withheld.discard(unit, ids, person="ada")) == 2
    with pytest.raises(UserError):
        hub.database.write(lambda unit: withheld.release(unit, ids, withheld_because="", person="ada"))
    with pytest.raises(UserError):
        hub.database.write(lambda unit: withheld.discard(unit, ids, person="ada"))
    with pytest.raises(UserError):
        hub.database.write(lambda unit: withheld.decide(unit, ids, has_happened=True, person="ada"))


def test_withheld_changes_expire_after_thirty_days(hub: TellingHub, clock: MovableClock) -> None:
    clock.advance(days=29)
    assert hub.database.write(withheld.expire) == 0
    clock.advance(days=2)
    assert hub.database.write(withheld.expire) == 2
    assert {effect.state for effect in hub.effects()} == {EffectState.EXPIRED}
