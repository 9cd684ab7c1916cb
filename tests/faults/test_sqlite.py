"""SQLite held by another process, and a disk that is full."""

from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from engine.runtime import executions, worker
from storage.database import Database
from storage.queries import feeds
from storage.queries import issues as issue_rows
from storage.rows import State, Trigger
from tests import toy
from tests.faults.processes import read


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "navette.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def database(url: str, clock):
    with Database(url, now=clock) as found:
        yield found


def test_a_writer_waits_for_another_process_and_then_goes_on(database, url, clock):
    (feed,) = toy.an_integration(database)
    platform = toy.a_platform(database)
    with Database(url, now=clock) as other:
        with other.writing() as unit:
            waiting = Thread(target=executions.request, args=(platform, feed.id), kwargs={"trigger": Trigger.MANUAL})
            waiting.start()
            feeds.set_mark(unit, feed.id, "held")
        waiting.join(timeout=15)
    assert read(database, 1).state is State.QUEUED


def test_a_database_held_for_longer_is_a_passing_fault_and_the_execution_waits_untouched(database, url, clock):
    (feed,) = toy.an_integration(database)
    platform = toy.a_platform(database)
    execution_id = executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id
    with Database(url, now=clock) as other, other.writing():
        worker.run_execution(platform, execution_id)
        assert read(database, execution_id).attempt == 0
    worker.run_execution(platform, execution_id)
    assert read(database, execution_id).state is State.SUCCEEDED


def limit(database: Database, *, pages: int) -> None:
    """A disk with room for so many pages more than there are."""
    database.engine.dispose()

    def narrow(connection, _record) -> None:
        held = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {held + pages}")

    sa.event.listen(database.engine, "connect", narrow)


def test_a_full_disk_undoes_the_page_opens_one_issue_and_work_goes_on_once_there_is_space(database, url, clock):
    (feed,) = toy.an_integration(database, at=2, event="big", attempts=3)
    platform = toy.a_platform(database)
    execution_id = executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id
    limit(database, pages=200)
    for _ in range(2):
        worker.run_execution(platform, execution_id)
        execution = read(database, execution_id)
        assert (execution.state, execution.position, execution.tries) == (State.QUEUED, 1, 0)
        assert "no space" in execution.reason
        clock.advance(minutes=1)
    (issue,) = database.read(issue_rows.listed)
    assert issue.cause == "import_toys:storage_full"
    assert toy.pages(database) == [f"{execution_id}/1"]
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    with Database(url, now=clock) as roomy:
        platform = toy.a_platform(roomy)
        worker.run_execution(platform, execution_id)
        assert read(roomy, execution_id).state is State.SUCCEEDED
        assert roomy.read(issue_rows.listed) == []
