"""Export: what is planned, what is withheld, and what takes the place of what."""

import pytest

from storage.database import Database
from storage.rows import EffectState
from tests.telling_shop import TellingHub


@pytest.fixture
def hub(database: Database) -> TellingHub:
    return TellingHub(database)


def test_in_test_mode_a_change_is_withheld_with_before_after_and_reason(hub: TellingHub) -> None:
    hub.stocked("1", "2")
    hub.count("1", 9)
    tally = hub.run("export_stock")
    assert (tally.withheld, tally.unchanged, tally.read) == (1, 1, 2)
    [effect] = hub.effects()
    assert (effect.state, effect.before["quantity"], effect.after["quantity"]) == (EffectState.WITHHELD, "5", "9")
    assert effect.reason == "The integration is in test mode."
    assert hub.shop.calls == []


def test_in_production_a_change_is_sent_once_and_has_a_receipt(hub: TellingHub) -> None:
    hub.stocked("1", "2")
    hub.go_live()
    hub.count("1", 9)
    assert hub.run("export_stock").updated == 1
    [effect] = hub.effects()
    assert (effect.state, effect.attempts, effect.receipt["evidence"]) == (EffectState.DONE, 1, {"seen": "1"})
    assert hub.shop.level("1") == 9
    again = hub.run("export_stock")
    assert (again.updated, again.unchanged) == (0, 2)
    assert len(hub.shop.ledger) == 1
