"""Where the next reading of changes starts from, and what has to be known of the shop to ask for them.

A mark is the shop's own clock, a space and, in JSON, how the shop was set when it was last looked at. So an idle shop is asked
one question, not first how it is set. When it was set otherwise since, the question was wrong: ``start`` then lies before all
that was asked that way.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from connectors.prestashop.client.moments import earliest_local
from domain import clock

LOOK_BACK = timedelta(minutes=5)
"""Changes are read again this far back: a row may be saved some time after the moment it is dated."""

_BELIEVED_FOR = timedelta(hours=1)


class Outlook(msgspec.Struct, frozen=True):
    """What a question depends on, and when the shop was last asked for it, by our own clock."""

    time_zone: str
    language_id: str
    version: tuple[int, ...]
    seen_at: datetime

    @property
    def zone(self) -> tzinfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def is_fresh(self) -> bool:
        """Whether it is likely enough to ask by it."""
        return timedelta(0) <= clock.now() - self.seen_at < _BELIEVED_FOR

    def agrees(self, other: "Outlook") -> bool:
        """Whether both lead to the same question."""
        return (self.time_zone, self.language_id, self.version) == (
            other.time_zone,
            other.language_id,
            other.version,
        )


class _Asked(msgspec.Struct):
    outlook: Outlook
    since: datetime


class Mark(msgspec.Struct, frozen=True):
    """``at`` by the shop's clock. All up to ``since`` was asked for when the shop was known to be set like ``outlook``."""

    text: str
    at: datetime
    outlook: Outlook | None = None
    since: datetime | None = None

    @classmethod
    def read(cls, text: str) -> "Mark":
        """As a feed keeps it."""
        at, _, rest = text.partition(" ")
        if not rest:
            return cls(text, datetime.fromisoformat(at))
        asked = msgspec.json.decode(rest, type=_Asked)
        return cls(text, datetime.fromisoformat(at), asked.outlook, asked.since)

    def moved(self, at: datetime, outlook: Outlook) -> str:
        """The next one, never back, whatever the shop's clock does."""
        latest = max(at, self.at)
        is_same = self.outlook is not None and self.outlook.seen_at == outlook.seen_at
        return written(latest, outlook, since=self.since if is_same and self.since is not None else latest)

    def filters(self, now: Outlook) -> Mapping[str, str]:
        """What asks for the changes since, of a shop that is set like ``now``."""
        start, zones = self.at, [now.zone]
        if self.outlook is not None and self.outlook.time_zone != now.time_zone:
            start, zones = min(self.at, self.since or self.at), [now.zone, self.outlook.zone]
        return {"date_upd": f">[{min(earliest_local(start - LOOK_BACK, zone) for zone in zones)}]"}


def written(at: datetime, outlook: Outlook, *, since: datetime | None = None) -> str:
    """As a feed keeps it."""
    return f"{at.isoformat()} {msgspec.json.encode(_Asked(outlook, since or at)).decode()}"
