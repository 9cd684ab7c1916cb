"""What is on hand, what is promised, and what an integration may therefore offer."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from domain.rulebook import Rulebook
from storage.bulk import insert_rows
from storage.database import Database, Unit
from storage.queries import integrations, records, reservations, stock
from storage.queries import references as reference_rows
from storage.queries.records import Saving, encode, fingerprint
from storage.queries.stock import Item, Sharing
from storage.tables import references
from storage.types import instant_to_driver
from tests.builders import a_line, a_product, a_variant, an_order


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    """Two integrations that sell the same three items; the second from the outlet as well."""

    def work(unit: Unit) -> dict[str, int]:
        found = {
            name: integrations.insert(
                unit, name=name, connector="x", time_zone="UTC", settings={}, rulebook={"warehouses": warehouses}
            )
            for name, warehouses in (("one", ["main"]), ("two", ["main", "outlet"]), ("far", ["island"]))
        }
        products = [a_product(item) for item in ("1", "2", "3")]
        savings = [Saving(row, encode(row), fingerprint(encode(row))) for row in products]
        record_ids = records.insert(unit, found["one"], kind="product", savings=savings)
        for name in ("two", "far"):
            reference_rows.refer(
                unit,
                found[name],
                kind="product",
                rows=[(f"{name}-{row.remote_id}", i, b"") for row, i in zip(products, record_ids, strict=True)],
            )
        return found | dict(zip(("1", "2", "3"), record_ids, strict=True))

    return database.write(work)


def share(unit: Unit, integration_id: int, *, buffer: int = 0, subtracts_own: bool = True) -> Sharing:
    row = integrations.get(unit, integration_id)
    assert row is not None
    warehouses = Rulebook(**row.rulebook).warehouses
    return stock.sharing(
        unit, integration_id, warehouses=warehouses, buffer=Decimal(buffer), subtracts_own=subtracts_own
    )


def offered(database: Database, integration_id: int, **more: int | bool) -> dict[str, Decimal | None]:
    """By remote id; a glance tells the same."""

    def read(unit: Unit) -> Sequence[Item]:
        shared = share(unit, integration_id, **more)  # type: ignore[arg-type]
        items = stock.items(unit, shared).items
        glances = stock.glance(unit, shared, ["?", *(item.remote_id for item in items)])
        assert glances == {item.remote_id: (item.record_id, item.available, item.delivered) for item in items}
        return items

    return {item.remote_id: item.available for item in database.read(read)}


def level(database: Database, *levels: tuple[int, str, str]) -> None:
    wanted = {(record_id, warehouse): Decimal(on_hand) for record_id, warehouse, on_hand in levels}
    database.write(lambda unit: stock.set_levels(unit, wanted, reason="counted"))


def test_what_is_available_is_on_hand_less_what_everybody_promised(database: Database, ids: dict[str, int]) -> None:
    level(database, (ids["1"], "main", "10"), (ids["1"], "outlet", "4.5"), (ids["2"], "main", "1"))

    def promise(unit: Unit) -> None:
        reservations.replace(unit, ids["one"], [an_order("1", lines=(a_line("1", 2),))], is_held=False)
        reservations.replace(unit, ids["one"], [an_order("2", lines=(a_line("1", 1),))], is_held=True)
        reservations.replace(unit, ids["two"], [an_order("3", lines=(a_line("two-1", 3),))], is_held=False)
        reservations.replace(unit, ids["far"], [an_order("4", lines=(a_line("far-1", 4),))], is_held=False)

    database.write(promise)
    assert offered(database, ids["one"]) == {"1": Decimal(4), "2": Decimal(1), "3": None}
    assert offered(database, ids["two"])["two-1"] == Decimal("9.5")
    assert offered(database, ids["far"])["far-1"] is None
    assert offered(database, ids["one"], buffer=2) == {"1": Decimal(2), "2": Decimal(0), "3": None}
    assert offered(database, ids["one"], subtracts_own=False)["1"] == Decimal(7)


def test_an_order_that_leaves_is_taken_from_the_warehouses_in_their_order(
    database: Database, ids: dict[str, int]
) -> None:
    level(database, (ids["1"], "main", "2"), (ids["1"], "outlet", "5"))

    def leave(unit: Unit, order: str, quantity: int) -> None:
        lines = (a_line("two-1", quantity), a_line("two-1", 1), a_line("unknown", 1))
        reservations.replace(unit, ids["two"], [an_order(order, lines=lines)], is_held=False)
        stock.take_order(unit, ids["two"], order, warehouses=("main", "outlet"), reason=f"order {order}")

    database.write(lambda unit: leave(unit, "a", 3))
    assert database.read(lambda unit: stock.levels_of(unit, ids["1"])) == {"main": 0, "outlet": 3}
    database.write(lambda unit: leave(unit, "b", 4))
    assert database.read(lambda unit: stock.levels_of(unit, ids["1"])) == {"main": -2, "outlet": 0}
    history = database.read(lambda unit: stock.movements(unit, ids["1"]))
    assert [(row.warehouse, row.change) for row in history if row.reason == "order b"] in (
        [("main", -2), ("outlet", -3)],
        [("outlet", -3), ("main", -2)],
    )
    assert offered(database, ids["two"])["two-1"] == 0


def test_a_shop_that_shows_what_can_be_sold_starts_the_hub_with_its_orders_on_top(
    database: Database, ids: dict[str, int]
) -> None:
    def start(unit: Unit, *, is_sellable: bool) -> None:
        reservations.replace(unit, ids["one"], [an_order("1", lines=(a_line("1", 2),))], is_held=True)
        stock.save_levels(
            unit,
            ids["one"],
            {ids["1"]: Decimal(5)},
            warehouse="main",
            is_sellable=is_sellable,
            reason="imported",
        )

    database.write(lambda unit: start(unit, is_sellable=True))
    assert offered(database, ids["one"])["1"] == 5
    assert database.read(lambda unit: stock.levels_of(unit, ids["1"])) == {"main": 7}
    database.write(lambda unit: start(unit, is_sellable=False))
    assert database.read(lambda unit: stock.levels_of(unit, ids["1"])) == {"main": 5}


def test_an_equal_level_moves_nothing(database: Database, ids: dict[str, int]) -> None:
    level(database, (ids["1"], "main", "5"))
    level(database, (ids["1"], "main", "5.000"))
    assert len(database.read(lambda unit: stock.movements(unit, ids["1"]))) == 1


def test_items_come_in_pages_each_once_and_products_sold_as_variants_not_at_all(
    database: Database, ids: dict[str, int]
) -> None:
    def add(unit: Unit) -> None:
        variants = [a_variant(f"3-{number}") for number in range(5)]
        savings = [Saving(row, encode(row), b"") for row in variants]
        records.insert(unit, ids["one"], kind="variant", savings=savings, parents=[ids["3"]] * 5)
        insert_rows(
            unit,
            references,
            ("integration_id", "kind", "remote_id", "record_id", "fingerprint", "changed_at", "gone_at"),
            [
                (ids["one"], "product", "gone", 999, b"", *[instant_to_driver(unit.now, unit.dialect)] * 2),
            ],
        )

    database.write(add)
    seen: list[str] = []
    after: tuple[str, str] | None = stock.START
    while after is not None:
        start = after
        page = database.read(
            lambda unit: stock.items(unit, share(unit, ids["one"]), after=start, count=2)  # noqa: B023
        )
        seen += [item.remote_id for item in page.items]
        after = page.after
    assert seen == ["1", "2", "3-0", "3-1", "3-2", "3-3", "3-4"]
    chosen = database.read(lambda unit: stock.chosen(unit, share(unit, ids["one"]), ["3", "3-1", "gone", "?"]))
    assert {remote_id: item.has_variants for remote_id, item in chosen.items()} == {"3": True, "3-1": False}


def test_items_are_found_by_id_sku_and_barcode(database: Database, ids: dict[str, int]) -> None:
    def find(text: str) -> list[str]:
        return database.read(lambda unit: stock.find(unit, ids["one"], text))

    assert find("2") == ["2"]
    assert find(" SKU-2 ") == ["2"]
    assert find("nothing") == []
