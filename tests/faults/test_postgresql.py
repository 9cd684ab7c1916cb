"""PostgreSQL restarted, hung up, or making one of two transactions give way."""

from threading import Barrier, Thread

import pytest

from engine.runtime import executions, worker
from storage import schema
from storage.database import Database, StorageBusy
from storage.queries import feeds
from storage.rows import State, Trigger
from tests import toy
from tests.faults.processes import judge, process, read, until
from tests.servers import Postgres


@pytest.fixture
def own_server():
    server = Postgres()
    server.start()
    yield server
    server.close()


def test_a_crash_of_the_database_inside_a_page_leaves_no_half_page_and_the_process_goes_on(own_server, tmp_path):
    url = own_server.url()
    with Database(url) as database:
        schema.create(database)
        (feed,) = toy.an_integration(database, at=2, event="hold_for_file")
        execution_id = database.write(lambda unit: executions.place(unit, feed.id, trigger=Trigger.MANUAL)).execution_id
        with process(url, "worker", "scheduler", folder=tmp_path) as served:
            served.wait_for(f"inside {execution_id}")
            own_server.kill()
            with pytest.raises(StorageBusy):
                database.now()
            (tmp_path / "go").touch()  # the page, and then its end, meet a database that is away
            own_server.start()
            until(lambda: read(database, execution_id).state is State.SUCCEEDED)
        judge(database)


def test_a_connection_cut_inside_a_transaction_is_a_passing_fault(postgres, postgres_url, clock):
    with Database(postgres.url("navette"), now=clock) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE integrations, executions, page_digests RESTART IDENTITY CASCADE")
        (feed,) = toy.an_integration(database, at=2, event="cut")
        platform = toy.a_platform(database)
        execution_id = executions.request(platform, feed.id, trigger=Trigger.MANUAL).execution_id
        worker.run_execution(platform, execution_id)
        execution = read(database, execution_id)
        assert (execution.state, execution.position, execution.reason.startswith("The database")) == (
            State.QUEUED,
            1,
            True,
        )
        clock.advance(minutes=20)
        worker.run_execution(platform, execution_id)
        assert read(database, execution_id).state is State.SUCCEEDED
        judge(database)


def test_connections_cut_while_nobody_uses_them_are_replaced_and_nobody_is_told(postgres, postgres_url):
    with Database(postgres.url("navette")) as database, Database(postgres.url("navette")) as other:
        with database.reading(), database.reading():
            pass  # two connections, which wait in the pool
        mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'navette' AND pid <> pg_backend_pid()"
        other.write(lambda unit: unit.connection.exec_driver_sql(mine))
        before = other.now()
        assert database.now() >= before
        assert database.write(lambda unit: unit.now) >= before


def test_two_transactions_that_block_each_other_are_both_done_and_nobody_is_told(postgres, postgres_url):
    """A real deadlock: the server makes one give way, and it is simply done again."""
    with Database(postgres.url("navette")) as database:
        first, second = toy.an_integration(database, name="deadlock", flows=(toy.IMPORT, toy.ORDERS))
        both_hold_one = Barrier(2)
        tries: list[int] = []

        def change(one: int, other: int) -> None:
            def work(unit):
                feeds.change(unit, one, mark="1")
                if len(tries) < 2:
                    tries.append(one)
                    both_hold_one.wait(timeout=20)
                else:
                    tries.append(one)
                feeds.change(unit, other, mark="2")

            database.write(work)

        threads = [Thread(target=change, args=pair) for pair in ((first.id, second.id), (second.id, first.id))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert len(tries) == 3, "one of the two had to be done twice"
        marks = {feed.mark for feed in database.read(feeds.listed) if feed.id in (first.id, second.id)}
        assert marks == {"1", "2"}
