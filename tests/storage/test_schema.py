"""Tables come to be by migration, whatever was there before, and are then those the code declares."""

import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from domain.errors import UserError
from storage import schema, steps
from storage.database import Database
from storage.queries import heartbeats
from storage.tables import metadata
from tests.servers import Postgres

HELD = """
import sys
from storage import schema
from storage.database import Database
from alembic.operations import Operations

database = Database(sys.argv[1])
left = int(sys.argv[2])


def stop(connection, cursor, statement, parameters, context, executemany):
    global left
    if statement.lstrip().startswith(("CREATE", "INSERT", "UPDATE")):
        left -= 1
        if left < 0:
            print("held", flush=True)
            sys.stdin.read()


import sqlalchemy
sqlalchemy.event.listen(database.engine, "after_cursor_execute", stop)
schema.upgrade(database)
print("done", flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path):
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'fresh.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    server.execute("CREATE DATABASE fresh")
    yield server.url("fresh")
    server.execute("DROP DATABASE fresh WITH (FORCE)")


def description(database: Database) -> list[tuple[object, ...]]:
    """Every table, column, constraint and index, in the database's own words."""
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            found = connection.exec_driver_sql(
                "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
            )
            return sorted((kind, name, *_parts(sql or "")) for kind, name, sql in found)
        columns = connection.exec_driver_sql(
            "SELECT table_name, column_name, data_type, is_nullable, column_default, character_maximum_length "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        ).all()
        constraints = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace"
        ).all()
        indexes = connection.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        ).all()
        return sorted((tuple(map(str, row)) for row in (*columns, *constraints, *indexes)), key=str)


def _parts(sql: str) -> list[str]:
    """A statement's columns and constraints; the order of constraints means nothing."""
    whole = re.sub(r"[\s\"]+", "", sql).removesuffix(")")
    return sorted(part.strip(",") for part in whole.split("CONSTRAINT"))


def test_migrations_make_exactly_the_tables_the_code_declares(empty_url, tmp_path):
    """Step by step: only a database that is to have no other steps is made at once."""
    with Database(empty_url) as database:
        schema.upgrade(database, steps=(*schema.STEPS, str(tmp_path)))
        migrated = description(database)
        metadata.drop_all(database.engine)
        with database.engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE alembic_version"))
        schema.create(database)
        assert migrated == description(database)
        assert len(migrated) > 40


def test_each_step_is_in_a_file_of_its_own_name():
    assert steps.head(schema.STEPS) == schema.head()


def test_a_start_with_nothing_to_upgrade_does_without_alembic(empty_url):
    program = "import sys; from storage import schema; from storage.database import Database; "
    program += "schema.upgrade(Database(sys.argv[1])); sys.exit('alembic' in sys.modules)"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, empty_url], check=True)


def test_a_new_database_gets_its_tables_and_a_second_start_finds_nothing_to_do(empty_url):
    with Database(empty_url) as database:
        assert schema.upgrade(database) == schema.Upgrade("", schema.head(), None)
        again = schema.upgrade(database)
        assert not again.has_changed
        database.write(lambda unit: heartbeats.beat(unit, "a", role="worker"))


