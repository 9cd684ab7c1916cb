"""Stock levels into the hub: a level belongs to an item known already, and every change of it is kept as a movement."""

from collections import Counter

from domain.records import StockLevel
from engine.connector import StockMeaning
from engine.runtime.inbound.intake import Intake
from engine.runtime.inbound.position import PutOff
from engine.runtime.inbound.verdicts import Verdicts
from storage.database import Unit
from storage.queries import references, stock
from storage.queries.outcomes import Line
from storage.queries.reservations import ITEM_KINDS


def save(
    unit: Unit, intake: Intake, verdicts: Verdicts, *, applies_guarded: bool
) -> tuple[list[Line], Counter[str], list[PutOff]]:
    """Save the levels of a page. Returns outcome lines, counts without a line, and the changes put off for the volume guard."""
    run = intake.run
    levels: dict[str, StockLevel] = {item.record.item_remote_id: item.record for item in verdicts.mapped.values()}
    items = {
        remote_id: known.record_id
        for kind in ITEM_KINDS
        for remote_id, known in references.known(
            unit, intake.integration_id, kind=kind, remote_ids=list(levels)
        ).items()
    }
    warehouse = run.rulebook.warehouses[0]
    guard = None if applies_guarded else intake.work.guard
    put_off: list[PutOff] = []
    wanted: dict[int, StockLevel] = {}
    lines: list[Line] = []
    for item, level in levels.items():
        record_id = items.get(item)
        if record_id is None:
            lines.append((None, level.remote_id, f"#{item}", "skipped", "its product is not imported"))
        elif guard is not None and (change := guard(_level_of(unit, record_id, warehouse, level), level)):
            put_off.append(PutOff(level.remote_id, f"#{item}: {change}"))
        else:
            wanted[record_id] = level
    moved = stock.save_levels(
        unit,
        intake.integration_id,
        {record_id: level.quantity for record_id, level in wanted.items()},
        warehouse=warehouse,
        is_sellable=run.connector.stock_meaning is StockMeaning.SELLABLE,
        reason=f"imported from {run.integration.name}",
        execution_id=run.execution.id,
    )
    for movement in moved:
        level = wanted[movement.record_id]
        outcome = "created" if movement.change == movement.on_hand else "updated"
        lines.append((movement.record_id, level.remote_id, f"#{level.item_remote_id}", outcome, f"{movement.on_hand}"))
    unchanged = len(wanted) - len(moved) + verdicts.repeated + len(verdicts.mapped) - len(levels)
    return lines, Counter(unchanged=unchanged), put_off


def _level_of(unit: Unit, record_id: int, warehouse: str, level: StockLevel) -> StockLevel:
    known = stock.levels_of(unit, record_id).get(warehouse)
    return StockLevel(
        remote_id=level.remote_id,
        item_remote_id=level.item_remote_id,
        quantity=level.quantity if known is None else known,
    )
