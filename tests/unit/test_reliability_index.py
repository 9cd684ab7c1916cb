"""The page of faults and outcomes names tests that exist, and leaves no case out."""

import ast
import re

from engine.settings import Settings
from tests.documents import DOCS

PAGE = DOCS / "reliability.md"
CASES = {*range(1, 4), *range(5, 13), *range(15, 19), *range(21, 40), 48}
"""The cases this page answers for; others may be on it too."""
_ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def rows() -> dict[int, tuple[str, list[tuple[str, str]]]]:
    """The outcome of each case, and the tests that show it."""
    return {int(case): (outcome, _TEST.findall(tests)) for case, outcome, tests in _ROW.findall(PAGE.read_text())}


def written() -> set[tuple[str, str]]:
    """Every test there is, by the name of its file."""
    found = set()
    for path in (DOCS.parent / "tests").rglob("test_*.py"):
        names = (node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
        found |= {(path.name, name) for name in names if name.startswith("test_")}
    return found


def test_every_case_is_there_with_its_outcome_and_tests() -> None:
    found = rows()
    assert found.keys() - CASES <= set(range(1, 51))
    assert CASES - found.keys() == set()
    assert [case for case, (outcome, tests) in found.items() if len(outcome) < 20 or not tests] == []


def test_every_test_named_exists() -> None:
    known = written()
    named = {test for _, tests in rows().values() for test in tests}
    assert len(named) == len(set(re.findall(r"`([^`]+::[^`]+)`", PAGE.read_text()))), (
        "a name is not written as it should be"
    )
    assert named - known == set()


def test_the_defaults_keep_the_times_that_are_promised() -> None:
    """A dead worker's execution is claimed again within 45 seconds, a ring that was lost comes within ten."""
    settings = Settings()
    assert settings.lease_seconds + settings.sweep_seconds <= 45
    assert settings.sweep_seconds <= 10
    times = settings.connect_timeout_seconds, settings.read_timeout_seconds, settings.total_timeout_seconds
    assert times == (5, 30, 120)
    assert settings.body_cap_megabytes == 64
