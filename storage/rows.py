"""Rows as the engine sees them: frozen snapshots, read whole."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """Whether changes may leave for the outside."""

    TEST = "test"
    PRODUCTION = "production"


class State(StrEnum):
    """The life of an execution."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SUCCEEDED_WITH_ISSUES = "succeeded_with_issues"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    MISSED = "missed"


class Trigger(StrEnum):
    """Why an execution runs."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    WEBHOOK = "webhook"
    RETRY = "retry"
    CATCH_UP = "catch_up"
    BEHIND = "behind"


class EffectState(StrEnum):
    """The life of an intended change outside."""

    PENDING = "pending"
    WITHHELD = "withheld"
    SENDING = "sending"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Integration:
    """One configured account. ``settings`` holds no secret; ``paused_at`` stops every feed of it."""

    id: int
    name: str
    connector: str
    title: str
    mode: Mode
    paused_at: datetime | None
    attention: str
    time_zone: str
    settings: dict[str, Any]
    rulebook: dict[str, Any]
    probe: dict[str, Any] | None
    settings_version: int


@dataclass(frozen=True, slots=True)
class Feed:
    """A flow on an integration. ``is_live``: an outbound feed that may write once its integration is in production."""

    id: int
    integration_id: int
    flow: str
    is_enabled: bool
    is_live: bool
    paused_at: datetime | None
    pause_reason: str
    schedule: dict[str, Any] | None
    due_at: datetime | None
    mark: str | None
    succeeded_at: datetime | None
    average_seconds: float | None


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a feed. ``scope`` narrows it: ``{"ids": [...]}``, ``{"find": text}`` or ``{"since": …, "until": …}``.

    ``attempt`` counts claims; ``tries`` those since the last progress that ended with a passing fault.
    """

    id: int
    feed_id: int
    trigger: Trigger
    person: str
    state: State
    reason: str
    due_at: datetime | None
    occurrences: int
    requested_at: datetime
    available_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempt: int
    lost_leases: int
    worker: str
    lease_until: datetime | None
    is_cancelling: bool
    accepts_volume: bool
    settings_version: int | None
    scope: dict[str, Any] | None
    position: Any
    expected: int | None
    read: int
    created: int
    updated: int
    unchanged: int
    skipped: int
    waiting: int
    failed: int
    withheld: int
    calls: int
    bytes: int
    phases: dict[str, float] | None
    error_code: str
    tries: int = 0
