"""What a shop sold since orders were last imported: looked at only when a level needs explaining."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property

from domain.errors import RecordProblem
from domain.records import Order
from engine.connector import Reading, StockMeaning
from engine.flow import Import, Scope
from engine.runtime.run import Run
from storage.queries import differences, feeds


class UnseenOrders:
    """Quantities by item of orders the hub does not know, read once and only when asked for."""

    def __init__(self, run: Run, account: object) -> None:
        """``account`` is the connector's, opened already."""
        self._run = run
        self._account = account

    def of(self, item_remote_id: str) -> Decimal:
        """How many of an item are sold by unseen orders. Shops that show what is on hand do not take orders off: none."""
        if self._run.connector.stock_meaning is not StockMeaning.SELLABLE:
            return Decimal(0)
        return self._quantities.get(item_remote_id, Decimal(0))

    @cached_property
    def _quantities(self) -> dict[str, Decimal]:
        totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        for orders in self._pages():
            ids = [order.remote_id for order in orders]
            unknown = self._run.database.read(
                lambda unit: differences.unseen(unit, self._run.integration.id, ids)  # noqa: B023 - called at once
            )
            for order in orders:
                if order.remote_id in unknown and not order.status.is_cancelled:
                    unknown.discard(order.remote_id)
                    for line in order.lines:
                        totals[line.item_remote_id] += line.quantity
        return totals

    def _pages(self) -> Iterator[list[Order]]:
        stream = self._run.connector.reads.get(Order)
        if stream is None:
            return
        mark = self._mark
        since = self._run.database.now() - self._run.rulebook.first_import_window if mark is None else None
        reading = Reading(page_size=self._run.connector.limits(self._run.settings).page_size, mark=mark, since=since)
        for page in stream.pages(self._account, reading):
            found = []
            for raw in page.raws():
                try:
                    found.append(stream.record(raw, self._account))
                except RecordProblem:
                    continue  # the import of orders says what is wrong with it
            yield [order for order in found if isinstance(order, Order)]

    @property
    def _mark(self) -> str | None:
        """Where the import of new orders will go on from."""
        for flow in self._run.registry.flows.values():
            if isinstance(flow.work, Import) and flow.work.kind is Order and flow.work.scope is Scope.NEW:
                name = flow.name
                feed = self._run.database.read(
                    lambda unit: feeds.find(unit, self._run.integration.id, flow=name)  # noqa: B023 - called at once
                )
                if feed is not None and feed.mark is not None:
                    return feed.mark
        return None
