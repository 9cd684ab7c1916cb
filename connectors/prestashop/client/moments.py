"""The shop's clock: local time, no offset, whole seconds, ``0000-00-00 00:00:00`` for none."""

from datetime import UTC, datetime, tzinfo

from domain.errors import UnexpectedFormat


def parse_local(text: str) -> datetime:
    """A local time without zone. Raises ``UnexpectedFormat``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnexpectedFormat(f"The shop gives a date that is none: {text[:40]!r}.") from None
    return moment.replace(tzinfo=None)


def format_local(moment: datetime) -> str:
    """As the shop's filters take it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def from_local(moment: datetime, zone: tzinfo) -> datetime:
    """The instant in UTC; in the hour that comes twice, the first."""
    return moment.replace(tzinfo=zone, fold=0).astimezone(UTC)


def earliest_local(instant: datetime, zone: tzinfo) -> str:
    """The local time from which to read so that nothing dated since ``instant`` is left out.

    In the first pass of the hour that comes twice, what follows is dated up to an hour earlier.
    """
    local = instant.astimezone(zone)
    naive = local.replace(tzinfo=None)
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    if local.fold == 0 and first is not None and second is not None and first > second:
        naive -= first - second
    return format_local(naive)
