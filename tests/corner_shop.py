"""A very small outside system, kept in memory, and its connector: for tests of the engine that need no network."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from pydantic import BaseModel

from domain.errors import RecordProblem, Unavailable
from domain.records import Order, Product, Record, StockLevel, Supplier
from engine.connector import Check, Connector, Limits, Page, Probe, Reading, SignIn, Stream
from storage.queries.records import encode

Item = Record | RecordProblem
BROKEN = "broken"


class NoSettings(BaseModel):
    """The corner shop needs none."""


@dataclass
class CornerShop:
    """Its shelves by kind: remote id to a record, or to the problem its mapping would have. ``versions`` orders changes."""

    shelves: dict[type[Record], dict[str, Item]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    pages_decoded: int = 0
    page_size: int = 10

    def put(self, *records: Record) -> None:
        """Add records, or change them."""
        for record in records:
            self.shelves.setdefault(type(record), {})[record.remote_id] = record
            self.versions[record.remote_id] = len(self.versions) + 1 + max(self.versions.values(), default=0)

    def spoil(self, kind: type[Record], remote_id: str, problem: RecordProblem) -> None:
        """From now on this record cannot be mapped."""
        self.shelves.setdefault(kind, {})[remote_id] = problem
        self.versions[remote_id] = 1 + max(self.versions.values(), default=0)

    def break_down(self, kind: type[Record], remote_id: str) -> None:
        """From now on the connection is lost when this record is read."""
        self.spoil(kind, remote_id, RecordProblem("unreadable", cause=BROKEN))

    def remove(self, kind: type[Record], remote_id: str) -> None:
        """The shop deletes it."""
        del self.shelves[kind][remote_id]

    def connector(self) -> Connector:
        """A connector to this very shop."""
        kinds: tuple[type[Record], ...] = (Product, Order, StockLevel, Supplier)
        return Connector(
            name="corner_shop",
            title="Corner shop",
            settings=NoSettings,
            sign_in=lambda _settings: SignIn(base_url="http://127.0.0.1"),
            open=lambda _door, _settings: self,
            probe=lambda _door, _settings: Probe("Corner shop", "1", (Check("answers", True, "It answers."),)),
            interpret=lambda _answer: None,
            reads={kind: self._stream(kind) for kind in kinds},
            limits=lambda _settings: Limits(page_size=self.page_size),
        )

    def _stream(self, kind: type[Record]) -> Stream:
        def shelf() -> dict[str, Item]:
            return self.shelves.setdefault(kind, {})

        def page(ids: Sequence[str], **where: Any) -> Page:
            items = [(remote_id, shelf()[remote_id]) for remote_id in ids if remote_id in shelf()]

            def raws() -> list[tuple[str, Item]]:
                self.pages_decoded += 1
                return items

            content = b"".join(repr(i).encode() if isinstance(i, RecordProblem) else encode(i) for _, i in items)
            return Page(raws=raws, digest=blake2b(content).digest(), **where)

        def pages(_account: object, reading: Reading) -> Generator[Page, None, None]:
            if reading.census is None:
                after = int(reading.mark or 0)
                changed = sorted((self.versions[i], i) for i in shelf() if self.versions[i] > after)
                for start in range(0, len(changed), reading.page_size):
                    batch = changed[start : start + reading.page_size]
                    yield page([i for _, i in batch], mark=str(batch[-1][0]))
                return
            for first, last in reading.census.spans:
                if reading.position is None or last > str(reading.position):
                    yield page([i for i in sorted(shelf()) if first <= i <= last], position=last)

        def census(_account: object) -> Iterator[Sequence[str]]:
            yield sorted(shelf())

        def record(raw: tuple[str, Item], _account: object) -> Record:
            if isinstance(raw[1], RecordProblem):
                raise Unavailable("The shop is closed.") if raw[1].cause == BROKEN else raw[1]
            return raw[1]

        return Stream(
            pages=pages,
            record=record,
            identify=lambda raw: (raw[0], f"#{raw[0]}"),
            by_id=lambda _account, ids: page(ids),
            find=lambda _account, text: [i for i, r in shelf().items() if isinstance(r, Record) and r.label == text],
            census=census,
        )
