"""Stock of the hub: what there is of an item, correcting it, and the differences a stock check found."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.errors import UserError
from domain.records import StockLevel
from engine.actions import rulebooks
from engine.actions.names import NamedFeed, feed_of, integration_named
from engine.flow import Export
from engine.runtime.outbound import stock as sharing
from engine.runtime.outbound import withheld
from engine.runtime.platform import Platform
from engine.runtime.production import installation
from engine.runtime.stock_check import repairs
from engine.runtime.stock_check.repairs import Direction
from storage.database import Unit
from storage.queries import audit, differences, feeds, records, stock
from storage.queries.differences import DifferenceLine, DifferenceState, Explanation
from storage.queries.records import RecordRow
from storage.queries.stock import MovementRow


@dataclass(frozen=True, slots=True)
class ItemLevel:
    """What there is of one item: by warehouse, what is promised to orders, and what the integration may offer."""

    row: RecordRow
    remote_id: str
    on_hand: dict[str, Decimal]
    reserved: Decimal
    available: Decimal | None
    movements: Sequence[MovementRow]


def show(platform: Platform, unit: Unit, name: str, text: str) -> list[ItemLevel]:
    """Every item of an integration with this SKU, barcode or id in the shop."""
    integration = integration_named(unit, name)
    share = sharing.sharing(
        unit,
        integration.id,
        connector=platform.registry.connector(integration.connector),
        rulebook=rulebooks.read(integration),
    )
    found = stock.chosen(unit, share, stock.find(unit, integration.id, text))
    if not found:
        raise UserError(f"{name} has no item “{text}”. Find one with: navette records list product --find <SKU>")
    shown = []
    for item in found.values():
        if item.has_variants:
            continue
        row = records.get(unit, item.record_id)
        assert row is not None, "a reference points to it"
        shown.append(
            ItemLevel(
                row=row,
                remote_id=item.remote_id,
                on_hand=stock.levels_of(unit, item.record_id),
                reserved=item.own_open + item.own_held,
                available=item.available,
                movements=stock.movements(unit, item.record_id, count=20),
            )
        )
    if not shown:
        raise UserError(f"“{text}” is sold in variants, which have the stock. Name a variant by its SKU.")
    return shown


def adjust(
    platform: Platform,
    name: str,
    text: str,
    *,
    to: Decimal | None = None,
    by: Decimal | None = None,
    warehouse: str = "",
    reason: str,
    person: str,
) -> ItemLevel:
    """Correct what is on hand of one item: to a quantity, or by a difference. Kept as a movement with its reason."""
    if (to is None) == (by is None):
        raise UserError("Say what is on hand now (--to 12) or what changed (--by -3), one of the two.")
    if to is not None and to < 0:
        raise UserError("What is on hand is 0 or more.")
    if not reason.strip():
        raise UserError("Say why the level is corrected; the reason is kept.")

    def work(unit: Unit) -> ItemLevel:
        item = _only_one(show(platform, unit, name, text), text)
        place = warehouse or rulebooks.read(integration_named(unit, name)).warehouses[0]
        key = (item.row.id, place)
        if to is not None:
            stock.set_levels(unit, {key: to}, reason=reason.strip(), person=person)
        elif by is not None:
            stock.change_levels(unit, {key: by}, reason=reason.strip(), person=person)
        audit.record(
            unit,
            person=person,
            action="adjust_stock",
            subject=item.row.label,
            detail={"warehouse": place, "to": _text(to), "by": _text(by), "reason": reason.strip()},
        )
        return _only_one(show(platform, unit, name, text), text)

    return platform.database.write(work)


def _only_one(items: Sequence[ItemLevel], text: str) -> ItemLevel:
    if len(items) > 1:
        named = ", ".join(f"{item.row.label} (#{item.remote_id})" for item in items)
        raise UserError(f"Several items are called “{text}”: {named}. Name one by its id in the shop, without the #.")
    return items[0]


def _text(quantity: Decimal | None) -> str:
    return "" if quantity is None else str(quantity)


# --- differences --------------------------------------------------------------------------------------------------


def listed_differences(
    unit: Unit,
    *,
    of: str = "",
    states: Sequence[DifferenceState] = (DifferenceState.OPEN,),
    explanation: Explanation | None = None,
    count: int = 100,
    after: int = 0,
) -> list[DifferenceLine]:
    """What the last stock check found and nobody has dealt with."""
    integration_id = integration_named(unit, of).id if of else None
    return differences.listed(
        unit, integration_id=integration_id, states=states, explanation=explanation, count=count, after=after
    )


def repair(platform: Platform, difference_ids: Sequence[int], *, direction: Direction, person: str) -> int:
    """Make both sides equal for chosen differences of one integration: send the hub's level, or take over the shop's."""

    def work(unit: Unit) -> int:
        named = _exporting(platform, unit, difference_ids)
        because = withheld.reason(
            mode=named.integration.mode, is_live=named.feed.is_live, is_confirmed=installation.is_confirmed(unit)
        )
        return repairs.repair(
            unit,
            difference_ids,
            direction=direction,
            feed=named.feed,
            connector=platform.registry.connector(named.integration.connector),
            rulebook=rulebooks.read(named.integration),
            withheld_because=because,
            person=person,
        )

    return platform.database.write(work)


def accept(platform: Platform, difference_ids: Sequence[int], *, person: str) -> int:
    """Live with chosen differences as long as neither side changes."""

    def work(unit: Unit) -> int:
        _integration_of(unit, difference_ids)
        return repairs.accept(unit, difference_ids, person=person)

    return platform.database.write(work)


def undo(platform: Platform, difference_ids: Sequence[int], *, person: str) -> int:
    """Take back what was done about chosen differences."""

    def work(unit: Unit) -> int:
        named = _exporting(platform, unit, difference_ids)
        return repairs.undo(
            unit,
            difference_ids,
            feed=named.feed,
            connector=platform.registry.connector(named.integration.connector),
            rulebook=rulebooks.read(named.integration),
            person=person,
        )

    return platform.database.write(work)


def _integration_of(unit: Unit, difference_ids: Sequence[int]) -> int:
    found = differences.get(unit, difference_ids)
    missing = sorted(set(difference_ids) - {row.id for row in found})
    if missing or not found:
        raise UserError(
            f"There is no difference {', '.join(map(str, missing))}. List them with: navette stock differences"
        )
    owners = {row.integration_id for row in found}
    if len(owners) > 1:
        raise UserError("These differences belong to several integrations; name those of one at a time.")
    return owners.pop()


def _exporting(platform: Platform, unit: Unit, difference_ids: Sequence[int]) -> NamedFeed:
    """The feed that sends stock levels to the shop these differences were found in."""
    integration_id = _integration_of(unit, difference_ids)
    for feed in feeds.listed(unit, integration_id=integration_id):
        work = platform.registry.flow(feed.flow).work
        if isinstance(work, Export) and work.kind is StockLevel:
            return feed_of(unit, feed.id)
    raise UserError("This shop takes no stock levels, so there is nothing that could be sent. Accept the differences.")