def test_processes_that_start_at_once_make_the_tables_once(empty_url):
    program = [sys.executable, "-c", "import sys; from storage import schema; from storage.database import Database; "]
    program[-1] += "schema.upgrade(Database(sys.argv[1]))"
    processes = [subprocess.Popen([*program, empty_url], stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 3


@pytest.mark.parametrize("statements", [1, 12, 40])
def test_an_upgrade_killed_between_two_statements_is_done_by_the_next_start(empty_url, statements):
    command = [sys.executable, "-c", HELD, empty_url, str(statements)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()
    with Database(empty_url) as database:
        assert schema.revision(database) == ""
        assert schema.upgrade(database).after == schema.head()


NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "0002_after_{name}"
down_revision = "0001_before_first"


def upgrade() -> None:
    op.add_column("blobs", sa.Column("colour", sa.Text()))
    op.execute("{then}")
"""


def with_next_step(folder: Path, *, name: str, then: str) -> tuple[str, ...]:
    """Our steps and a further one."""
    (folder / f"{name}.py").write_text(NEXT_STEP.format(name=name, then=then))
    return (*schema.STEPS, str(folder))


def columns_of(database: Database, table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(database.engine).get_columns(table)}


def test_an_existing_sqlite_file_is_copied_whole_before_a_step(empty_url, tmp_path):
    steps = with_next_step(tmp_path, name="colour", then="UPDATE blobs SET colour = 'red'")
    with Database(empty_url) as database:
        schema.upgrade(database)
        database.write(lambda unit: heartbeats.beat(unit, "a", role="worker"))
        done = schema.upgrade(database, steps=steps)
        assert (done.before, done.after) == (schema.head(), "0002_after_colour")
        assert "colour" in columns_of(database, "blobs")
        if database.dialect == "postgresql":
            assert done.backup is None
            return
        assert done.backup is not None
        with Database(f"sqlite:///{done.backup}") as copy:
            assert schema.revision(copy) == schema.head()
            assert [beat.name for beat in copy.read(heartbeats.listed)] == ["a"]
            assert "colour" not in columns_of(copy, "blobs")


def test_a_step_that_breaks_half_way_is_undone_and_the_message_names_it_and_the_copy(empty_url, tmp_path):
    steps = with_next_step(tmp_path, name="broken", then="UPDATE nothing SET colour = 1")
    with Database(empty_url) as database:
        schema.upgrade(database)
        with pytest.raises(schema.MigrationFailed) as failure:
            schema.upgrade(database, steps=steps)
        assert "0002_after_broken" in failure.value.message
        assert ("fresh.db.before-0002" in failure.value.message) == (database.dialect == "sqlite")
        assert "colour" not in columns_of(database, "blobs")
        assert not schema.upgrade(database).has_changed


def test_without_room_for_the_copy_nothing_is_changed(empty_url, tmp_path):
    steps = with_next_step(tmp_path, name="colour", then="UPDATE blobs SET colour = 'red'")
    with Database(empty_url) as database:
        schema.upgrade(database)
        if database.dialect == "postgresql":
            return
        Path(f"{database.engine.url.database}.before-0002_after_colour-from-{schema.head()}").mkdir()
        with pytest.raises((schema.MigrationFailed, OSError)):
            schema.upgrade(database, steps=steps)
        assert "colour" not in columns_of(database, "blobs")


def test_a_newer_database_is_refused_unless_its_last_step_allows_us_to_go_on(empty_url):
    with Database(empty_url) as database:
        schema.upgrade(database)
        with database.engine.connect() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999_after_gone'"))
            connection.commit()
        with pytest.raises(UserError, match="newer Navette"):
            schema.upgrade(database)
        with database.engine.connect() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999_before_more'"))
            connection.commit()
        assert schema.upgrade(database).after == "9999_before_more"


def test_a_step_that_fails_names_itself_and_keeps_nothing(empty_url):
    with Database(empty_url) as database:
        with database.engine.connect() as connection:
            connection.execute(sa.text("CREATE TABLE executions (id INTEGER)"))
            connection.commit()
        with pytest.raises(schema.MigrationFailed, match=schema.head()):
            schema.upgrade(database)
        assert sa.inspect(database.engine).get_table_names() == ["executions"]


def test_a_step_written_by_alembic_uses_our_frozen_column_types(empty_url, tmp_path):
    with Database(empty_url) as database:
        schema.upgrade(database)
        with database.engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE heartbeats"))
    config = Config(cmd_opts=Namespace(x=[f"url={empty_url}"]))
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join((*schema.STEPS, str(tmp_path))))
    command.revision(
        config, "heartbeats", autogenerate=True, rev_id="0002_before_heartbeats", version_path=str(tmp_path)
    )
    (written,) = tmp_path.glob("0002_before_heartbeats*.py")
    assert "sa.Column('at', INSTANT, nullable=False)" in written.read_text()
    with Database(empty_url) as database:
        schema.upgrade(database, steps=(*schema.STEPS, str(tmp_path)))
        database.write(lambda unit: heartbeats.beat(unit, "a", role="worker"))
