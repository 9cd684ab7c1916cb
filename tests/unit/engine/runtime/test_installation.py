"""The real database and its copies."""

import shutil
from pathlib import Path

import pytest

from domain.errors import UserError
from engine.runtime.production import installation
from storage.database import Database
from storage.rows import EffectState
from storage.tables import installation as installation_table
from tests.moving import MovableClock
from tests.telling_shop import TellingHub


def test_a_new_database_is_recognised_at_once_and_again(database: Database) -> None:
    assert installation.recognise(database)
    assert installation.recognise(database)
    assert database.read(installation.is_confirmed)


def test_a_database_nobody_started_on_is_not_confirmed(database: Database) -> None:
    assert not database.read(installation.is_confirmed)


def test_a_copied_file_is_not_recognised_until_an_administrator_confirms_it(
    sqlite_template: Path, tmp_path: Path, clock: MovableClock
) -> None:
    original, copy = tmp_path / "original.db", tmp_path / "copy.db"
    shutil.copyfile(sqlite_template, original)
    with Database(f"sqlite:///{original}", now=clock) as database:
        assert installation.recognise(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(original, copy)
    with Database(f"sqlite:///{copy}", now=clock) as database:
        assert not installation.recognise(database)
        assert not installation.recognise(database)
        database.write(lambda unit: installation.confirm(unit, person="ada"))
        assert installation.recognise(database)
    with Database(f"sqlite:///{original}", now=clock) as database:
        assert installation.recognise(database)


def test_a_database_that_moved_behaves_as_in_test_mode(database: Database) -> None:
    hub = TellingHub(database)
    hub.stocked("1")
    hub.go_live()
    hub.count("1", 9)
    assert not installation.recognise(database)
    assert hub.run("export_stock").withheld == 1
    assert hub.shop.calls == []


def test_what_was_about_to_be_sent_when_the_copy_was_made_is_looked_up_first(database: Database) -> None:
    hub = TellingHub(database)
    hub.stocked("1", "2")
    hub.go_live()
    hub.count("1", 9)
    hub.count("2", 9)
    run = hub.claim("export_stock")

    def crash(_changes: object) -> None:
        run.lease.lose()

    hub.shop.before_send = crash
    with pytest.raises(Exception, match="lease"):
        hub.work(run)
    hub.finish(run)
    hub.shop.before_send = lambda _changes: None
    assert not installation.recognise(database)
    waiting = len(hub.effects(EffectState.SENDING, EffectState.PENDING))
    assert database.write(lambda unit: installation.confirm(unit, person="ada")) == waiting == 2
    hub.run("export_stock")
    assert sorted(change.target for change in hub.shop.ledger) == ["1", "2"]


def test_a_confirmed_database_needs_no_confirmation(database: Database) -> None:
    installation.recognise(database)
    with pytest.raises(UserError, match="confirmed already"):
        database.write(lambda unit: installation.confirm(unit, person="ada"))
    database.write(lambda unit: unit.connection.execute(installation_table.update().values(fingerprint="elsewhere")))
    assert not installation.recognise(database)
