"""What an integration may offer of each item, and what people and shops do to the levels."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from domain.errors import UserError
from domain.rulebook import Rulebook
from engine.connector import Connector, StockMeaning, quantity_json
from engine.runtime.outbound.plans import Candidate, Planner, PlanPage
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import audit
from storage.queries import stock as levels
from storage.queries.effects import Effect
from storage.queries.stock import Item, Movement, Sharing, level_value


def sharing(unit: Unit, integration_id: int, *, connector: Connector, rulebook: Rulebook) -> Sharing:
    """How stock is counted for an integration: by its rules, and by what its shop's quantities mean."""
    return levels.sharing(
        unit,
        integration_id,
        warehouses=rulebook.warehouses,
        buffer=rulebook.safety_buffer,
        subtracts_own=connector.stock_meaning is StockMeaning.SELLABLE,
    )


def sharing_of(run: Run) -> Sharing:
    """How stock is counted for the integration of a run."""
    return run.database.read(
        lambda unit: sharing(unit, run.integration.id, connector=run.connector, rulebook=run.rulebook)
    )


def item_pages(run: Run, share: Sharing) -> Iterator[list[Item]]:
    """All items of the integration, each page read in a transaction of its own."""
    after: tuple[str, str] | None = levels.START
    while after is not None:
        start = after
        page = run.database.read(lambda unit: levels.items(unit, share, after=start))  # noqa: B023 - called at once
        yield page.items
        after = page.after


def scoped(run: Run) -> list[str] | None:
    """The items the execution is narrowed to; None: all. Raises ``UserError`` when nothing is called so."""
    scope = run.execution.scope or {}
    if "ids" in scope:
        return list(scope["ids"])
    if "find" not in scope:
        return None
    found = run.database.read(lambda unit: levels.find(unit, run.integration.id, scope["find"]))
    if not found:
        raise UserError(f"{run.integration.title or run.integration.name} sells no item called “{scope['find']}”.")
    return found


# --- export -------------------------------------------------------------------------------------------------------


def _size(run: Run) -> int:
    return run.database.read(lambda unit: levels.size(unit, run.integration.id))


def _pages(run: Run) -> Iterator[PlanPage]:
    share = sharing_of(run)
    wanted = scoped(run)
    if wanted is not None:
        items = run.database.read(lambda unit: levels.chosen(unit, share, wanted))
        yield _plan_page([item for item in items.values() if not item.has_variants])
        return
    for page in item_pages(run, share):
        yield _plan_page(page)


def _plan_page(items: Sequence[Item]) -> PlanPage:
    """Items no warehouse holds a level of are none of the hub's business: showing them as sold out would be a guess."""
    candidates: list[Candidate] = []
    unchanged = offered = 0
    for item in items:
        if item.available is None:
            continue
        if item.delivered:
            offered += 1
        if item.available == item.delivered and item.latest is None:
            unchanged += 1
        else:
            candidates.append(candidate(item))
    return PlanPage(candidates, unchanged=unchanged, offered=offered)


def candidate(item: Item) -> Candidate:
    """What must be told about an item whose level the hub knows."""
    assert item.available is not None
    base = item.latest.id if item.latest is not None else 0
    after = level_value(item.remote_id, item.available)
    return Candidate(
        identity=f"stock:{item.remote_id}:{base}:{after['quantity']}",
        target=item.remote_id,
        label=item.label,
        record_id=item.record_id,
        before=None if item.delivered is None else level_value(item.remote_id, item.delivered),
        after=None if item.available == item.delivered else after,
        latest=item.latest,
        zeroes=f"{quantity_json(item.delivered)} → 0" if item.delivered and not item.available else "",
    )


def _confirmed(_unit: Unit, _effects: Sequence[Effect]) -> None:
    """What was delivered is kept with the receipt; there is nothing more to do."""


PLANNER = Planner(size=_size, pages=_pages, confirmed=_confirmed, is_recomputed=True)


# --- levels -------------------------------------------------------------------------------------------------------


def adjust(
    unit: Unit, record_id: int, *, warehouse: str, on_hand: Decimal, person: str, reason: str = "counted"
) -> list[Movement]:
    """A person says how much there is. Raises ``UserError`` for a quantity that cannot be."""
    if not on_hand.is_finite() or on_hand < 0:
        raise UserError("On hand must be a number, zero or more.")
    if on_hand != on_hand.quantize(Decimal("0.001")):
        raise UserError("Quantities are kept to a thousandth; write at most three decimals.")
    moved = levels.set_levels(unit, {(record_id, warehouse): on_hand}, reason=reason, person=person)
    audit.record(
        unit,
        person=person,
        action="adjust_stock",
        subject=f"record {record_id}",
        detail={"warehouse": warehouse, "on_hand": quantity_json(on_hand), "reason": reason},
    )
    return moved
