"""Tries rules before they are saved: which orders would change their fate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from domain.errors import RecordProblem
from domain.records import Order, Record
from domain.rulebook import WILDCARD, Rulebook
from engine.actions import rulebooks
from engine.actions.mappings import TABLES, changed_rulebook, table_named
from engine.actions.names import integration_named
from engine.flow import Flow, Import, Rule, Scope
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import feeds, held, records
from storage.queries.held import Held

_AT_ONCE = 500
_UNMAPPED = "unmapped:"
_WAITS = "status:wait:"


@dataclass(frozen=True, slots=True)
class Fate:
    """What rules make of a record: ``import`` (with the state it would have), ``wait``, ``skip`` or ``error``."""

    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FateChange:
    """A record the changed rules would treat otherwise. ``is_held``: not here yet, so only its cause is known."""

    kind: str
    label: str
    remote_id: str
    before: Fate
    after: Fate
    is_held: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """How many records were tried, and those whose fate would change."""

    tried: int
    changes: Sequence[FateChange]


def try_entry(platform: Platform, name: str, table: str, remote: str, hub: str) -> Trial:
    """Try one entry of a table (empty ``hub``: without it) on the orders here and on those held back. Saves nothing."""

    def work(unit: Unit) -> Trial:
        integration = integration_named(unit, name)
        rulebook = rulebooks.read(integration)
        return try_rulebook(
            platform, unit, name, changed_rulebook(rulebook, table_named(table), remote.strip(), hub.strip())
        )

    return platform.database.read(work)


def try_rulebook(platform: Platform, unit: Unit, name: str, changed: Rulebook) -> Trial:
    """Try other rules on every record the rules of a flow decided about."""
    integration = integration_named(unit, name)
    current = rulebooks.read(integration)
    changes: list[FateChange] = []
    tried = 0
    for feed in feeds.listed(unit, integration_id=integration.id):
        flow = platform.registry.flow(feed.flow)
        work = flow.work
        if not isinstance(work, Import) or not work.rules or work.scope is Scope.KNOWN:
            continue
        for record in _stored(unit, integration.id, flow):
            tried += 1
            before, after = judge(record, work.rules, current), judge(record, work.rules, changed)
            if before.verdict != after.verdict:
                changes.append(FateChange(record.kind, record.label, record.remote_id, before, after, is_held=False))
    for row in held.of_causes(unit, integration.id, prefix=""):
        tried += 1
        verdict = _fate_of_held(row, changed)
        if verdict is not None:
            before = Fate("error" if row.severity == "error" else "wait", row.message)
            changes.append(FateChange(row.kind, row.label, row.remote_id, before, verdict, is_held=True))
    return Trial(tried, changes)


def judge(record: Record, rules: Sequence[Rule], rulebook: Rulebook) -> Fate:
    """What rules make of a record as the shop told it."""
    told = as_told(record)
    try:
        for rule in rules:
            told = rule(told, rulebook)
    except RecordProblem as problem:
        return Fate({"info": "skip", "retry": "wait"}.get(problem.severity, "error"), problem.message)
    return Fate("import" if told.state in ("open", "active") else f"import as {told.state}")


def as_told(record: Record) -> Record:
    """The record without what rules filled in when it was imported."""
    return replace(record, shipping_method="", fate="open") if isinstance(record, Order) else record


def _stored(unit: Unit, integration_id: int, flow: Flow) -> Iterator[Record]:
    assert isinstance(flow.work, Import)
    before: int | None = None
    while rows := records.listed(
        unit, kind=flow.work.kind.kind, integration_id=integration_id, count=_AT_ONCE, before=before
    ):
        for row in rows:
            yield row.record
        before = rows[-1].id


def _fate_of_held(row: Held, changed: Rulebook) -> Fate | None:
    """What becomes of a record that is not here, as far as its cause tells; None: nothing changes, or it cannot be told."""
    if row.cause.startswith(_UNMAPPED):
        table, _, remote = row.cause.removeprefix(_UNMAPPED).partition(":")
        entries = getattr(changed, TABLES[table].field) if table in TABLES else {}
        value = entries.get(remote) or entries.get(WILDCARD)
        return Fate("tried again", f"It is now {value}; the other rules decide then.") if value else None
    if row.cause.startswith(_WAITS):
        value = changed.statuses.get(row.cause.removeprefix(_WAITS))
        if value is not None and value != "wait":
            return Fate("tried again", f"Its status is now {value}; the other rules decide then.")
    return None
