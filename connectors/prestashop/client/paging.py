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
from connectors.prestashop.client.marks import Mark, written
from connectors.prestashop.client.moments import earliest_local, format_local, from_local, parse_local
from connectors.prestashop.client.rows import Broken
from connectors.prestashop.client.tables import Table, ids
from domain import clock
from domain.errors import UnexpectedFormat
from engine.connector import Answer, Json, Page, Reading, Request

Row = TypeVar("Row")


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
    """Every row, by id: stretch by stretch several at once, the last one open at its end for what was added meanwhile.

    Without a census it is one page after the other.
    """
    stretches = spans(reading)
    done = int(str(reading.position)) if reading.position is not None else 0
    *closed, (first, last) = stretches or [(done + 1, done)]
    limit = 2 * reading.page_size if stretches else reading.page_size
    requests = [listing.request(account, id=between(*span)) for span in closed]
    requests.append(listing.request(account, id=above(first - 1), limit=limit))
    answers = account.door.stream(requests)
    for span, request, answer in zip(closed, requests, answers, strict=False):  # one request more than stretches
        yield Batch(lazily(account, listing, request, answer, span), answer.body, position=span[1], span=span)
    request, answer = requests[-1], next(answers)
    while True:
        rows = account.rows(listing.table, request, answer)
        last = max(last, check_order(listing.table.resource, rows, after=first - 1))
        if rows:
            yield Batch(_at_once(rows), answer.body, position=last, span=(first, last))
        if len(rows) < limit:
            return
        first, limit = last + 1, reading.page_size
        request = listing.request(account, id=above(last), limit=limit)
        answer = account.door.send(request)


def changes(
    account: Account,
    reading: Reading,
    listing_of: Callable[[Account], Listing[Row]],
    *,
    placed: str = "date_upd",
) -> Generator[Batch[Row], None, None]:
    """What changed after the mark, by id; with ``until``, the rows whose ``placed`` date lies in the window.

    The question stays the same from page to page, so rows of one second, rows edited and rows deleted meanwhile cannot shift
    the rest. What changes behind the reading's back is dated after its beginning, and that is where the next one starts. An
    idle shop costs one request, asked by how the shop was set before. Where there are rows it is looked at again first.
    """
    mark = Mark.read(reading.mark) if reading.mark is not None else None
    is_assuming = _assume(account, reading, mark)
    is_window = reading.until is not None
    listing, course = listing_of(account), _course(account, reading, mark, placed=placed)
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
        if rows and is_assuming:
            is_assuming = False
            if not account.is_as_assumed():
                listing, course = listing_of(account), _course(account, reading, mark, placed=placed)
                continue
        last = check_order(listing.table.resource, rows, after=course.last)
        course = replace(course, last=last, reached=_reached(account, course.reached, rows, answer))
        is_last = len(rows) < reading.page_size
        next_mark = _next(account, mark, course.reached) if is_last and not is_window else None
        if rows or next_mark is not None:
            yield Batch(_at_once(rows), answer.body, position=course.position(), mark=next_mark)
        if is_last:
            return


def bare(batch: Batch[Row]) -> Page:
    """A page of changes without any: it brings the mark, and nothing has to be known about the shop."""
    return Page(raws=batch.rows, digest=b"", position=batch.position, mark=batch.mark)


def _assume(account: Account, reading: Reading, mark: Mark | None) -> bool:
    """Only for the question where a mark leads on: a window, or the rest of an earlier question, is asked by the facts."""
    if mark is None or mark.outlook is None or not mark.outlook.is_fresh:
        return False
    if reading.position is not None or reading.since is not None or reading.until is not None:
        return False
    account.assume(mark.outlook)
    return True


@dataclass(frozen=True, slots=True)
class _Course:
    """A reading of changes on its way: the dates asked for, the last id read, and where the next reading will start."""

    filters: Mapping[str, str]
    last: int = 0
    reached: datetime | None = None

    def position(self) -> Json:
        reached = None if self.reached is None else self.reached.isoformat()
        return {"filters": dict(self.filters), "last": self.last, "reached": reached}


def _course(account: Account, reading: Reading, mark: Mark | None, *, placed: str) -> _Course:
    if isinstance(reading.position, dict):
        kept = msgspec.convert(reading.position, _Kept)
        return _Course(kept.filters, kept.last, None if kept.reached is None else datetime.fromisoformat(kept.reached))
    zone = account.outlook.zone
    if reading.until is not None:
        until = format_local(reading.until.astimezone(zone).replace(tzinfo=None))
        since = "1970-01-01 00:00:00" if reading.since is None else earliest_local(reading.since, zone)
        return _Course({placed: f"[{since},{until}]"})
    if reading.since is not None:
        return _Course({"date_upd": above(earliest_local(reading.since - timedelta(seconds=1), zone))})
    if mark is not None:
        return _Course(mark.filters(account.outlook))
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
    newest = [from_local(parse_local(max(dates)), account.outlook.zone)] if dates else []
    return max((min(date, clock.now()) for date in (*newest, *([known] if known else []))), default=None)


def _next(account: Account, mark: Mark | None, reached: datetime | None) -> str | None:
    """The mark the next reading starts from; the same one where nothing tells how far this one came."""
    if reached is None:
        return mark.text if mark is not None else None
    return mark.moved(reached, account.outlook) if mark is not None else written(reached, account.outlook)


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
