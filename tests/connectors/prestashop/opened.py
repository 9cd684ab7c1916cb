"""A simulated shop with the connector opened on it, through the real door."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.prestashop.client.account import Account
from connectors.prestashop.connector import CONNECTOR
from connectors.prestashop.settings import PrestaShopSettings
from connectors.prestashop.simulator import SAMPLE_KEY, PrestashopSimulator, Shop
from domain.errors import RecordProblem
from domain.records import Record
from engine.connector import Answer, Census, Change, Door, Operation, Outcome, Page, Reading, Request
from engine.http.door import GuardedDoor
from engine.http.rules import Rules
from engine.simulation.server import Server, serve


def open_gate(operation: Operation) -> None:
    """Production: every change passes."""


@dataclass
class Opened:
    """The shop from both sides."""

    shop: Shop
    server: Server
    door: GuardedDoor
    settings: PrestaShopSettings
    account: Account

    def reopened(self) -> Account:
        """A further execution on the same shop, which has looked how it is set."""
        account: Account = CONNECTOR.open(self.door, self.settings)
        assert account.facts.time_zone
        return account

    def pages(self, kind: type[Record], reading: Reading | None = None, *, page_size: int = 5) -> Iterator[Page]:
        """The pages of a full reading, or of ``reading``."""
        stream = CONNECTOR.reads[kind]
        if reading is None:
            reading = Reading(page_size=page_size, census=self.census(kind, page_size))
        return stream.pages(self.account, reading)

    def census(self, kind: type[Record], page_size: int = 5) -> Census:
        """All ids."""
        take = CONNECTOR.reads[kind].census
        assert take is not None
        census = Census(page_size)
        for chunk in take(self.account):
            census.add(chunk)
        return census

    def records(self, kind: type[Record], reading: Reading | None = None, *, page_size: int = 5) -> dict[str, Any]:
        """Records, and problems in their place, by remote id."""
        return {
            remote_id: result
            for page in self.pages(kind, reading, page_size=page_size)
            for remote_id, result in self.mapped(kind, page)
        }

    def mapped(self, kind: type[Record], page: Page) -> Iterator[tuple[str, Any]]:
        """A page's records, and problems in their place."""
        stream = CONNECTOR.reads[kind]
        for raw in page.raws():
            try:
                record = stream.record(raw, self.account)
            except RecordProblem as problem:
                yield stream.identify(raw)[0], problem
            else:
                yield record.remote_id, record

    def by_id(self, kind: type[Record], *remote_ids: str) -> dict[str, Any]:
        """Single records."""
        read = CONNECTOR.reads[kind].by_id
        assert read is not None
        return dict(self.mapped(kind, read(self.account, remote_ids)))

    def find(self, kind: type[Record], text: str) -> list[str]:
        """What a person typed."""
        find = CONNECTOR.reads[kind].find
        assert find is not None
        return list(find(self.account, text))

    def send(self, kind: type[Record], *changes: Change) -> list[Outcome]:
        """Write."""
        return list(CONNECTOR.writes[kind].send(self.account, changes))

    def look_up(self, kind: type[Record], *changes: Change) -> list[Outcome | None]:
        """Look up."""
        return list(CONNECTOR.writes[kind].look_up(self.account, changes))

    def requests(self) -> list[str]:
        """Methods and targets of the requests since the last call."""
        found = [f"{entry.method} {entry.target}" for entry in self.server.ledger.recent]
        self.server.ledger.clear()
        return found


class Between:
    """A door that lets something happen in the shop right before a list is asked for with this ``display``."""

    def __init__(self, door: Door, resource: str, display: str, happens: Callable[[], object]) -> None:
        """``happens`` is called once."""
        self._door, self._resource, self._display = door, resource, display
        self._happens: Callable[[], object] | None = happens

    def send(self, request: Request) -> Answer:
        """Through the real door."""
        if request.path.endswith(self._resource) and ("display", self._display) in request.query and self._happens:
            self._happens()
            self._happens = None
        return self._door.send(request)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """Through the real door."""
        return self._door.stream(requests)


@contextmanager
def opened(shop: Shop, *, gate: Callable[[Operation], None] = open_gate, **settings: Any) -> Iterator[Opened]:
    """The connector on this shop, in production unless told otherwise."""
    with serve(PrestashopSimulator(shop)) as server:
        chosen = PrestaShopSettings(**{"url": server.url, "key": SAMPLE_KEY, **settings})
        with door_to(chosen, gate=gate) as door:
            account = CONNECTOR.open(door, chosen)
            assert account.facts.time_zone  # read by the first page that has rows; tests count what comes after
            server.ledger.clear()
            yield Opened(shop, server, door, chosen, account)


def door_to(settings: PrestaShopSettings, *, gate: Callable[[Operation], None] = open_gate) -> GuardedDoor:
    """The real door, without pauses."""
    return GuardedDoor(
        CONNECTOR.sign_in(settings),
        CONNECTOR.limits(settings),
        interpret=CONNECTOR.interpret,
        gate=gate,
        rules=Rules(allow_private=True, first_pause=0.0),
    )
