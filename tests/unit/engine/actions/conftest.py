"""A desk for each test, on a database of either kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.unit.engine.actions.desk import Desk, open_desk


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    """Nothing connected yet."""
    with open_desk(database, tmp_path) as desk:
        yield desk


@pytest.fixture
def connected(desk: Desk) -> Desk:
    """With the corner shop connected, in test mode."""
    desk.add()
    return desk
