"""``navette stock``: what there is, correcting it, and the differences a stock check found."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from console.terminal.session import AsJson, Count, Person, session
from console.terminal.tables import Column, console, facts, say, show, table, tell_json
from console.terminal.words import counted, moment, quantity
from domain.errors import UserError
from engine.actions import stock as actions
from engine.actions.names import integration_named
from engine.actions.stock import ItemLevel
from engine.runtime.stock_check.repairs import Direction
from storage.queries.differences import DifferenceLine, DifferenceState, Explanation
from storage.queries.stock import MovementRow

app = typer.Typer(no_args_is_help=True, help="See and correct stock levels and differences.")

Name = Annotated[str, typer.Argument(metavar="INTEGRATION", help="The integration's name.")]
Item = Annotated[str, typer.Argument(metavar="ITEM", help="SKU, barcode or id in the shop.")]
Numbers = Annotated[list[int], typer.Argument(metavar="DIFFERENCE...", help="Their numbers.")]


@app.command("show")
def show_item(name: Name, item: Item, as_json: AsJson = False) -> None:
    """Show what there is of an item, what is promised, what the shop may offer, and its movements."""
    with session() as platform:
        levels = platform.database.read(lambda unit: actions.show(platform, unit, name, item))
        zone = platform.database.read(lambda unit: integration_named(unit, name)).time_zone
        if as_json:
            tell_json(levels)
            return
        for level in levels:
            _tell(level)
            console().print(table(level.movements, _movements(zone), title="Movements, newest first"))


def _tell(level: ItemLevel) -> None:
    facts(
        [
            ("item", level.row.label),
            ("name", str(getattr(level.row.record, "name", ""))),
            ("id in the shop", level.remote_id),
            *((f"on hand in {place}", quantity(amount)) for place, amount in level.on_hand.items()),
            ("promised to orders", quantity(level.reserved)),
            ("available to the shop", quantity(level.available) if level.available is not None else "not known yet"),
        ]
    )


def _movements(zone: str) -> tuple[Column[MovementRow], ...]:
    return (
        Column("at", lambda row: row.at, "when", lambda row: moment(row.at, zone)),
        Column("warehouse", lambda row: row.warehouse, "warehouse"),
        Column(
            "change",
            lambda row: row.change,
            "change",
            lambda row: f"{'+' if row.change > 0 else ''}{quantity(row.change)}",
            is_number=True,
        ),
        Column("on_hand", lambda row: row.on_hand, "on hand", lambda row: quantity(row.on_hand), is_number=True),
        Column("reason", lambda row: row.reason, "reason"),
        Column("person", lambda row: row.person, "by"),
    )


@app.command("adjust")
def adjust(
    name: Name,
    item: Item,
    person: Person,
    reason: Annotated[str, typer.Option(help="Why; kept with the movement.")],
    to: Annotated[str, typer.Option(metavar="QUANTITY", help="What is on hand now.")] = "",
    by: Annotated[str, typer.Option(metavar="CHANGE", help="What changed, such as -3.")] = "",
    warehouse: Annotated[str, typer.Option(help="Empty: the integration's first.")] = "",
) -> None:
    """Correct what is on hand of an item."""
    with session() as platform:
        level = actions.adjust(
            platform,
            name,
            item,
            to=_quantity(to),
            by=_quantity(by),
            warehouse=warehouse,
            reason=reason,
            person=person,
        )
        _tell(level)


def _quantity(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UserError(f"“{text}” is not a quantity.") from None
    if not number.is_finite() or number != number.quantize(Decimal("0.001")):
        raise UserError(f"“{text}” is not a quantity: at most three decimals.")
    return number


COLUMNS: tuple[Column[DifferenceLine], ...] = (
    Column("id", lambda line: line.difference.id, "no.", is_number=True),
    Column("integration", lambda line: line.integration, "shop"),
    Column("label", lambda line: line.difference.label, "item"),
    Column("target", lambda line: line.difference.target, "id there"),
    Column("hub", lambda line: line.difference.hub, "here", lambda line: quantity(line.difference.hub), is_number=True),
    Column(
        "remote",
        lambda line: line.difference.remote,
        "there",
        lambda line: quantity(line.difference.remote),
        is_number=True,
    ),
    Column(
        "explanation",
        lambda line: line.difference.explanation,
        "explained by",
        lambda line: line.difference.explanation.replace("_", " "),
    ),
    Column("detail", lambda line: line.difference.detail, "in words"),
    Column("state", lambda line: line.difference.state, "state"),
    Column("at", lambda line: line.difference.at),
)


@app.command("differences")
def list_differences(
    of: Annotated[str, typer.Argument(metavar="[INTEGRATION]", help="Only this integration.")] = "",
    states: Annotated[
        list[DifferenceState] | None, typer.Option("--state", help="Only this state; may be repeated.")
    ] = None,
    explanation: Annotated[Explanation | None, typer.Option(help="Only those explained so.")] = None,
    count: Count = 100,
    as_json: AsJson = False,
) -> None:
    """List what differs between here and there, each difference explained."""
    with session() as platform, platform.database.reading() as unit:
        rows = actions.listed_differences(
            unit, of=of, states=states or (DifferenceState.OPEN,), explanation=explanation, count=count
        )
        show(
            rows,
            COLUMNS,
            as_json=as_json,
            empty="No open difference. Compare both sides with: navette feeds run <integration>/check_stock --wait",
        )


@app.command("repair")
def repair(
    numbers: Numbers,
    person: Person,
    direction: Annotated[
        Direction, typer.Option(help="send: the hub is right; adopt: the shop is right.")
    ] = Direction.SEND,
) -> None:
    """Make both sides equal for chosen differences."""
    with session() as platform:
        count = actions.repair(platform, numbers, direction=direction, person=person)
        words = "sent by the next export of stock" if direction is Direction.SEND else "taken over from the shop"
        say(f"{counted(count, 'level')} {words}. Take it back with: navette stock undo {' '.join(map(str, numbers))}")


@app.command("accept")
def accept(numbers: Numbers, person: Person) -> None:
    """Live with chosen differences, as long as neither side changes."""
    with session() as platform:
        count = actions.accept(platform, numbers, person=person)
        say(f"{counted(count, 'difference')} accepted.")


@app.command("undo")
def undo(numbers: Numbers, person: Person) -> None:
    """Take back what was done about chosen differences."""
    with session() as platform:
        count = actions.undo(platform, numbers, person=person)
        say(f"Taken back for {counted(count, 'difference')}.")
