"""Compares the levels a shop shows with what the hub offers there, and explains each difference. Changes nothing."""

from array import array
from collections.abc import Iterator, Sequence
from decimal import Decimal

from domain import clock
from domain.errors import RecordProblem, RemoteContractError, UserError
from domain.records import StockLevel
from engine.connector import Census, Page, Reading, Stream
from engine.flow import Check
from engine.runtime import guard, issues
from engine.runtime.outbound import stock
from engine.runtime.run import Run, Tally
from engine.runtime.stock_check.explaining import explain, may_be_sold
from engine.runtime.stock_check.unseen import UnseenOrders
from storage.database import Unit
from storage.queries import differences, effects, outcomes, references
from storage.queries import stock as levels
from storage.queries.differences import Explanation, Found
from storage.queries.outcomes import Line
from storage.queries.reservations import ITEM_KINDS
from storage.queries.stock import Item, level_value

_CHUNK = 5000

_OUTCOMES = {
    Explanation.IN_FLIGHT: "waiting",
    Explanation.PENDING_EXPORT: "waiting",
    Explanation.UNLINKED: "skipped",
    Explanation.CHANGED_REMOTELY: "failed",
    Explanation.UNKNOWN: "failed",
}


def run(run: Run) -> None:
    """Do what a check declares. Raises ``RemoteContractError`` when the shop's answer is implausible."""
    assert isinstance(run.flow.work, Check)
    assert run.flow.work.kind is StockLevel
    run.tally = Tally()
    _Comparison(run).compare()


