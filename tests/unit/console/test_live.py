"""The table that renews itself."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from console.terminal import live
from engine.actions import feeds, integrations, simulation
from engine.actions.platform import open_platform
from engine.registry import Registry
from engine.runtime.platform import Platform
from engine.runtime.worker import run_execution
from engine.settings import Settings
from engine.simulation.server import serve
from storage.queries import executions


def draw(platform: Platform, height: int = 40) -> str:
    """What a terminal would show."""
    view = platform.database.read(lambda unit: live.look(platform, unit))
    shown = Console(file=StringIO(), width=160, height=height)
    shown.print(live.draw(view, headline="Navette [bold]", height=height))
    assert isinstance(shown.file, StringIO)
    return shown.file.getvalue()


def test_without_a_shop_it_says_how_to_connect_one(tmp_path: Path) -> None:
    with open_platform(Settings(data_folder=tmp_path)) as platform:
        shown = draw(platform)
    assert "Navette [bold]" in shown
    assert "No shop is connected yet" in shown
    assert "0 open errors" in shown


@pytest.mark.parametrize("height", [20, 60])
def test_it_shows_what_runs_what_ended_and_what_is_wrong_in_the_lines_there_are(tmp_path: Path, height: int) -> None:
    settings = Settings(data_folder=tmp_path, allow_private_addresses=True)
    connector, story = simulation.build_demonstration(Registry.find(), products=12, seed=1)
    with open_platform(settings) as platform, serve(story.app):
        integrations.add(platform, connector.name, name="shop", values=simulation.connect_with(story.app), person="ada")
        for flow in ("import_new_products", "import_new_orders"):
            run_execution(platform, feeds.run_now(platform, f"shop/{flow}", person="ada").execution_id)
        running = feeds.run_now(platform, "shop/retry", person="ada").execution_id
        platform.database.write(lambda unit: executions.claim(unit, running, worker="w", lease_seconds=60))
        shown = draw(platform, height)
    assert "2 open errors" in shown
    assert "Unknown shipping method" in shown
    assert "since 0." in shown
    assert "running" in shown
    assert "next run" in shown
    assert len(shown.splitlines()) <= height
