"""A hub with one integration on a corner shop: runs flows in this process, on the real importer and the real storage."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from domain.rulebook import Rulebook
from engine.connector import Door
from engine.flow import Import, Retry
from engine.registry import Registry
from engine.runtime.inbound import importer, retry
from engine.runtime.run import Lease, Run, Tally
from storage.database import Database
from storage.queries import executions, feeds, integrations, issues, outcomes
from storage.queries.issues import Issue
from storage.queries.outcomes import OutcomeRow
from storage.rows import Execution, Feed, State, Trigger
from tests.corner_shop import CornerShop


@dataclass
class Hub:
    """``run`` claims, runs and finishes an execution as a worker would, and lets errors through."""

    database: Database
    shop: CornerShop = field(default_factory=CornerShop)
    rulebook: Rulebook = field(default_factory=Rulebook)
    name: str = "corner"

    def __post_init__(self) -> None:
        """Connect the shop."""
        self.registry = Registry.of(connectors=[self.shop.connector()])
        flows = self.registry.flows_of(self.registry.connector("corner_shop"))
        self.rulebook = msgspec.structs.replace(self.rulebook, integration=self.name)

        def connect(unit: Any) -> int:
            integration_id = integrations.insert(
                unit,
                name=self.name,
                connector="corner_shop",
                time_zone="Europe/Paris",
                settings={},
                rulebook=msgspec.to_builtins(self.rulebook),
            )
            feeds.insert(unit, integration_id, flows={flow.name: True for flow in flows})
            return integration_id

        self.integration_id = self.database.write(connect)

    def feed(self, flow: str) -> Feed:
        """The feed of a flow."""
        found = self.database.read(lambda unit: feeds.find(unit, self.integration_id, flow=flow))
        assert found is not None
        return found

    def claim(self, flow: str, **request: Any) -> Run:
        """Request and claim an execution."""
        feed = self.feed(flow)

        def take(unit: Any) -> Execution | None:
            execution_id = executions.insert(unit, feed_id=feed.id, trigger=Trigger.MANUAL, **request)
            assert execution_id is not None
            return executions.claim(unit, execution_id, worker="test", lease_seconds=3600)

        execution = self.database.write(take)
        assert execution is not None
        return self.attempt(execution, feed)

    def attempt(self, execution: Execution, feed: Feed) -> Run:
        """What a worker works with."""
        integration = self.database.read(lambda unit: integrations.get(unit, self.integration_id))
        assert integration is not None
        return Run(
            database=self.database,
            execution=execution,
            feed=feed,
            integration=integration,
            flow=self.registry.flow(feed.flow),
            connector=self.registry.connector("corner_shop"),
            registry=self.registry,
            settings=None,
            rulebook=self.rulebook,
            door=cast("Door", None),
            lease=Lease(seconds=3600),
            ring=lambda _id: None,
            tally=Tally(),
        )

    def run(self, flow: str, **request: Any) -> Tally:
        """Run a flow to its end; returns its counters, which the database agrees with."""
        run = self.claim(flow, **request)
        try:
            self.work(run)
        finally:
            self.finish(run)
        row = self.database.read(lambda unit: executions.get(unit, run.execution.id))
        assert row is not None
        saved = Tally(
            *(getattr(row, name) for name in ("created", "updated", "unchanged", "skipped")), row.waiting, row.failed
        )
        assert saved == run.tally
        assert row.read == run.tally.read
        return run.tally

    def work(self, run: Run) -> None:
        """The part between claim and finish."""
        match run.flow.work:
            case Import():
                importer.run(run)
            case Retry():
                retry.run(run)
            case _:
                raise AssertionError(run.flow.name)

    def finish(self, run: Run) -> None:
        """End the execution."""
        self.database.write(
            lambda unit: executions.finish(
                unit, run.execution.id, attempt=run.execution.attempt, state=State.SUCCEEDED, columns=run.tally.columns
            )
        )

    def issues(self, state: str | None = "open") -> list[Issue]:
        """Issues, oldest first."""
        return self.database.read(lambda unit: issues.listed(unit, state=state))[::-1]

    def outcomes(self, execution_id: int) -> list[OutcomeRow]:
        """What became of the records of an execution."""
        return self.database.read(lambda unit: outcomes.of_execution(unit, execution_id, count=1000))
