"""Every flow of every integration at a glance: what it is, when it runs next, how it went last."""

from dataclasses import dataclass
from datetime import datetime

from domain.schedule import describe
from engine.actions.feeds import is_locking, read_schedule
from engine.actions.names import NamedFeed, feed_named, integration_named
from engine.flow import Direction, Flow
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import executions, feeds, integrations
from storage.rows import Execution, Mode, State


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One feed. ``status`` is one word, ``why`` its reason; ``running`` is unfinished, ``last`` the newest that ended."""

    named: NamedFeed
    flow: Flow
    schedule: str
    next_at: datetime | None
    status: str
    why: str
    running: Execution | None
    last: Execution | None

    @property
    def name(self) -> str:
        """``integration/flow``."""
        return self.named.name

    @property
    def time_zone(self) -> str:
        """The zone its times are shown in."""
        return self.named.integration.time_zone


def listed(platform: Platform, unit: Unit, *, of: str = "") -> list[FeedLine]:
    """Feeds in the order of their integrations; ``of`` is an integration or ``integration/flow``."""
    if "/" in of:
        return [_line(platform, unit, feed_named(unit, of))]
    wanted = [integration_named(unit, of)] if of else integrations.listed(unit)
    return [
        _line(platform, unit, NamedFeed(integration, feed))
        for integration in wanted
        for feed in feeds.listed(unit, integration_id=integration.id)
    ]


def _line(platform: Platform, unit: Unit, named: NamedFeed) -> FeedLine:
    flow = platform.registry.flow(named.feed.flow)
    schedule = read_schedule(named.feed.schedule)
    unfinished = executions.unfinished(unit, named.feed.id)
    running = next((row for row in unfinished if row.state is State.RUNNING), unfinished[0] if unfinished else None)
    status, why = _status(platform, named, flow)
    is_standing = named.feed.paused_at is not None or named.integration.paused_at is not None
    return FeedLine(
        named=named,
        flow=flow,
        schedule=describe(schedule) if schedule is not None else "by hand",
        next_at=None if is_standing else named.feed.due_at,
        status=status,
        why=why,
        running=running,
        last=executions.last_ended(unit, named.feed.id),
    )


def _status(platform: Platform, named: NamedFeed, flow: Flow) -> tuple[str, str]:
    if not named.feed.is_enabled:
        return ("locked", "It has done its work once.") if is_locking(platform.registry, named) else ("off", "")
    if named.feed.paused_at is not None:
        return "paused", named.feed.pause_reason
    if named.integration.paused_at is not None:
        return "paused", named.integration.attention
    if flow.direction is Direction.OUTBOUND:
        if named.integration.mode is Mode.TEST:
            return "withheld", "Test mode: changes are kept, not sent."
        if not named.feed.is_live:
            return "withheld", "This flow is not live yet."
    return "on", ""
