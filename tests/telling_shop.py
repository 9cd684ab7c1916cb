"""A corner shop that can be told things: stock levels and shipments, with a ledger of what it applied."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from threading import Lock
from typing import Any, cast

import msgspec

from domain.errors import OutcomeUnknown, PlatformError
from domain.records import Record, Shipment, StockLevel
from domain.rulebook import Rulebook
from engine.connector import Change, Connector, Limits, Outcome, Receipt, Sink, StockMeaning, writes
from engine.registry import Registry
from engine.runtime.outbound import exporter, stock
from engine.runtime.run import Run, Tally
from engine.runtime.stock_check import reconciler
from storage.database import Database, Unit
from storage.queries import effects, executions, feeds, integrations, references
from storage.queries.effects import Effect
from storage.rows import EffectState, Mode
from storage.tables import installation
from tests.builders import a_level, a_product
from tests.corner_shop import CornerShop, Item
from tests.hub import Hub

Misbehaviour = Callable[[Change], PlatformError | None]


@dataclass
class TellingShop(CornerShop):
    """Applies what it is told, once.

    ``refuses`` gives the error for a change it does not apply, ``forgets`` the error it answers with although it did.
    ``blind`` errors are what looking up gives. ``calls`` are the batches sent, ``ledger`` what was applied, in order.
    """

    batch: int = 1
    concurrent: int = 1
    meaning: StockMeaning = StockMeaning.SELLABLE
    refuses: Misbehaviour = lambda _change: None
    forgets: Misbehaviour = lambda _change: None
    blind: Misbehaviour = lambda _change: None
    before_send: Callable[[Sequence[Change]], None] = lambda _changes: None
    calls: list[tuple[str, ...]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    ledger: list[Change] = field(default_factory=list)
    tracking: dict[str, str] = field(default_factory=dict)
    miscounts: bool = False
    lock: Lock = field(default_factory=Lock)

    def level(self, item: str) -> int:
        """The quantity it shows for an item."""
        return int(cast("StockLevel", self.shelves[StockLevel][f"row-{item}"]).quantity)

    def connector(self) -> Connector:
        """The corner shop's, able to write."""
        return replace(
            super().connector(),
            writes={
                StockLevel: Sink(self._sender(self._apply_level), self._looker(self._level_shown), (TELL,), self.batch),
                Shipment: Sink(self._sender(self._apply_shipment), self._looker(self._is_shipped), (TELL,), self.batch),
            },
            limits=lambda _settings: Limits(page_size=self.page_size, concurrent=self.concurrent),
            stock_meaning=self.meaning,
        )

    def _sender(self, apply: Callable[[Change], None]) -> Callable[[Any, Sequence[Change]], Sequence[Outcome]]:
        def send(_account: object, changes: Sequence[Change]) -> list[Outcome]:
            self.before_send(changes)
            with self.lock:
                self.calls.append(tuple(change.identity for change in changes))
                told = [self._tell(change, apply) for change in changes]
                return told * 2 if self.miscounts else told

        return send

    def _tell(self, change: Change, apply: Callable[[Change], None]) -> Outcome:
        if (error := self.refuses(change)) is not None:
            return error
        apply(change)
        self.ledger.append(change)
        return self.forgets(change) or Receipt({"seen": change.target})

    def _looker(
        self, is_there: Callable[[Change], bool]
    ) -> Callable[[Any, Sequence[Change]], Sequence[Outcome | None]]:
        def look(_account: object, changes: Sequence[Change]) -> list[Outcome | None]:
            with self.lock:
                self.looks += [change.identity for change in changes]
                return [
                    self.blind(change) or (Receipt(was_found=True) if is_there(change) else None) for change in changes
                ]

        return look

    def _apply_level(self, change: Change) -> None:
        level = msgspec.convert(change.after, StockLevel)
        self.put(a_level(level.item_remote_id, int(level.quantity)))

    def _level_shown(self, change: Change) -> bool:
        level = msgspec.convert(change.after, StockLevel)
        return self.level(level.item_remote_id) == level.quantity

    def _apply_shipment(self, change: Change) -> None:
        shipment = msgspec.convert(change.after, Shipment)
        self.tracking[shipment.order_remote_id] = shipment.tracking_number

    def _is_shipped(self, change: Change) -> bool:
        shipment = msgspec.convert(change.after, Shipment)
        return self.tracking.get(shipment.order_remote_id) == shipment.tracking_number


