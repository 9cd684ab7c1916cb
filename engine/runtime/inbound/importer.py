"""Brings records in: read a page, map it, apply the rules, save it, move on.

A full reading begins with a census of the ids, so that what is gone is noticed and nothing implausible is begun.
Changes since the last time need no census. Single records are read by their id.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import msgspec

from domain import clock
from domain.errors import UserError
from engine.connector import Census, Page, Reading
from engine.flow import Import
from engine.runtime import guard
from engine.runtime.inbound import duplicates
from engine.runtime.inbound.intake import Intake, Progress
from engine.runtime.inbound.position import FullPosition
from engine.runtime.inbound.saving import save_page
from engine.runtime.inbound.verdicts import Verdicts, map_items
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import digests, outcomes, references

_IDS_AT_ONCE = 50
_PARENTS_AT_ONCE = 20


def run(run: Run) -> None:
    """Do what an import declares, or the part of it that the execution's scope names."""
    work = run.flow.work
    assert isinstance(work, Import)
    stream = run.connector.reads[work.kind]
    intake = Intake(run, run.feed.id, work, stream, run.connector.open(run.door, run.settings))
    scope = run.execution.scope or {}
    if "ids" in scope or "find" in scope:
        read_single(intake, _named(intake, scope))
    elif stream.parent is not None:
        _read_parts(intake, parent=stream.parent.kind)
    elif work.is_full:
        _read_everything(intake)
    else:
        _read_changes(intake, scope)
    duplicates.review(run, kind=work.kind)


def read_single(intake: Intake, remote_ids: Sequence[str]) -> set[str]:
    """Read single records again; returns the ids that the system no longer has."""
    by_id = intake.stream.by_id
    if by_id is None:
        raise UserError(f"{intake.run.connector.title} cannot read single {intake.kind} records; run the whole flow.")
    missing = set(remote_ids)
    for start in range(0, len(remote_ids), _IDS_AT_ONCE):
        page = by_id(intake.account, remote_ids[start : start + _IDS_AT_ONCE])
        verdicts = map_items(page.raws(), intake.stream, intake.account)
        missing -= verdicts.mapped.keys() | verdicts.refused.keys()
        save_page(intake, verdicts, Progress())
    return missing


def _named(intake: Intake, scope: dict[str, Any]) -> list[str]:
    if "ids" in scope:
        return list(scope["ids"])
    if intake.stream.find is None:
        raise UserError(
            f"{intake.run.connector.title} cannot look up single {intake.kind} records; run the whole flow."
        )
    found = list(intake.stream.find(intake.account, scope["find"]))
    if not found:
        raise UserError(f"{intake.run.connector.title} has no {intake.kind} called “{scope['find']}”.")
    return found


# --- what changed -------------------------------------------------------------------------------------------------


def _read_changes(intake: Intake, scope: dict[str, Any]) -> None:
    run = intake.run
    is_window = "since" in scope
    since = datetime.fromisoformat(scope["since"]) if is_window else None
    until = datetime.fromisoformat(scope["until"]) if scope.get("until") else None
    mark = None if is_window else run.feed.mark
    if mark is None and since is None and intake.work.is_windowed:
        since = run.database.now() - run.rulebook.first_import_window
    reading = Reading(
        page_size=run.connector.limits(run.settings).page_size,
        mark=mark,
        since=since,
        until=until,
        position=run.execution.position,
    )
    for page in _ahead(intake.stream.pages(intake.account, reading)):
        verdicts = _map(intake, page)
        save_page(intake, verdicts, Progress(position=page.position, mark=None if is_window else page.mark))


# --- everything ---------------------------------------------------------------------------------------------------


def _read_everything(intake: Intake) -> None:
    run, stream = intake.run, intake.stream
    page_size = run.connector.limits(run.settings).page_size
    census = _take_census(intake, page_size)
    known = run.database.read(intake.size)
    gone = _gone(intake, census) if known else []
    guard.demand(run, kind=intake.kind, verb="lose", count=len(gone), known=known, examples=_lost(gone))

    position = FullPosition.read(run.execution.position)
    reading = Reading(page_size=page_size, position=position.at, census=census)
    saved_before = run.database.write(lambda unit: digests.within(unit, run.feed.id, _page_names(census)))
    for page in _ahead(stream.pages(intake.account, reading)):
        name, digest = f"{position.at}:{page.position}", _digest(run, page)
        position = position.behind(page.position)
        progress = Progress(position=position, mark=page.mark, page=name, digest=digest)
        former = saved_before.get(name)
        if former is not None and former[0] == digest:
            _pass_over(intake, former[1], progress)
            continue
        more = save_page(intake, _map(intake, page), progress, applies_guarded=run.execution.accepts_volume)
        if more:
            position = position.plus(more)
            _demand_guarded(intake, position, known)
    _demand_guarded(intake, position, known)
    read_single(intake, position.put_off)
    _let_go_of_gone(intake, gone)
    guard.settle(run)


