"""Looks up again, by id, the records that are held back and whose next try has come."""

from collections.abc import Sequence
from itertools import groupby

from domain.records import KINDS
from engine.flow import Import
from engine.runtime.inbound import holding, importer
from engine.runtime.inbound.intake import Intake
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import feeds, held, outcomes
from storage.queries.held import Held

_AT_ONCE = 200


def run(run: Run) -> None:
    """Every record gets one try, under the rules of the feed that first saw it."""
    account = run.connector.open(run.door, run.settings)
    after: tuple[str, str] | None = None
    while rows := _due(run, after):
        after = (rows[-1].kind, rows[-1].remote_id)
        for (kind, feed_id), members in groupby(sorted(rows, key=_feed_of), key=_feed_of):
            intake = _intake(run, kind, feed_id, account)
            if intake is not None:
                _try_again(intake, list(members))


def _due(run: Run, after: tuple[str, str] | None) -> list[Held]:
    return run.database.read(lambda unit: held.due(unit, run.integration.id, count=_AT_ONCE, after=after))


def _feed_of(row: Held) -> tuple[str, int]:
    return row.kind, row.feed_id


def _intake(run: Run, kind: str, feed_id: int, account: object) -> Intake | None:
    feed = run.database.read(lambda unit: feeds.get(unit, feed_id))
    stream = run.connector.reads.get(KINDS[kind])
    if feed is None or stream is None or stream.by_id is None:
        return None
    work = run.registry.flow(feed.flow).work
    return Intake(run, feed_id, work, stream, account) if isinstance(work, Import) else None


def _try_again(intake: Intake, rows: Sequence[Held]) -> None:
    missing = importer.read_single(intake, [row.remote_id for row in rows])
    gone = [row for row in rows if row.remote_id in missing]
    if not gone:
        return
    run = intake.run

    def work(unit: Unit) -> None:
        holding.forget(unit, intake, gone)
        lines = [(None, row.remote_id, row.label, "skipped", "no longer in the shop") for row in gone]
        outcomes.add(unit, run.execution.id, kind=intake.kind, lines=lines)
        run.fence(unit, run.tally.plus(skipped=len(gone)))

    run.database.write(work)
    run.tally = run.tally.plus(skipped=len(gone))