TELL = writes("tell", "POST")


def no_answer(change: Change) -> PlatformError:
    """The answer was lost on the way."""
    return OutcomeUnknown(f"No answer about {change.target}.")


@dataclass
class TellingHub(Hub):
    """A hub whose shop can be told things. Starts in test mode; ``confirmed`` as any new installation is."""

    shop: TellingShop = field(default_factory=TellingShop)

    def __post_init__(self) -> None:
        """Connect the shop and confirm the installation."""
        super().__post_init__()
        self.confirm()

    @classmethod
    def reopened(cls, database: Database, integration_id: int) -> "TellingHub":
        """The hub of an integration that exists, as another process has it."""
        hub = cls.__new__(cls)
        hub.database, hub.integration_id = database, integration_id
        hub.shop, hub.rulebook, hub.name = TellingShop(), Rulebook(), "corner"
        hub.reconnect()
        return hub

    @staticmethod
    def level_shelves(
        items: Sequence[str], *, sold: Mapping[str, int] | None = None
    ) -> dict[type[Record], dict[str, Item]]:
        """Shelves that show five of each item, and another quantity of those named."""
        return {StockLevel: {f"row-{item}": a_level(item, (sold or {}).get(item, 5)) for item in items}}

    def reconnect(self) -> None:
        """The connector as the shop is now: after its batch, concurrency or meaning changed."""
        self.registry = Registry.of(connectors=[self.shop.connector()])

    def confirm(self) -> None:
        """A person said that this database is the real one."""
        self.database.write(
            lambda unit: unit.connection.execute(
                installation.insert().values(id=1, fingerprint="here", confirmed_at=unit.now, confirmed_by="ada")
            )
        )

    def go_live(self, *flows: str) -> None:
        """Production, for these flows (default: all)."""

        def work(unit: Unit) -> None:
            integrations.change(unit, self.integration_id, mode=Mode.PRODUCTION)
            for feed in feeds.listed(unit, integration_id=self.integration_id):
                feeds.change(unit, feed.id, is_live=not flows or feed.flow in flows)

        self.database.write(work)

    def back_to_test(self) -> None:
        """Test mode again."""
        self.database.write(lambda unit: integrations.change(unit, self.integration_id, mode=Mode.TEST))

    def stocked(self, *items: str, quantity: int = 5) -> None:
        """Products that the hub knows, with a level the shop shows and the hub started from."""
        self.shop.put(*(a_product(item) for item in items))
        self.shop.put(*(a_level(item, quantity) for item in items))
        self.run("update_products")
        self.run("import_stock")

    def work(self, run: Run) -> None:
        """Exports and checks too."""
        if run.flow.name in ("export_stock", "confirm_shipments"):
            exporter.run(run)
        elif run.flow.name == "check_stock":
            reconciler.run(run)
        else:
            super().work(run)

    def run(self, flow: str, **request: Any) -> Tally:
        """Run a flow to its end; returns its counters, which the database agrees with."""
        run = self.claim(flow, **request)
        try:
            self.work(run)
        finally:
            self.finish(run)
        row = self.database.read(lambda unit: executions.get(unit, run.execution.id))
        assert row is not None
        assert {name: getattr(row, name) for name in run.tally.columns} == run.tally.columns
        return run.tally

    def effects(self, *states: EffectState) -> list[Effect]:
        """The effects there are, oldest first."""
        lines = self.database.read(lambda unit: effects.listed(unit, states=states, count=1000))
        return [line.effect for line in lines][::-1]

    def record_id(self, item: str) -> int:
        """The hub's record of an item."""
        found = self.database.read(
            lambda unit: references.known(unit, self.integration_id, kind="product", remote_ids=[item])
        )
        return found[item].record_id

    def count(self, item: str, on_hand: int) -> None:
        """A person counts what is on hand."""
        self.database.write(
            lambda unit: stock.adjust(
                unit, self.record_id(item), warehouse="main", on_hand=Decimal(on_hand), person="ada"
            )
        )
