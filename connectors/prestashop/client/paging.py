"""Reads a resource to its end, without losing a record at the edge of a page.

Never by offset: a record deleted or edited while paging would shift the rest. Always by id, which neither changes nor comes
twice.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec

from connectors.prestashop.client.account import Account, server_time
from connectors.prestashop.client.dialect import ID_TABLES, LIST_LIMIT, above, between
from connectors.prestashop.client.moments import earliest_local, format_local, from_local, parse_local
from connectors.prestashop.client.rows import Broken
from connectors.prestashop.client.tables import Table, ids
from domain import clock
from domain.errors import UnexpectedFormat
from engine.connector import Answer, Json, Reading, Request

Row = TypeVar("Row")

LOOK_BACK = timedelta(minutes=5)
"""Changes are read again this far back: a row may be saved some time after the moment it is dated."""


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """How a resource is listed."""

    table: Table[Row]
    display: str
    filters: Mapping[str, str]
    is_translated: bool = False

    def request(self, account: Account, *, limit: int | None = None, **filters: str) -> Request:
        """The rows with these ids, by id."""
        return account.speech.listing(
            self.table.resource,
            display=self.display,
            filters={**self.filters, **filters},
            limit=limit,
            is_translated=self.is_translated,
        )


@dataclass(frozen=True, slots=True)
class Batch(Generic[Row]):
    """Rows on their way to becoming a page. ``rows`` decodes them; ``body`` is the answer they came in."""

    rows: Callable[[], list[Row | Broken]]
    body: bytes
    position: Json
    mark: str | None = None
    span: tuple[int, int] | None = None


def count_ids(account: Account, resource: str, filters: Mapping[str, str] | None = None) -> Iterator[list[str]]:
    """All ids of a resource, in chunks, ascending."""
    table, last = ID_TABLES[resource], 0
    while True:
        request = account.speech.listing(
            resource, display="[id]", filters={**(filters or {}), "id": above(last)}, limit=LIST_LIMIT
        )
        rows = account.read_sound(table, request)
        last = check_order(resource, rows, after=last)
        if rows:
            yield ids(rows)
        if len(rows) < LIST_LIMIT:
            return


def spans(reading: Reading) -> list[tuple[int, int]]:
    """The stretches of ids still to be read."""
    done = int(str(reading.position)) if reading.position is not None else 0
    stretches = reading.census.spans if reading.census is not None else []
    return [(max(int(first), done + 1), int(last)) for first, last in stretches if int(last) > done]


def sweep(account: Account, reading: Reading, listing: Listing[Row]) -> Generator[Batch[Row], None, None]:
    """Every row, by id: stretch by stretch several at once, then what was added meanwhile.

    Without a census it is one page after the other.
    """
    stretches = spans(reading)
    requests = [listing.request(account, id=between(first, last)) for first, last in stretches]
    for span, request, answer in zip(stretches, requests, account.door.stream(requests), strict=True):
        yield Batch(lazily(account, listing, request, answer, span), answer.body, position=span[1], span=span)
    done = int(str(reading.position)) if reading.position is not None else 0
    last = max((span[1] for span in stretches), default=done)
    while True:
        request = listing.request(account, id=above(last), limit=reading.page_size)
        answer = account.door.send(request)
        rows = account.rows(listing.table, request, answer)
        first, last = last + 1, check_order(listing.table.resource, rows, after=last)
        if rows:
            yield Batch(_at_once(rows), answer.body, position=last, span=(first, last))
        if len(rows) < reading.page_size:
            return


def changes(
    account: Account, reading: Reading, listing: Listing[Row], *, placed: str = "date_upd"
) -> Generator[Batch[Row], None, None]:
    """What changed after the mark, by id; with ``until``, the rows whose ``placed`` date lies in the window.

    The question stays the same from page to page, so rows of one second, rows edited and rows deleted meanwhile cannot shift
    the rest. What changes behind the reading's back is dated after its beginning, and that is where the next one starts. An
    idle shop costs one request.
    """
    course = _course(account, reading, placed)
    is_window = reading.until is not None
    while True:
        request = account.speech.listing(
            listing.table.resource,
            display=listing.display,
            filters={**listing.filters, **course.filters, "id": above(course.last)},
            limit=reading.page_size,
            is_dated=True,
            is_translated=listing.is_translated,
        )
        answer = account.door.send(request)
        rows = account.rows(listing.table, request, answer)
        last = check_order(listing.table.resource, rows, after=course.last)
        course = replace(course, last=last, reached=_reached(account, course.reached, rows, answer))
        is_last = len(rows) < reading.page_size
        mark = _mark(reading, course.reached) if is_last and not is_window else None
        if rows or mark is not None:
            yield Batch(_at_once(rows), answer.body, position=course.position(), mark=mark)
        if is_last:
            return


@dataclass(frozen=True, slots=True)
class _Course:
    """A reading of changes on its way: the dates asked for, the last id read, and where the next reading will start."""

    filters: Mapping[str, str]
    last: int = 0
    reached: datetime | None = None

    def position(self) -> Json:
        reached = None if self.reached is None else self.reached.isoformat()
        return {"filters": dict(self.filters), "last": self.last, "reached": reached}


def _course(account: Account, reading: Reading, placed: str) -> _Course:
    if isinstance(reading.position, dict):
        kept = msgspec.convert(reading.position, _Kept)
        return _Course(kept.filters, kept.last, None if kept.reached is None else datetime.fromisoformat(kept.reached))
    zone = account.facts.zone
    if reading.until is not None:
        until = format_local(reading.until.astimezone(zone).replace(tzinfo=None))
        since = "1970-01-01 00:00:00" if reading.since is None else earliest_local(reading.since, zone)
        return _Course({placed: f"[{since},{until}]"})
    if reading.since is not None:
        return _Course({"date_upd": above(earliest_local(reading.since - timedelta(seconds=1), zone))})
    if reading.mark is not None:
        return _Course({"date_upd": above(earliest_local(datetime.fromisoformat(reading.mark) - LOOK_BACK, zone))})
    return _Course({})


class _Kept(msgspec.Struct):
    filters: dict[str, str]
    last: int
    reached: str | None = None


def _reached(account: Account, known: datetime | None, rows: Sequence[Any], answer: Answer) -> datetime | None:
    """The shop's own clock when the reading began; where it does not tell, the newest change seen."""
    server = server_time(answer)
    if server is not None:
        return known or server
    dates = [row.date_upd for row in rows if row.date_upd and not row.date_upd.startswith("0000")]
    newest = [from_local(parse_local(max(dates)), account.facts.zone)] if dates else []
    return max((min(date, clock.now()) for date in (*newest, *([known] if known else []))), default=None)


