"""Values in words: times in a named zone, spans, counters, states."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.runtime.run import OUTCOMES
from storage.rows import Execution, State

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text from elsewhere without what would steer the terminal."""
    return _UNPRINTABLE.sub("�", text)


def moment(at: datetime | None, zone: str) -> str:
    """``2026-03-02 13:00 CET``: on the clock of the zone, which is named; empty when there is none."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}" if at is not None else ""


def exact(at: datetime | None, zone: str) -> str:
    """The same with seconds."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}" if at is not None else ""


def span(seconds: float | timedelta | None) -> str:
    """``0.08 s``, ``4.2 s``, ``42 s``, ``3 min 10 s``, ``2 h 5 min``, ``3 days``; empty when unknown."""
    if seconds is None:
        return ""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if total < 1:
        return f"{total:.2f} s"
    if total < 10:
        return f"{total:.1f} s"
    whole = round(total)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days"


def duration(execution: Execution) -> float | None:
    """How long an execution took, from its first start to its end, in seconds."""
    if execution.started_at is None or execution.ended_at is None:
        return None
    return (execution.ended_at - execution.started_at).total_seconds()


def counters(execution: Execution) -> str:
    """``read 120 = 100 created + 20 unchanged``: always adds up; nothing read is said."""
    parts = [f"{count:,} {name}" for name in OUTCOMES if (count := getattr(execution, name))]
    return f"read {execution.read:,} = {' + '.join(parts)}" if parts else "read 0: nothing to do"


def counted(count: int, one: str, many: str = "") -> str:
    """``1 record``, ``2 records``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """``12 kB``, ``3.4 MB``."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def quantity(value: Decimal | None) -> str:
    """Without needless zeros; empty when unknown."""
    if value is None:
        return ""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


STATE_STYLES: Mapping[State, str] = {
    State.QUEUED: "dim",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.SUCCEEDED_WITH_ISSUES: "yellow",
    State.FAILED: "red",
    State.CANCELLED: "magenta",
    State.SKIPPED: "dim",
    State.MISSED: "yellow",
}


def state(value: State) -> str:
    """``succeeded with issues``."""
    return value.replace("_", " ")
