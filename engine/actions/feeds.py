"""Flows of integrations: run now, pause, schedule, unlock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from domain.errors import UserError
from domain.schedule import Schedule, Upcoming, describe, next_after, upcoming, validate
from engine.actions.names import NamedFeed, feed_named
from engine.flow import Flow, Import, Retry
from engine.registry import Registry
from engine.runtime import executions
from engine.runtime.executions import Requested
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, feeds
from storage.rows import Trigger

PREVIEWED = 10


def run_now(
    platform: Platform,
    name: str,
    *,
    person: str,
    find: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    accepts_volume: bool = False,
) -> Requested:
    """Start a feed at once: whole, one record (``find``: an order number, a SKU), or a past window. The plan stays as it is.

    Harmless when asked twice or while the feed runs: the answer says whether it is new, joined one, or waits behind one.
    """

    def work(unit: Unit) -> Requested:
        named = feed_named(unit, name)
        scope = _scope(platform.registry.flow(named.feed.flow), find=find, since=since, until=until, now=unit.now)
        requested = executions.place(
            unit, named.feed.id, trigger=Trigger.MANUAL, person=person, scope=scope, accepts_volume=accepts_volume
        )
        detail: dict[str, Any] = {"execution": requested.execution_id, "joined": requested.joined}
        if scope:
            detail["scope"] = scope
        if accepts_volume:
            detail["accepts_volume"] = True
        audit.record(unit, person=person, action="run_feed", subject=named.name, detail=detail)
        return requested

    requested = platform.database.write(work)
    platform.dispatcher.ring([requested.execution_id])
    return requested


def _scope(
    flow: Flow, *, find: str, since: datetime | None, until: datetime | None, now: datetime
) -> Mapping[str, str] | None:
    is_window = since is not None or until is not None
    if find and is_window:
        raise UserError("Ask for one record or for a past window, not for both at once.")
    if find:
        if isinstance(flow.work, Retry):
            raise UserError("One record is looked up by the flow that first saw it, not by retry; run that flow.")
        return {"find": find.strip()}
    if not is_window:
        return None
    if not isinstance(flow.work, Import) or flow.work.is_full:
        raise UserError(f"{flow.title} always looks at everything, so it cannot be run for a past window.")
    if since is None:
        raise UserError("A past window needs its start: --since 2026-03-01, and if you like --until.")
    if since >= now or (until is not None and until <= since):
        raise UserError("A past window begins in the past and ends after it begins.")
    return {"since": since.isoformat()} | ({"until": until.isoformat()} if until is not None else {})


def pause(platform: Platform, name: str, *, person: str, reason: str = "") -> NamedFeed:
    """Stop a feed until a person resumes it. An execution that runs goes on to its end."""

    def work(unit: Unit) -> NamedFeed:
        named = feed_named(unit, name)
        words = f"Paused by {person}: {reason}" if reason else f"Paused by {person}."
        if not feeds.pause(unit, named.feed.id, reason=words):
            raise UserError(f"{named.name} is paused already. {named.feed.pause_reason}".rstrip())
        audit.record(unit, person=person, action="pause_feed", subject=named.name, detail={"reason": reason})
        return named

    return platform.database.write(work)


def resume(platform: Platform, name: str, *, person: str) -> NamedFeed:
    """Let a paused feed go on."""

    def work(unit: Unit) -> NamedFeed:
        named = feed_named(unit, name)
        if not feeds.resume(unit, named.feed.id):
            raise UserError(f"{named.name} is not paused.")
        audit.record(unit, person=person, action="resume_feed", subject=named.name)
        return named

    return platform.database.write(work)


def preview(platform: Platform, name: str, schedule: Schedule) -> list[Upcoming]:
    """The next ten moments a schedule would give a feed, on the integration's clock, clock changes marked."""
    named = platform.database.read(lambda unit: feed_named(unit, name))
    zone = validate(schedule, named.integration.time_zone)
    return upcoming(schedule, zone, platform.database.now(), PREVIEWED, seed=named.feed.id)


def set_schedule(platform: Platform, name: str, schedule: Schedule | None, *, person: str) -> datetime | None:
    """Give a feed another schedule, or none; returns its next moment."""

    def work(unit: Unit) -> datetime | None:
        named = feed_named(unit, name)
        if schedule is not None:
            validate(schedule, named.integration.time_zone)
        due_at = plan(unit, named, schedule)
        audit.record(
            unit,
            person=person,
            action="set_schedule",
            subject=named.name,
            detail={"from": _words(named.feed.schedule), "to": describe(schedule) if schedule else "by hand only"},
        )
        return due_at

    return platform.database.write(work)


def plan(unit: Unit, named: NamedFeed, schedule: Schedule | None) -> datetime | None:
    """Save a feed's schedule and its next moment, which a feed that is switched off does not have."""
    due_at = next_moment(schedule, named, unit.now) if schedule is not None and named.feed.is_enabled else None
    body = msgspec.to_builtins(schedule) if schedule is not None else None
    feeds.change(unit, named.feed.id, schedule=body, due_at=due_at)
    return due_at


def next_moment(schedule: Schedule, named: NamedFeed, now: datetime) -> datetime:
    """When a feed of this schedule runs next."""
    return next_after(schedule, ZoneInfo(named.integration.time_zone), now, seed=named.feed.id)


def read_schedule(body: Mapping[str, Any] | None) -> Schedule | None:
    """The schedule as stored."""
    return msgspec.convert(body, Schedule) if body is not None else None


def _words(body: Mapping[str, Any] | None) -> str:
    schedule = read_schedule(body)
    return describe(schedule) if schedule is not None else "by hand only"


def switch(platform: Platform, name: str, *, is_on: bool, person: str) -> NamedFeed:
    """Switch a feed on or off. One that locks itself is switched on by ``unlock``."""

    def work(unit: Unit) -> NamedFeed:
        named = feed_named(unit, name)
        if named.feed.is_enabled == is_on:
            raise UserError(f"{named.name} is {'on' if is_on else 'off'} already.")
        if is_on and is_locking(platform.registry, named):
            raise UserError(f"{named.name} is locked. Unlock it with: navette feeds unlock {named.name}")
        _switch(unit, named, is_on=is_on)
        audit.record(unit, person=person, action="switch_feed", subject=named.name, detail={"on": is_on})
        return named

    return platform.database.write(work)


def unlock(platform: Platform, name: str, *, person: str, confirmed: str) -> NamedFeed:
    """Let a flow that is meant to run once run again. Asked twice: ``confirmed`` is the feed's name, written once more."""

    def work(unit: Unit) -> NamedFeed:
        named = feed_named(unit, name)
        if not is_locking(platform.registry, named) or named.feed.is_enabled:
            raise UserError(f"{named.name} is not locked.")
        if confirmed != named.name:
            raise UserError(
                f"{named.name} overwrites what the hub holds with what the shop shows. If you are sure, write its name "
                f"once more: {named.name}"
            )
        _switch(unit, named, is_on=True)
        audit.record(unit, person=person, action="unlock_feed", subject=named.name)
        return named

    return platform.database.write(work)


def is_locking(registry: Registry, named: NamedFeed) -> bool:
    """Whether the flow of a feed locks itself after its first success."""
    work = registry.flow(named.feed.flow).work
    return isinstance(work, Import) and work.locks


def _switch(unit: Unit, named: NamedFeed, *, is_on: bool) -> None:
    schedule = read_schedule(named.feed.schedule)
    due_at = next_moment(schedule, named, unit.now) if is_on and schedule is not None else None
    feeds.change(unit, named.feed.id, is_enabled=is_on, due_at=due_at)
