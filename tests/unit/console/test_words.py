"""Values in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.terminal import words
from console.terminal.effects import in_words
from console.terminal.session import _user
from storage.rows import Execution, State, Trigger

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
EXECUTION = Execution(
    **dict.fromkeys(Execution.__dataclass_fields__, 0)
    | {"trigger": Trigger.MANUAL, "state": State.SUCCEEDED, "started_at": NOON, "ended_at": NOON + timedelta(seconds=5)}
)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0.084, "0.08 s"),
        (4.25, "4.2 s"),
        (42, "42 s"),
        (190, "3 min 10 s"),
        (7500, "2 h 5 min"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_spans(seconds: float | timedelta | None, shown: str) -> None:
    assert words.span(seconds) == shown


def test_moments_name_their_zone() -> None:
    assert words.moment(NOON, "Europe/Paris") == "2026-07-01 14:00 CEST"
    assert words.exact(NOON, "UTC") == "2026-07-01 12:00:00 UTC"
    assert words.moment(None, "UTC") == words.exact(None, "UTC") == ""


def test_counters_add_up_and_nothing_read_is_said() -> None:
    assert words.counters(EXECUTION) == "read 0: nothing to do"
    assert words.counters(replace(EXECUTION, read=1200, created=1000, failed=200)) == (
        "read 1,200 = 1,000 created + 200 failed"
    )


def test_durations_are_known_once_an_execution_ended() -> None:
    assert words.duration(EXECUTION) == 5
    assert words.duration(replace(EXECUTION, ended_at=None)) is None


def test_sizes_counts_and_quantities() -> None:
    assert [words.size(count) for count in (12, 12_400, 3_400_000)] == ["12 bytes", "12 kB", "3.4 MB"]
    assert (words.counted(1, "order"), words.counted(2, "entry", "entries")) == ("1 order", "2 entries")
    assert [words.quantity(value) for value in (None, Decimal("2.500"), Decimal(10))] == ["", "2.5", "10"]


def test_effects_are_shown_without_the_ids_that_only_say_where() -> None:
    assert in_words(None) == "not known"
    assert in_words("plain") == "plain"
    assert in_words({"remote_id": "1", "quantity": "5", "note": ""}) == "quantity 5"
    assert in_words({"shipped_at": "2026-07-01T12:34:56.789Z"}) == "shipped at 2026-07-01 12:34 UTC"


def test_somebody_always_asks() -> None:
    assert _user()
