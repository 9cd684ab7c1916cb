"""The connection to PostgreSQL is cut during COMMIT: nobody knows whether the page is saved, so it is looked at first."""

import tempfile
from pathlib import Path

import pytest

from engine.runtime import executions, worker
from storage.database import Database
from storage.queries import issues
from storage.rows import State, Trigger
from tests import toy
from tests.faults.cutting import line_to
from tests.faults.processes import judge, read
from tests.moving import MovableClock
from tests.servers import Postgres


@pytest.mark.parametrize("is_heard", [True, False], ids=["committed", "not committed"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_page_whose_commit_got_no_answer_is_there_once_whatever_became_of_it(
    database: Database, postgres: Postgres, clock: MovableClock, is_heard: bool
) -> None:
    (feed,) = toy.an_integration(database)
    with (
        tempfile.TemporaryDirectory(prefix="line-") as folder,
        line_to(postgres.folder, Path(folder), mark="1/2", is_heard=is_heard) as line,
        Database(line.url, now=clock) as far,
    ):
        platform = toy.a_platform(far)
        execution_id = executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id
        assert execution_id == 1
        worker.run_execution(platform, execution_id)
        assert line.cuts == 1
        execution = read(database, execution_id)
        assert (execution.state, execution.position) == (State.QUEUED, 2 if is_heard else 1)
        assert toy.pages(database) == [f"1/{page}" for page in range(1, execution.position + 1)]
        clock.advance(minutes=20)
        worker.run_execution(platform, execution_id)
    assert read(database, execution_id).state is State.SUCCEEDED
    assert read(database, execution_id).created == 3
    assert database.read(issues.listed) == []
    judge(database)