def _mark(reading: Reading, reached: datetime | None) -> str | None:
    """Never back, whatever the shop's clock does."""
    if reached is None:
        return reading.mark
    known = reached if reading.mark is None else datetime.fromisoformat(reading.mark)
    return max(reached, known).isoformat()


def check_order(resource: str, rows: Sequence[Any], *, after: int) -> int:
    """The last id. Raises ``UnexpectedFormat`` where ids do not ascend: what a cut list leaves out is then unknown."""
    last = after
    for row in rows:
        number = _id(row)
        if number is None:
            continue
        if number <= last:
            raise UnexpectedFormat(
                f"The shop's list of {resource} is out of order: {str(row.id)[:40]!r} follows {last}."
            )
        last = number
    if rows and last == after:
        raise UnexpectedFormat(f"The shop's list of {resource} holds no row whose id can be read.")
    return last


def check_span(resource: str, rows: Sequence[Any], *, span: tuple[int, int]) -> None:
    """Raises ``UnexpectedFormat`` where ids lie elsewhere: the shop then ignored the question. Their order does not matter."""
    for row in rows:
        number = _id(row)
        if number is not None and not span[0] <= number <= span[1]:
            raise UnexpectedFormat(
                f"The shop's list of {resource} is not what was asked for: {str(row.id)[:40]!r} is not between {span[0]} "
                f"and {span[1]}."
            )


def _id(row: Any) -> int | None:  # noqa: ANN401 - any row
    """None for a row so broken that not even its id can be read."""
    return None if isinstance(row, Broken) and not row.id.isdecimal() else int(row.id)


def lazily(
    account: Account, listing: Listing[Row], request: Request, answer: Answer, span: tuple[int, int]
) -> Callable[[], list[Row | Broken]]:
    """The rows of a stretch, decoded and checked when called."""

    def decode() -> list[Row | Broken]:
        rows = account.rows(listing.table, request, answer)
        check_span(listing.table.resource, rows, span=span)
        return rows

    return decode


def _at_once(rows: list[Row | Broken]) -> Callable[[], list[Row | Broken]]:
    return lambda: rows
