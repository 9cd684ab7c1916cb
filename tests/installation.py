"""A whole installation in this process: real database, real door, a simulated shop; work done when asked, by no worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.actions import integrations as integration_actions
from engine.actions.platform import open_platform
from engine.runtime import executions
from engine.runtime.platform import Platform
from engine.runtime.worker import run_execution
from engine.settings import Settings
from engine.simulation.server import Server
from storage.database import Unit
from storage.queries import effects, feeds, held, integrations, issues, outcomes, queue, records
from storage.queries import executions as execution_rows
from storage.queries.effects import EffectLine
from storage.queries.held import HeldLine
from storage.queries.issues import Issue
from storage.queries.outcomes import OutcomeRow
from storage.queries.records import RecordRow
from storage.rows import EffectState, Execution, Feed, Integration, Trigger

ADMINISTRATOR = "Ada"


@dataclass
class Installation:
    """One integration called ``shop`` on a simulated system."""

    platform: Platform
    server: Server
    name: str = "shop"

    @property
    def integration(self) -> Integration:
        """As it is now."""
        found = self.platform.database.read(lambda unit: integrations.find(unit, self.name))
        assert found is not None
        return found

    def feed(self, flow: str) -> Feed:
        """The feed of a flow, as it is now."""
        found = self.platform.database.read(lambda unit: feeds.find(unit, self.integration.id, flow=flow))
        assert found is not None
        return found

    def request(self, flow: str, **request: Any) -> int:
        """Ask for an execution, as a person does."""
        asked = executions.request(
            self.platform, self.feed(flow).id, trigger=Trigger.MANUAL, person=ADMINISTRATOR, **request
        )
        return asked.execution_id

    def run(self, flow: str, **request: Any) -> Execution:
        """Run a flow as a worker does; returns the execution as it ended."""
        execution_id = self.request(flow, **request)
        run_execution(self.platform, execution_id)
        return self.execution(execution_id)

    def execution(self, execution_id: int) -> Execution:
        """An execution, as it is now."""
        found = self.platform.database.read(lambda unit: execution_rows.get(unit, execution_id))
        assert found is not None
        return found

    def outcomes(self, execution: Execution) -> list[OutcomeRow]:
        """What became of its records."""
        return self.platform.database.read(lambda unit: outcomes.of_execution(unit, execution.id, count=10_000))

    def records(self, kind: str) -> dict[str, RecordRow]:
        """Stored records by remote id."""
        rows = self.platform.database.read(lambda unit: records.listed(unit, kind=kind, count=10_000))
        return {row.record.remote_id: row for row in rows}

    def issues(self, state: str | None = "open") -> list[Issue]:
        """Issues, oldest first."""
        return self.platform.database.read(lambda unit: issues.listed(unit, state=state))[::-1]

    def held(self) -> list[HeldLine]:
        """Records held back."""

        def read(unit: Unit) -> list[HeldLine]:
            return held.listed(unit, count=10_000)

        return self.platform.database.read(read)

    def run_queued(self) -> None:
        """Do what waits and may run now, as a worker would, until nothing is left."""
        done: set[int] = set()
        while waiting := self._waiting() - done:
            for execution_id in sorted(waiting):
                run_execution(self.platform, execution_id)
            done |= waiting

    def _waiting(self) -> set[int]:
        return set(self.platform.database.read(lambda unit: queue.to_ring(unit, rung_longer_ago=timedelta(0))))

    def withheld(self) -> list[EffectLine]:
        """Changes that would have been sent."""
        return self.platform.database.read(
            lambda unit: effects.listed(unit, integration_id=self.integration.id, states=[EffectState.WITHHELD])
        )

    @property
    def sent(self) -> list[Any]:
        """What the simulated system applied."""
        return list(self.server.ledger.writes)


def settings_for(folder: Path, database_url: str) -> Settings:
    """Settings of an installation in a folder, on a database. Shops here are near, so they are not waited for long."""
    return Settings(
        data_folder=folder,
        database_url=database_url,
        allow_private_addresses=True,
        read_timeout_seconds=1,
        total_timeout_seconds=3,
        body_cap_megabytes=16,
    )


@contextmanager
def installed(
    folder: Path,
    database_url: str,
    server: Server,
    *,
    connector: str = "prestashop",
    settings: Settings | None = None,
    **values: Any,
) -> Iterator[Installation]:
    """An installation with the simulated system connected, in test mode."""
    with open_platform(settings or settings_for(folder, database_url)) as platform:
        known = server.app.describe()["settings"]
        integration_actions.add(
            platform, connector, name="shop", values={**known, "url": server.url, **values}, person=ADMINISTRATOR
        )
        yield Installation(platform, server)
