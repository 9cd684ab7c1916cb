"""The documents list what exists: every setting, command, error, flow and connector."""

import re
from pathlib import Path

import pytest

from console.terminal.app import NOUNS
from engine.registry import Registry
from tests.documents import DOCS, command_paths, written


@pytest.mark.parametrize("path", list(written()), ids=lambda path: path.name)
def test_a_document_lists_exactly_what_exists(path: Path) -> None:
    """Mend it with: python -m tests.documents."""
    assert path.read_text() == written()[path]


def test_every_connector_has_a_page_of_facts_and_is_named_in_the_documents() -> None:
    folder = DOCS.parent / "connectors"
    for name in Registry.find().connector_names:
        assert (folder / name / "README.md").read_text().startswith("# ")
        assert f"connectors/{name}" in (DOCS / "connectors.md").read_text()


def test_every_link_between_documents_leads_somewhere() -> None:
    for page in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        for link in page.read_text().split("](")[1:]:
            target = link.partition(")")[0].partition("#")[0]
            if target and not target.startswith("http"):
                assert (page.parent / target).exists(), (page.name, target)


def test_every_command_named_in_the_documents_exists() -> None:
    known = {tuple(word for word in path.split() if word.islower()) for path in command_paths()}
    for page in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        for typed in re.findall(r"navette ([a-z-]+(?: [a-z-]+)?)", page.read_text()):
            words = tuple(typed.split())
            is_group = words[0] in NOUNS and page.name == "commands.md"
            assert is_group or ("navette", *words) in known or ("navette", words[0]) in known, (page.name, typed)


def test_every_decision_is_listed() -> None:
    listed = (DOCS / "decisions" / "README.md").read_text()
    assert all(page.name in listed for page in (DOCS / "decisions").glob("0*.md"))