def _take_census(intake: Intake, page_size: int) -> Census:
    started = clock.monotonic()
    census = Census(page_size)
    ids = intake.stream.census
    assert ids is not None, f"{intake.kind} cannot be read in full"
    for chunk in ids(intake.account):
        census.add(chunk)
    run = intake.run
    run.traffic.spend("census", clock.monotonic() - started)
    run.database.write(lambda unit: run.fence(unit, expected=len(census)))
    return census


def _gone(intake: Intake, census: Census) -> list[str]:
    run = intake.run
    with run.database.reading() as unit:
        chunks = references.remote_ids(unit, run.integration.id, kind=intake.kind)
        return list(census.missing(remote_id for chunk in chunks for remote_id in chunk))


def _demand_guarded(intake: Intake, position: FullPosition, known: int) -> None:
    guard.demand(
        intake.run,
        kind=intake.kind,
        verb="deactivate, zero or re-price",
        count=len(position.put_off),
        known=known,
        examples=position.shown,
    )


def _lost(gone: Sequence[str]) -> list[str]:
    return [f"#{remote_id}: known here → gone from the shop" for remote_id in gone[: guard.SHOWN]]


def _pass_over(intake: Intake, count: int, progress: Progress) -> None:
    """The page's bytes are those saved before: every record on it is unchanged, and nothing need be decoded."""
    run = intake.run
    run.tally = run.tally.plus(unchanged=count)
    run.database.write(lambda unit: run.fence(unit, **progress.columns(())))


def _let_go_of_gone(intake: Intake, gone: Sequence[str]) -> None:
    run = intake.run

    def work(unit: Unit) -> int:
        lost = references.mark_gone(unit, run.integration.id, kind=intake.kind, remote_ids=gone)
        lines = [
            (record_id, remote_id, label, "updated", "no longer in the shop") for record_id, remote_id, label in lost
        ]
        outcomes.add(unit, run.execution.id, kind=intake.kind, lines=lines)
        run.fence(unit, run.tally.plus(updated=len(lost)))
        return len(lost)

    if gone:
        run.tally = run.tally.plus(updated=run.database.write(work))


def _page_names(census: Census) -> list[str]:
    """Each page by the ids it lies between. Pages of another division of the ids are none of these."""
    ends = [None, *(last for _, last in census.spans)]
    return [f"{before}:{last}" for before, last in pairwise(ends)]


def _digest(run: Run, page: Page) -> bytes:
    """Also of the settings: other rules make another page of the same bytes."""
    return blake2b(page.digest + str(run.integration.settings_version).encode(), digest_size=16).digest()


# --- parts of known records ---------------------------------------------------------------------------------------


def _read_parts(intake: Intake, *, parent: str) -> None:
    """Read the parts of records that were created or changed since the mark, a few parents at a time."""
    run = intake.run
    since, last = msgspec.json.decode(run.feed.mark, type=tuple[datetime | None, str]) if run.feed.mark else (None, "")
    while True:
        after = (since, last)
        batch = run.database.read(
            lambda unit: references.changed_since(
                unit,
                run.integration.id,
                kind=parent,
                after=after,  # noqa: B023 - called at once
                count=_PARENTS_AT_ONCE,
            )
        )
        if not batch:
            return
        reading = Reading(page_size=_PARENTS_AT_ONCE, parents=tuple(i for _, i in batch), known=_known(intake))
        for page in _ahead(intake.stream.pages(intake.account, reading)):
            save_page(intake, _map(intake, page), Progress())
        since, last = batch[-1]
        mark = msgspec.json.encode((since, last)).decode()
        save_page(intake, map_items([], intake.stream, intake.account), Progress(mark=mark))


def _known(intake: Intake) -> Callable[[Sequence[str]], frozenset[str]]:
    run = intake.run

    def known(ids: Sequence[str]) -> frozenset[str]:
        return frozenset(
            run.database.read(lambda unit: references.known(unit, run.integration.id, kind=intake.kind, remote_ids=ids))
        )

    return known


# --- pages --------------------------------------------------------------------------------------------------------


def _map(intake: Intake, page: Page) -> Verdicts:
    started = clock.monotonic()
    verdicts = map_items(page.raws(), intake.stream, intake.account)
    intake.run.traffic.spend("mapping", clock.monotonic() - started)
    return verdicts


def _ahead(pages: Generator[Page, None, None]) -> Iterator[Page]:
    """The next page is fetched while this one is saved. Where there is none, nothing is set up for it."""
    try:
        page = next(pages, None)
        if page is None:
            return
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as fetcher:
            while page is not None:
                upcoming = fetcher.submit(next, pages, None)
                yield page
                page = upcoming.result()
    finally:
        pages.close()
