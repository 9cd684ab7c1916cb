"""Reads the Retry-After header in all the forms it is met in (RFC 9110 section 10.2.3, and worse)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)


def parse_retry_after(value: str | None, *, at: datetime) -> timedelta | None:
    """How long the other side wants to be left alone: at most an hour; None if it did not say anything sensible.

    ``at`` is the other side's own time, if it told it, else ours.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        pause = timedelta(seconds=int(text)) if len(text) < 9 else LONGEST
    else:
        moment = parse_http_date(text)
        pause = moment - at if moment is not None else timedelta(0)
    return min(pause, LONGEST) if pause > timedelta(0) else None


def parse_http_date(value: str | None) -> datetime | None:
    """A date of a header in UTC, or None if it is not one."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
