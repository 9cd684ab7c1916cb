"""The steps from one release's tables to the next's, as Alembic takes them."""

from collections.abc import Sequence

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from storage.database import Unit


def head(steps: Sequence[str]) -> str:
    """The last step."""
    found = _scripts(steps).get_current_head()
    assert found is not None  # there is a first step
    return found


def revisions(steps: Sequence[str]) -> list[str]:
    """All of them, in order."""
    return sorted(script.revision for script in _scripts(steps).walk_revisions())


def take(unit: Unit, steps: Sequence[str]) -> None:
    """Take those that were not taken yet."""
    config = _config(steps)
    config.attributes["connection"] = unit.connection
    command.upgrade(config, "head")


def _scripts(steps: Sequence[str]) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(steps))


def _config(steps: Sequence[str]) -> Config:
    config = Config(attributes={})
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(steps))
    return config