class _Comparison:
    """One pass over both sides."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.stream: Stream = run.connector.reads[StockLevel]
        self.account = run.connector.open(run.door, run.settings)
        self.share = stock.sharing_of(run)
        self.unseen = UnseenOrders(run, self.account)
        self.seen = Census(_CHUNK)
        self.met = array("q")  # record ids of the items that both sides have
        self.known = run.database.read(lambda unit: differences.standing(unit, run.integration.id))
        self.unaccepted = 0
        self.reported: set[str] = set()

    def compare(self) -> None:
        run, is_whole = self.run, self.run.execution.scope is None
        chunk: list[StockLevel] = []
        for page in self._pages():
            for level in self._levels(page):
                chunk.append(level)
                if len(chunk) == _CHUNK:
                    self._compare(chunk)
                    chunk = []
        self._compare(chunk)
        if is_whole:
            missing = self._missing()
            self._report_missing(missing)
            run.database.write(self._close)
            guard.settle(run)

    # --- the shop's side ------------------------------------------------------------------------------------------

    def _pages(self) -> Iterator[Page]:
        run, stream, scope = self.run, self.stream, self.run.execution.scope
        page_size = run.connector.limits(run.settings).page_size
        if scope is not None:
            ids = scope.get("ids") or (stream.find(self.account, scope["find"]) if stream.find else ())
            if not ids or stream.by_id is None:
                raise UserError(f"{run.connector.title} shows no level called “{scope.get('find', '')}”.")
            yield stream.by_id(self.account, ids)
            return
        census = None
        if stream.census is not None:
            census = Census(page_size)
            started = clock.monotonic()
            for ids in stream.census(self.account):
                census.add(ids)
            run.traffic.spend("census", clock.monotonic() - started)
            expected = len(census)
            run.database.write(lambda unit: run.fence(unit, expected=expected))
        yield from stream.pages(self.account, Reading(page_size=page_size, census=census))

    def _levels(self, page: Page) -> list[StockLevel]:
        """The levels of a page; those that cannot be read are counted as failed."""
        found: list[StockLevel] = []
        broken: list[Line] = []
        record, account = self.stream.record, self.account
        for raw in page.raws():
            try:
                level = record(raw, account)
            except RecordProblem as problem:
                remote_id, label = self.stream.identify(raw)
                broken.append((None, remote_id, label, "failed", problem.message))
            else:
                assert isinstance(level, StockLevel)
                found.append(level)
        if broken:
            self._write([], [], broken, unchanged=0)
        return found

    # --- both sides -----------------------------------------------------------------------------------------------

    def _compare(self, chunk: Sequence[StockLevel]) -> None:
        if not chunk:
            return
        started = clock.monotonic()
        shown = {level.item_remote_id: level.quantity for level in chunk}
        ids = list(shown)
        self.seen.add(ids)
        found: list[Found] = []
        matched: list[tuple[str, Decimal]] = []
        with self.run.database.reading() as unit:
            glances = levels.glance(unit, self.share, ids)
            differing = []
            for target, remote in shown.items():
                if target in self.reported:  # shown twice, because the shop changed while it was read
                    continue
                glance = glances.get(target)
                if glance is None or glance.available != remote:
                    differing.append(target)
                elif glance.delivered != remote:
                    matched.append((target, remote))
            items = levels.chosen(unit, self.share, differing)
        self.met.extend(glance.record_id for glance in glances.values())
        for target in differing:
            remote, item = shown[target], items.get(target)
            if item is None:
                found.append(_unlinked(target, remote))
            elif item.available != remote and not item.has_variants:
                found.append(self._explained(item, remote))
        self.reported.update(item.target for item in found)
        self._write(found, matched, [], unchanged=len(chunk) - len(found))
        self.run.traffic.spend("comparing", clock.monotonic() - started)

    def _explained(self, item: Item, remote: Decimal) -> Found:
        unseen = self.unseen.of(item.remote_id) if may_be_sold(item, remote) else Decimal(0)
        explanation, detail = explain(item, remote, unseen=unseen)
        return Found(item.remote_id, item.record_id, item.label, item.available, remote, explanation, detail)

    def _write(
        self, found: Sequence[Found], matched: Sequence[tuple[str, Decimal]], broken: Sequence[Line], *, unchanged: int
    ) -> None:
        run = self.run
        lines: list[Line] = [
            (item.record_id, item.target, item.label, _OUTCOMES[item.explanation], item.detail) for item in found
        ]
        lines += broken
        counts = {name: sum(line[3] == name for line in lines) for name in ("waiting", "skipped", "failed")}
        tally = run.tally.plus(unchanged=unchanged, **counts)

        def work(unit: Unit) -> int:
            run.fence(unit, tally)
            effects.know(
                unit,
                [(run.integration.id, levels.KIND, target, level_value(target, remote)) for target, remote in matched],
            )
            outcomes.add(unit, run.execution.id, kind=levels.KIND, lines=lines)
            differences.save(
                unit,
                run.integration.id,
                execution_id=run.execution.id,
                found=[item for item in found if _OUTCOMES[item.explanation] != "failed"],
                known=self.known,
            )
            return differences.save(
                unit,
                run.integration.id,
                execution_id=run.execution.id,
                found=[item for item in found if _OUTCOMES[item.explanation] == "failed"],
                known=self.known,
            )

        self.unaccepted += run.database.write(work)
        run.tally = tally

    # --- the hub's side -------------------------------------------------------------------------------------------

    def _missing(self) -> list[Item]:
        """Items the hub holds a level of, and the shop did not show. Too many of them mean that the answer was cut."""
        run = self.run
        with run.database.reading() as unit:
            count = levels.size(unit, run.integration.id)
            if count and _distinct(self.met) == count:
                return []
            linked = (
                remote_id
                for kind in ITEM_KINDS
                for ids in references.remote_ids(unit, run.integration.id, kind=kind)
                for remote_id in ids
            )
            items = levels.chosen(unit, self.share, list(self.seen.missing(linked)))
        missing = [item for item in items.values() if item.available is not None and not item.has_variants]
        known = count - len(items) + len(missing)
        if missing and not len(self.seen):
            raise RemoteContractError(
                f"{run.connector.title} shows no stock level at all, where {known} are known. Nothing was compared."
            )
        guard.demand(
            run,
            kind=levels.KIND,
            verb="miss",
            count=len(missing),
            known=known,
            examples=[item.label for item in missing[:3]],
        )
        return missing

    def _report_missing(self, missing: Sequence[Item]) -> None:
        for start in range(0, len(missing), _CHUNK):
            found = [
                Found(
                    item.remote_id,
                    item.record_id,
                    item.label,
                    item.available,
                    None,
                    Explanation.UNLINKED,
                    "The shop shows no stock level for this item.",
                )
                for item in missing[start : start + _CHUNK]
            ]
            self._write(found, [], [], unchanged=0)

    def _close(self, unit: Unit) -> None:
        """What an earlier check found and this one did not is gone; what needs a person is one issue."""
        run = self.run
        run.fence(unit)
        differences.close_others(unit, run.integration.id, execution_id=run.execution.id)
        cause = f"{run.flow.name}:levels:differ"  # of levels, not of the whole feed: its own success does not close it
        if self.unaccepted:
            issues.raise_issue(
                unit,
                integration_id=run.integration.id,
                feed_id=run.feed.id,
                cause=cause,
                message=f"{self.unaccepted} stock levels of {run.integration.title or run.integration.name} differ from "
                "the hub's, and neither orders nor pending exports account for it.",
                remedy="Look at the differences: send the hub's level, take over the shop's, or accept them.",
                occurrences=self.unaccepted,
            )
        else:
            issues.settle(unit, integration_id=run.integration.id, cause=cause, by="a check without differences")


def _distinct(ids: "array[int]") -> int:
    """How many different ids there are: an item may be shown twice. A mark for each takes less memory than a set."""
    marks = bytearray(max(ids, default=0) + 1)
    for record_id in ids:
        marks[record_id] = 1
    return sum(marks)


def _unlinked(target: str, remote: Decimal) -> Found:
    return Found(
        target,
        None,
        f"#{target}",
        None,
        remote,
        Explanation.UNLINKED,
        "The hub does not know this item; it is imported with its product.",
    )
