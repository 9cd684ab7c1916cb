"""Killed between the change applied in the shop and the receipt kept here: looked up, never sent blindly."""

import os
import signal
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest

from domain.errors import OutcomeUnknown, PlatformError
from engine.connector import Change
from storage.database import Database, Unit
from storage.queries import executions
from storage.rows import EffectState, Execution
from storage.tables import executions as executions_table
from tests.telling_shop import TellingHub

ITEMS = [f"{number:02}" for number in range(12)]
FATAL = "05"


class Ledger:
    """What the shop applied, in a file that outlives the worker."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, change: Change) -> None:
        with self.path.open("a") as file:
            file.write(msgspec.json.encode((change.identity, change.target)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[tuple[str, str]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [msgspec.json.decode(line, type=tuple[str, str]) for line in lines]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _work_until_killed(url: str, path: str, execution_id: int, integration_id: int, *, is_applied: bool) -> None:
    """A worker that is killed while one change is on its way, before or after the shop applies it."""
    ledger = Ledger(Path(path))
    with Database(url) as database:
        hub = TellingHub.reopened(database, integration_id)

        def before(changes: object) -> None:
            assert isinstance(changes, list)
            if not is_applied and any(change.target == FATAL for change in changes):
                _die()

        def after(change: Change) -> PlatformError | None:
            ledger.add(change)
            if change.target == FATAL:
                _die()
            return None

        hub.shop.shelves = hub.level_shelves(ITEMS)
        hub.shop.before_send = before
        hub.shop.forgets = after
        execution = database.read(lambda unit: executions.get(unit, execution_id))
        assert execution is not None
        hub.work(hub.attempt(execution, hub.feed("export_stock")))


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("can_tell", [True, False])
def test_a_change_that_was_on_its_way_when_the_worker_was_killed_is_applied_once(
    database_url: str, tmp_path: Path, is_applied: bool, can_tell: bool
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with Database(database_url) as database:
        hub = TellingHub(database)
        hub.stocked(*ITEMS)
        hub.go_live()
        for item in ITEMS:
            hub.count(item, 9)
        run = hub.claim("export_stock")
        worker = get_context("spawn").Process(
            target=_work_until_killed,
            args=(database_url, str(ledger.path), run.execution.id, hub.integration_id),
            kwargs={"is_applied": is_applied},
        )
        worker.start()
        worker.join(60)
        assert worker.exitcode == -signal.SIGKILL
        assert FATAL in {effect.target for effect in hub.effects(EffectState.SENDING)}

        before = ledger.read()
        assert (FATAL in {target for _, target in before}) is is_applied
        hub.shop.shelves.update(hub.level_shelves(ITEMS, sold={target: 9 for _, target in before}))
        if not can_tell:
            hub.shop.blind = lambda change: OutcomeUnknown("Cannot be told.") if change.target == FATAL else None
        second = next_attempt(hub, run.execution)
        hub.work(hub.attempt(second, run.feed))

        applied = [target for _, target in before] + [change.target for change in hub.shop.ledger]
        expected = [item for item in ITEMS if item != FATAL or is_applied or can_tell]
        assert sorted(applied) == expected
        states = {effect.target: effect.state for effect in hub.effects()}
        assert states.pop(FATAL) is (EffectState.DONE if can_tell else EffectState.UNKNOWN)
        assert set(states.values()) == {EffectState.DONE}
        assert len(hub.issues()) == (0 if can_tell else 1)


def next_attempt(hub: TellingHub, execution: Execution) -> Execution:
    """The lease ran out, and another worker claims the execution."""

    def claim(unit: Unit) -> Execution | None:
        unit.connection.execute(
            executions_table.update().where(executions_table.c.id == execution.id).values(attempt=2)
        )
        return executions.get(unit, execution.id)

    found = hub.database.write(claim)
    assert found is not None
    return found
