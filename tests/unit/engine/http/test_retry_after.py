"""The Retry-After header, in all the forms it is met in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.http.retry_after import LONGEST, parse_http_date, parse_retry_after

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("1", timedelta(seconds=1)),
        (" 120 ", timedelta(minutes=2)),
        ("3600", timedelta(hours=1)),
        ("3601", timedelta(hours=1)),
        ("864000", timedelta(hours=1)),
        ("9" * 4999, timedelta(hours=1)),
        ("Mon, 02 Mar 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Monday, 02-Mar-26 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 02 Mar 2026 13:00:30 +0100", timedelta(seconds=30)),
        ("Mon, 02 Mar 2026 12:00:30", timedelta(seconds=30)),
        ("Thu, 12 Mar 2026 12:00:00 GMT", timedelta(hours=1)),
        ("Sun, 01 Mar 2026 12:00:00 GMT", None),
        ("Mon, 02 Mar 2026 12:00:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
        ("Mon, 02 Mar 99999 12:00:00 GMT", None),
    ],
)
def test_a_pause_is_read_or_left_to_the_back_off(value, pause):
    assert parse_retry_after(value, at=NOW) == pause


@given(st.text() | st.integers().map(str))
def test_no_header_breaks_it_or_makes_it_longer_than_an_hour(value):
    pause = parse_retry_after(value, at=NOW)
    assert pause is None or timedelta(0) < pause <= LONGEST


def test_a_date_is_read_in_utc():
    assert parse_http_date("Mon, 02 Mar 2026 13:00:00 +0100") == NOW
    assert parse_http_date(None) is None
