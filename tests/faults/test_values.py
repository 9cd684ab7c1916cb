"""Values no shop should send, through the real connector and engine: each costs its own record, by name, and no other."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_sample_shop
from engine.actions import mappings
from engine.actions import stock as stock_actions
from engine.simulation.server import serve
from storage.database import Unit
from storage.queries import stock
from storage.rows import Execution, State
from tests.faults.spoiling import in_rows, spoil
from tests.installation import ADMINISTRATOR, Installation, installed

BROKEN = {
    1: ("price", b'"NaN"', "price"),
    2: ("price", b'"-Infinity"', "price"),
    3: ("price", b"1e400", "price"),
    4: ("price", b'"1e400"', "price"),
    5: ("price", b'"1,5"', "price"),
    6: ("price", b'"-1.5"', "price"),
    7: ("price", b"9" * 5000, "price"),
    8: ("price", b"9" * 300, "price"),
    9: ("price", b'"1e30"', "price"),
    10: ("price", b'"1","price":"2"', "price"),
    11: ("reference", b'"' + b"x" * 10_000_000 + b'"', "reference"),
    12: ("reference", b'"a\\u0000b"', "reference"),
    13: ("reference", b'"\\ud800"', "not valid Unicode"),
    14: ("weight", b'"heavy"', "weight"),
    15: ("name", b'"a\\u0000b"', "name"),
    16: ("id_supplier", b'"two"', "id_supplier"),
}
"""By product: a field, what it holds, and what the issue names."""
FINE = {17: ("price", b"-0"), 18: ("price", b'"-0.000000"'), 19: ("weight", b'"1.0E-5"')}


@pytest.fixture
def sample() -> Shop:
    return build_sample_shop()


@pytest.fixture
def shop(sample: Shop, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with (
        serve(PrestashopSimulator(sample)) as server,
        installed(tmp_path, database_url, server, page_size=10) as installation,
    ):
        for carrier in ("1", "2"):
            mappings.set_entry(
                installation.platform, "shop", "shipping_method", carrier, "parcel", person=ADMINISTRATOR
            )
        yield installation


def told(shop: Installation, execution: Execution) -> dict[str, tuple[str, str]]:
    """Outcome and reason by remote id."""
    return {row.remote_id: (row.outcome, row.reason) for row in shop.outcomes(execution)}


def orders(shop: Installation, *numbers: int) -> dict[str, tuple[str, str]]:
    """Read these orders; outcome and reason of each."""
    return told(shop, shop.run("import_new_orders", scope={"ids": [str(number) for number in numbers]}))


# --- single fields


def test_a_value_that_cannot_be_costs_its_own_product_and_is_named(shop: Installation) -> None:
    changes = {number: (field, value) for number, (field, value, _) in BROKEN.items()} | FINE
    spoil(shop.server, "api/products.*display=", in_rows(changes))
    execution = shop.run("update_products")
    assert execution.state is State.SUCCEEDED_WITH_ISSUES
    assert (execution.created, execution.failed) == (len(FINE), len(BROKEN))
    outcomes = told(shop, execution)
    for number, (_, _, named) in BROKEN.items():
        outcome, reason = outcomes[str(number)]
        assert outcome == "failed", number
        assert named in reason
        assert len(reason) < 500
    stored = shop.records("product")
    assert set(stored) == {str(number) for number in FINE}
    assert [str(stored[number].record.price.amount) for number in ("17", "18")] == ["0", "0"]
    assert {issue.records for issue in shop.issues() if "price" in issue.cause} <= set(range(1, 11))
    assert all(issue.remedy for issue in shop.issues() if issue.records)


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [(b"NaN", False), (b"-Infinity", False), (b"[" * 100_000 + b"]" * 100_000, True)],
    ids=["nan", "inf", "deep"],
)
def test_an_answer_that_is_no_json_costs_its_record_or_is_refused_whole(
    shop: Installation, value: bytes, is_refused: bool
) -> None:
    spoil(shop.server, "api/products.*display=", in_rows({6: ("price", value)}))
    execution = shop.run("update_products")
    if is_refused:
        assert (execution.state, execution.error_code) == (State.FAILED, "unexpected_format")
        assert shop.records("product") == {}
    else:
        assert (execution.created, execution.failed) == (18, 1)
        assert "price" in told(shop, execution)["6"][1]


def test_a_quantity_that_is_none_costs_its_own_level(shop: Installation) -> None:
    shop.run("update_products")
    rows = {
        6: ("quantity", b'"NaN"'),
        12: ("quantity", b'"1e400"'),
        13: ("quantity", b'"1.5"'),
        14: ("quantity", b'"99999999999"'),
        15: ("quantity", b'"-3"'),
    }
    spoil(shop.server, "api/stock_availables.*display=", in_rows(rows))
    shop.run("import_new_orders")
    execution = shop.run("import_stock")
    outcomes = told(shop, execution)
    assert {number: outcomes[number][0] for number in ("6", "12", "13", "14")} == dict.fromkeys(
        ("6", "12", "13", "14"), "failed"
    )
    assert outcomes["15"] == ("created", "-3"), "levels may be below zero"
    assert execution.failed == 4


# --- twins


def test_skus_that_differ_by_case_spaces_or_composition_are_one_sku_and_keep_stock_of_their_own(
    shop: Installation, sample: Shop
) -> None:
    """Six and seven on one page, fourteen on the next; eight and nineteen are NFC and NFD."""
    for product, sku in ((6, "Mug"), (7, " mug "), (14, "MUG"), (8, "café"), (19, "cafe\N{COMBINING ACUTE ACCENT}")):
        sample.edit_product(product, reference=sku)
    execution = shop.run("update_products")
    assert (execution.state, execution.created) == (State.SUCCEEDED, 19)
    (issue,) = [issue for issue in shop.issues() if issue.cause == "shared_skus"]
    assert "“Mug” (#6, #7, #14)" in issue.message.replace("“mug”", "“Mug”").replace("“MUG”", "“Mug”")
    assert "#8, #19" in issue.message
    shop.run("import_new_orders")
    assert shop.run("import_stock").failed == 0
    rows = shop.records("product")

    def on_hand(unit: Unit) -> list[Decimal]:
        return [stock.levels_of(unit, rows[number].id)["main"] for number in ("6", "7", "14")]

    before = shop.platform.database.read(on_hand)
    assert len(set(before)) == 3
    stock_actions.adjust(shop.platform, "shop", "6", to=Decimal(77), reason="counted", person=ADMINISTRATOR)
    assert shop.platform.database.read(on_hand) == [Decimal(77), *before[1:]]
    shop.run("export_stock")
    assert {line.effect.target for line in shop.withheld()} >= {"6"}
    assert {line.effect.target for line in shop.withheld()}.isdisjoint({"7", "14"})
    for product, sku in ((7, "other"), (14, "another"), (19, "third")):
        sample.edit_product(product, reference=sku)
    shop.run("update_products")
    (issue,) = [issue for issue in shop.issues() if issue.cause == "shared_skus"]
    assert "#6" not in issue.message


# --- money


def test_a_currency_the_shop_does_not_have_is_neither_guessed_nor_converted(shop: Installation, sample: Shop) -> None:
    sample.update("orders", 14, {"id_currency": 7})
    outcomes = orders(shop, 14, 15)
    assert outcomes["14"][0] == "failed"
    assert "currency" in outcomes["14"][1]
    assert outcomes["15"][0] == "created"
    assert set(shop.records("order")) == {"15"}
    (issue,) = [issue for issue in shop.issues() if issue.cause == "unknown_currency:7"]
    assert issue.records == 1


def test_odd_money_is_kept_to_the_digit_in_its_own_currency_and_said(shop: Installation, sample: Shop) -> None:
    """Real shops hold such orders, paid and waiting to be sent: nothing of them is rounded, defaulted or converted."""
    yen = sample.insert("currencies", {"name": "Yen", "symbol": "¥", "iso_code": "JPY", "numeric_iso_code": "392"})
    sample.update("orders", 14, {"id_currency": yen})
    sample.update("orders", 15, {"total_paid_tax_incl": "99.000000"})
    sample.update("orders", 8, {"total_paid_tax_incl": "22.690000"})
    outcomes = orders(shop, 8, 14, 15)
    stored = {number: row.record for number, row in shop.records("order").items()}
    assert (stored["14"].currency, stored["14"].totals.total) == ("JPY", Decimal("28.56"))
    assert "finer than the smallest coin" in outcomes["14"][1]
    assert stored["15"].totals.total == Decimal(99)
    assert "Totals differ by 76.32 EUR" in outcomes["15"][1]
    assert outcomes["8"] == ("created", ""), "a coin for each line is rounding"


def test_numbers_no_order_can_hold_cost_that_order_only(shop: Installation, sample: Shop) -> None:
    """They once ended the whole execution: a total with thirty digits, a thousandth of a thousandth of a piece."""
    lines = {int(str(row["id_order"])): int(str(row["id"])) for row in sample.tables["order_details"]}
    sample.update("orders", 6, {"total_paid_tax_incl": "1e30"})
    for order, quantity in ((8, "0.0001"), (10, "99999999999999"), (14, "NaN"), (9, "-2")):
        sample.update("order_details", lines[order], {"product_quantity": quantity})
    outcomes = orders(shop, 6, 8, 9, 10, 14, 15)
    assert {number for number, (outcome, _) in outcomes.items() if outcome == "failed"} == {"6", "8", "9", "10", "14"}
    assert "total_paid_tax_incl" in outcomes["6"][1]
    assert all("product_quantity" in outcomes[number][1] for number in ("8", "9", "10", "14"))
    assert outcomes["15"][0] == "created"


def test_an_order_that_is_far_too_long_is_refused_and_the_next_one_comes(shop: Installation, sample: Shop) -> None:
    """A million lines are beyond what is read of one answer; in this installation that is 16 million bytes."""
    spoil(shop.server, "api/orders.*display=full", lambda body: body.replace(b'"order_rows":[', _MANY_LINES, 1))
    execution = shop.run("import_new_orders", scope={"ids": ["14"]})
    assert (execution.state, execution.error_code) == (State.FAILED, "too_large")
    assert shop.records("order") == {}
    shop.server.faults.clear()
    assert orders(shop, 14)["14"][0] == "created"


_MANY_LINES = b'"order_rows":[' + b'{"id":"9","product_id":"1","product_quantity":"1"},' * 400_000
