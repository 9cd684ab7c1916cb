"""Keys of secrets at rest: a wrong one refuses to start, and they rotate without anybody noticing."""

import base64
from pathlib import Path

import pytest

from connectors.prestashop.simulator import SAMPLE_KEY, PrestashopSimulator, build_sample_shop
from domain.errors import UserError
from engine.actions import keys
from engine.actions.platform import open_platform
from engine.runtime import opening
from engine.settings import Settings
from engine.simulation.server import serve
from storage.queries import integrations
from tests.installation import installed, settings_for

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def with_keys(folder: Path, *written: str) -> Settings:
    settings = settings_for(folder, "")
    return Settings(**{**settings.model_dump(), "secret_keys": ",".join(written)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation with one integration whose key is under OLD."""
    with (
        serve(PrestashopSimulator(build_sample_shop())) as server,
        installed(tmp_path, "", server, settings=with_keys(tmp_path, OLD)),
    ):
        return tmp_path


def test_a_wrong_key_refuses_to_start_and_shows_nothing(folder: Path) -> None:
    with pytest.raises(UserError, match="stored under another key") as raised, open_platform(with_keys(folder, NEW)):
        pass
    assert NEW not in str(raised.value)


def test_keys_rotate_and_the_old_one_may_go(folder: Path) -> None:
    with open_platform(with_keys(folder, NEW, OLD)) as platform:
        assert keys.rotate(platform.database, platform.keys, person="Ada") == 1
        assert keys.rotate(platform.database, platform.keys, person="Ada") == 0
    with open_platform(with_keys(folder, NEW)) as platform:
        integration = platform.database.read(lambda unit: integrations.find(unit, "shop"))
        assert integration is not None
        settings = opening.read_settings(platform, integration, platform.registry.connector("prestashop"))
        assert settings.key.get_secret_value() == SAMPLE_KEY


def test_the_database_file_holds_no_secret(folder: Path) -> None:
    assert all(SAMPLE_KEY.encode() not in file.read_bytes() for file in folder.iterdir() if file.is_file())
