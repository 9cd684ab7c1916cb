"""One page into the hub: one transaction for records, references, issues, outcomes and progress, together or not at all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from domain.records import Order, Product, Record, StockLevel, Variant
from engine.flow import Scope
from engine.runtime.inbound import holding, levels, links
from engine.runtime.inbound.intake import Intake, Progress
from engine.runtime.inbound.position import PutOff
from engine.runtime.inbound.verdicts import Mapped, Refused, Verdicts, apply_rules
from engine.runtime.run import Tally
from storage.database import Unit
from storage.queries import blobs, digests, feeds, held, outcomes, records, references, reservations, stock
from storage.queries.outcomes import Line
from storage.queries.records import Saving, encode
from storage.queries.references import Known


@dataclass(slots=True)
class _Sorted:
    """The mapped items of a page against what the hub knows."""

    new: list[Mapped]
    changed: list[tuple[Known, Mapped]]
    unchanged: int


def save_page(
    intake: Intake, verdicts: Verdicts, progress: Progress, *, applies_guarded: bool = True
) -> tuple[PutOff, ...]:
    """Save a page. Returns the changes put off, which the volume guard has to let through first."""
    run = intake.run

    def work(unit: Unit) -> tuple[Tally, tuple[PutOff, ...]]:
        counts, put_off = _save(unit, intake, verdicts, progress, applies_guarded=applies_guarded)
        tally = run.tally.plus(**counts)
        run.fence(unit, tally, **progress.columns(put_off))
        return tally, put_off

    tally, put_off = run.database.write(work)
    run.tally = tally
    return put_off


def _save(
    unit: Unit, intake: Intake, verdicts: Verdicts, progress: Progress, *, applies_guarded: bool
) -> tuple[Counter[str], tuple[PutOff, ...]]:
    ids = [*verdicts.mapped, *verdicts.refused]
    known = references.known(unit, intake.integration_id, kind=intake.kind, remote_ids=ids)
    if intake.work.scope is Scope.KNOWN:
        verdicts = _only_known(verdicts, known)
        ids = list(known)
    held_before = held.among(unit, intake.integration_id, kind=intake.kind, remote_ids=ids)
    refused = list(verdicts.refused.values())
    save = _save_levels if intake.work.kind is StockLevel else _save_records
    lines, counts, put_off = save(unit, intake, verdicts, known, refused, applies_guarded=applies_guarded)

    holds = holding.hold_back(unit, intake, refused, held_before, known)
    lines += holds.lines
    holding.let_go(unit, intake, [remote_id for remote_id in held_before if remote_id not in holds.remote_ids])
    outcomes.add(unit, intake.run.execution.id, kind=intake.kind, lines=lines)
    if progress.mark is not None:
        feeds.set_mark(unit, intake.feed_id, progress.mark)
    is_settled = not refused and not put_off and intake.work.kind is not StockLevel
    if progress.page is not None and is_settled:
        # Levels are left out: orders move them here, so the same page does not mean the same result.
        digests.keep(unit, intake.feed_id, page=progress.page, digest=progress.digest, count=len(ids))
    counts.update(line[3] for line in lines)
    if progress.page is None and counts["updated"]:
        digests.forget(unit, intake.feed_id)
    return counts, tuple(put_off)


def _save_levels(
    unit: Unit,
    intake: Intake,
    verdicts: Verdicts,
    _known: dict[str, Known],
    _refused: list[Refused],
    *,
    applies_guarded: bool,
) -> tuple[list[Line], Counter[str], list[PutOff]]:
    return levels.save(unit, intake, verdicts, applies_guarded=applies_guarded)


def _save_records(
    unit: Unit,
    intake: Intake,
    verdicts: Verdicts,
    known: dict[str, Known],
    refused: list[Refused],
    *,
    applies_guarded: bool,
) -> tuple[list[Line], Counter[str], list[PutOff]]:
    page = _sort(intake.work.scope, verdicts, known)
    passing_new = _let_pass(intake, page.new, refused)
    passing_changed = _let_pass_changed(intake, page.changed, refused)
    merged, put_off = _merge(unit, intake, passing_changed, applies_guarded=applies_guarded)
    lines = _create(unit, intake, passing_new) + _update(unit, intake, merged)
    return lines, Counter(unchanged=page.unchanged), put_off


def _only_known(verdicts: Verdicts, known: dict[str, Known]) -> Verdicts:
    """The other records are no business of this flow: it neither judges them nor lets go of those that are held back."""
    mapped = {remote_id: item for remote_id, item in verdicts.mapped.items() if remote_id in known}
    refused = {remote_id: item for remote_id, item in verdicts.refused.items() if remote_id in known}
    others = len(verdicts.mapped) + len(verdicts.refused) - len(mapped) - len(refused)
    return Verdicts(mapped, refused, verdicts.repeated + others)


def _sort(scope: Scope, verdicts: Verdicts, known: dict[str, Known]) -> _Sorted:
    page = _Sorted(new=[], changed=[], unchanged=verdicts.repeated)
    for remote_id, mapped in verdicts.mapped.items():
        before = known.get(remote_id)
        if before is None:
            page.new.append(mapped)
        elif scope is Scope.NEW or (before.fingerprint == mapped.fingerprint and not before.is_gone):
            page.unchanged += 1
        else:
            page.changed.append((before, mapped))
    return page


def _let_pass(intake: Intake, items: Sequence[Mapped], refused: list[Refused]) -> list[Mapped]:
    rules = intake.work.rules
    if not rules:
        return list(items)
    passing = []
    for item in items:
        verdict = apply_rules(item, rules, intake.run.rulebook)
        if isinstance(verdict, Refused):
            refused.append(verdict)
        else:
            passing.append(verdict)
    return passing


def _let_pass_changed(
    intake: Intake, items: Sequence[tuple[Known, Mapped]], refused: list[Refused]
) -> list[tuple[Known, Mapped]]:
    passing = []
    for before, item in items:
        verdict = apply_rules(item, intake.work.rules, intake.run.rulebook)
        if isinstance(verdict, Refused):
            refused.append(verdict)
        else:
            passing.append((before, verdict))
    return passing


def _merge(
    unit: Unit, intake: Intake, items: Sequence[tuple[Known, Mapped]], *, applies_guarded: bool
) -> tuple[list[tuple[Known, Mapped, str]], list[PutOff]]:
    """What of the known records is kept, and which changes wait for the volume guard."""
    work, fields = intake.work, intake.run.rulebook.hub_fields
    guard = None if applies_guarded else work.guard
    if not items or (work.merge is None and guard is None and not fields):
        return [(before, item, _remark(before)) for before, item in items], []
    stored = records.bodies(unit, intake.kind, [before.record_id for before, _ in items])
    merged: list[tuple[Known, Mapped, str]] = []
    put_off: list[PutOff] = []
    for before, item in items:
        former = stored[before.record_id]
        if guard is not None and (change := guard(former, item.record)):
            put_off.append(PutOff(before.remote_id, f"{item.record.label}: {change}"))
            continue
        record, remark = work.merge(former, item.record) if work.merge else (item.record, _remark(before))
        record = _keep_fields(former, record, fields)
        if record is not item.record:
            item = item._replace(record=record, body=encode(record))  # noqa: PLW2901
        merged.append((before, item, remark))
    return merged, put_off


def _keep_fields(former: Record, record: Record, fields: Sequence[str]) -> Record:
    """Fields whose system of record is the hub stay as they are."""
    kept = {name: getattr(former, name) for name in fields if hasattr(former, name)}
    if all(getattr(record, name) == value for name, value in kept.items()):
        return record
    return type(record)(**{name: kept.get(name, getattr(record, name)) for name in record.__struct_fields__})


def _odd(record: Record) -> str:
    """What its connector found odd about a new record, such as totals that do not add up; it came in all the same."""
    return " ".join(record.remarks) if isinstance(record, Order) else ""


def _remark(before: Known) -> str:
    return "back in the shop" if before.is_gone else ""


def _create(unit: Unit, intake: Intake, items: Sequence[Mapped]) -> list[Line]:
    if not items:
        return []
    linked = links.find(unit, intake.integration_id, kind=intake.kind, items=items)
    fresh = [item for item in items if item.record.remote_id not in linked]
    ids = records.insert(unit, intake.integration_id, kind=intake.kind, savings=[Saving(*item) for item in fresh])
    lines: list[Line] = [
        (record_id, item.record.remote_id, item.record.label, "created", _odd(item.record))
        for record_id, item in zip(ids, fresh, strict=True)
    ]
    owners = list(zip(ids, fresh, strict=True))
    if linked:
        tied = [(linked[item.record.remote_id], item) for item in items if item.record.remote_id in linked]
        rows = [(item.record.remote_id, record_id, item.fingerprint) for record_id, item in tied]
        references.refer(unit, intake.integration_id, kind=intake.kind, rows=rows)
        lines += [
            (record_id, item.record.remote_id, item.record.label, "updated", "linked by SKU or barcode")
            for record_id, item in tied
        ]
        owners += tied
    _keep_more(unit, intake, owners, are_new=not linked)
    return lines


def _update(unit: Unit, intake: Intake, items: Sequence[tuple[Known, Mapped, str]]) -> list[Line]:
    if not items:
        return []
    changes = [(before.record_id, Saving(*item)) for before, item, _ in items]
    records.update(unit, intake.integration_id, kind=intake.kind, changes=changes)
    _keep_more(unit, intake, [(before.record_id, item) for before, item, _ in items], are_new=False)
    return [
        (before.record_id, before.remote_id, item.record.label, "updated", remark) for before, item, remark in items
    ]


def _keep_more(unit: Unit, intake: Intake, saved: Sequence[tuple[int, Mapped]], *, are_new: bool) -> None:
    """What lives and dies with the records just saved: parts, blobs, reservations."""
    kind = intake.work.kind
    if kind is Product:
        items = {item.record.remote_id: record_id for record_id, item in saved}
        items |= _keep_parts(unit, intake, saved, are_new=are_new)
        reservations.attach(unit, intake.integration_id, items)
    elif kind is Order:
        _take_shipped(unit, intake, [item.record for _, item in saved])
        reservations.replace(unit, intake.integration_id, [item.record for _, item in saved], is_held=False)
    blobs.keep(unit, (blob for _, item in saved for blob in item.record.blobs))


def _take_shipped(unit: Unit, intake: Intake, orders: Sequence[Order]) -> None:
    """What an order had reserved has left the house when the shop says it was shipped."""
    for order in orders:
        if order.fate == "shipped":
            stock.take_order(
                unit,
                intake.integration_id,
                order.remote_id,
                warehouses=intake.run.rulebook.warehouses,
                reason=f"order {order.number} shipped in the shop",
                execution_id=intake.run.execution.id,
            )


def _keep_parts(unit: Unit, intake: Intake, saved: Sequence[tuple[int, Mapped]], *, are_new: bool) -> dict[str, int]:
    """Variants have records and references of their own; those no longer told of are gone."""
    parts = {part.remote_id: (owner, part) for owner, item in saved for part in item.record.parts}
    integration_id, kind = intake.integration_id, Variant.kind
    if not are_new:
        owners = [owner for owner, _ in saved]
        orphans = references.parts_besides(unit, integration_id, kind=kind, parents=owners, remote_ids=list(parts))
        references.mark_gone(unit, integration_id, kind=kind, remote_ids=orphans)
    if not parts:
        return {}
    known = references.known(unit, integration_id, kind=kind, remote_ids=list(parts))
    new: list[tuple[int, Mapped]] = []
    changes: list[tuple[int, Saving]] = []
    for remote_id, (owner, part) in parts.items():
        body = encode(part)
        mapped = Mapped(part, body, records.fingerprint(body))
        before = known.get(remote_id)
        if before is None:
            new.append((owner, mapped))
        elif before.fingerprint != mapped.fingerprint or before.is_gone:
            changes.append((before.record_id, Saving(*mapped)))
    records.update(unit, integration_id, kind=kind, changes=changes)
    linked = links.find(unit, integration_id, kind=kind, items=[item for _, item in new])
    rows = [
        (i.record.remote_id, linked[i.record.remote_id], i.fingerprint) for _, i in new if i.record.remote_id in linked
    ]
    references.refer(unit, integration_id, kind=kind, rows=rows)
    fresh = [(owner, item) for owner, item in new if item.record.remote_id not in linked]
    ids = records.insert(
        unit,
        integration_id,
        kind=kind,
        savings=[Saving(*item) for _, item in fresh],
        parents=[owner for owner, _ in fresh],
    )
    return {
        **{remote_id: before.record_id for remote_id, before in known.items()},
        **linked,
        **{item.record.remote_id: record_id for record_id, (_, item) in zip(ids, fresh, strict=True)},
    }
