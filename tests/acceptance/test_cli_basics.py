"""The command line itself: help, versions, errors, lists that programs read."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from console.terminal.app import NOUNS
from console.version import VERSION
from tests.acceptance.terminal import PROGRAM, Terminal

LISTS = (
    ("integrations", "list"),
    ("integrations", "connectors"),
    ("feeds", "list"),
    ("executions", "list"),
    ("issues", "list"),
    ("records", "list", "product"),
    ("records", "held"),
    ("effects", "list"),
    ("stock", "differences"),
    ("orders", "list"),
    ("settings", "list"),
)


def test_the_version_is_the_packages_own() -> None:
    package = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    told = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout == f"navette {VERSION}\n"
    assert package["project"]["version"] == VERSION


def test_telling_the_version_loads_nothing_it_does_not_need() -> None:
    script = "import sys; sys.argv = ['navette', '--version']; import cli; cli.main(); print(sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for module in ("typer", "rich", "sqlalchemy", "pydantic", "structlog"):
        assert f"'{module}'" not in told.stdout


def test_help_lists_every_noun_without_loading_them(terminal: Terminal) -> None:
    script = (
        "import sys; sys.argv = ['navette', '--help']; from cli import main\n"
        "try: main()\nexcept SystemExit: print(*sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(noun in told.stdout for noun in NOUNS)
    assert "sqlalchemy" not in told.stdout
    assert f"navette {VERSION}" in terminal.ok("--version")


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_explains_itself(terminal: Terminal, noun: str) -> None:
    assert "Usage:" in terminal.ok(noun, "--help")


def test_wrong_usage_is_status_two(terminal: Terminal) -> None:
    assert "No such command" in terminal.fails("nonsense", status=2)
    assert "No such option" in terminal.fails("feeds", "list", "--nonsense", status=2)


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_an_empty_list_says_what_to_do_and_is_valid_json(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal.ok(*words).strip()
    assert isinstance(terminal.list(*words), list)


def test_a_refusal_is_a_sentence_on_standard_error(terminal: Terminal) -> None:
    said = terminal("integrations", "test", "nowhere")
    assert said.status == 1
    assert said.out == ""
    assert said.err == ("No integration exists yet. Add one with: navette integrations add <connector> --name <name>\n")


def test_a_misspelt_setting_is_told_by_every_command(terminal: Terminal) -> None:
    terminal.variables["NAVETTE_DATABSE_URL"] = "sqlite://"
    assert "did you mean NAVETTE_DATABASE_URL?" in terminal.fails("feeds", "list")


def test_a_database_that_cannot_be_reached_is_told_in_words(terminal: Terminal) -> None:
    terminal.variables["NAVETTE_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    assert "cannot be reached" in terminal.fails("feeds", "list")


def test_a_folder_that_cannot_be_made_is_told_in_words(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    assert "The computer refused" in terminal.fails("feeds", "list")


def test_what_nobody_expected_is_told_in_words_and_shown_in_full_when_asked_for(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.ok("feeds", "list")
    (tmp_path / "data" / "navette.db").write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    assert "Navette" in terminal.fails("feeds", "list")
    assert '"event": "command_broke"' in (tmp_path / "data" / "navette.log").read_text()
    said = terminal("--debug", "feeds", "list")
    assert said.status == 1
    assert "not a database" in said.err


def test_settings_are_listed_with_where_they_come_from(terminal: Terminal) -> None:
    terminal.variables["NAVETTE_WORKER_THREADS"] = "3"
    rows = {row["name"]: row for row in terminal.list("settings", "list")}
    assert (rows["worker_threads"]["value"], rows["worker_threads"]["origin"]) == ("3", "environment")
    assert rows["tick_seconds"]["origin"] == "default"
    assert "worker_threads" in terminal.ok("settings")


def test_the_database_is_upgraded_shown_copied_and_purged(terminal: Terminal, tmp_path: Path) -> None:
    assert "is at step" in terminal.ok("db", "upgrade")
    assert "up to date" in terminal.ok("db", "upgrade")
    assert "SQLite" in terminal.ok("db", "status")
    copy = tmp_path / "copy.db"
    assert "secret.key" in terminal.ok("db", "backup", copy)
    assert copy.stat().st_size > 0
    assert "exists already" in terminal.fails("db", "backup", copy)
    assert "Deleted 0 outcomes" in terminal.ok("db", "purge")


def test_a_copy_does_nothing_outside_until_it_is_confirmed(terminal: Terminal, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    terminal.ok("db", "backup", copy / "navette.db")
    elsewhere = Terminal(copy)
    assert "is the real database" in terminal.ok("go-live", "installation")
    assert "was copied" in elsewhere.ok("go-live", "installation")
    assert "confirmed as the real one" in elsewhere.ok("go-live", "confirm-installation")
    assert "confirmed by ada" in elsewhere.ok("go-live", "installation")
    assert "confirmed already" in elsewhere.fails("go-live", "confirm-installation")
