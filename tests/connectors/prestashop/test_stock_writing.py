"""Writing quantities: several at once, an outcome each, nothing else touched."""

from collections.abc import Iterator

import pytest

from connectors.prestashop.simulator import SAMPLE_KEY, build_sample_shop
from domain.errors import LeaseLost, NotFound, OutcomeUnknown, RequestRefused, Withheld
from domain.records import StockLevel
from engine.connector import Change, Operation, Receipt
from engine.http.gate import shut
from tests.connectors.prestashop.opened import Between, Opened, opened


@pytest.fixture(params=["8.2.1 json", "8.2.1 xml", "1.7.8.11 json", "1.6.1.24 xml", "9.0.0 json"])
def sample(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Shops that can change single fields, and shops that need the whole row back."""
    version, _, chosen = request.param.partition(" ")
    with opened(build_sample_shop(version=version), format=chosen) as shop:
        yield shop


def change(item: str, quantity: object) -> Change:
    """As the engine makes them."""
    after = {"remote_id": item, "item_remote_id": item, "quantity": quantity}
    return Change(identity=f"stock:{item}", target=item, before=None, after=after)


def test_quantities_of_products_and_combinations_are_written_in_one_request(sample: Opened) -> None:
    """And read back in one: that is the evidence."""
    receipts = sample.send(StockLevel, change("6", "33"), change("1-1", "0"), change("7", "-2"))
    assert receipts == [
        Receipt(evidence={"row": "6", "quantity": "33"}),
        Receipt(evidence={"row": "20", "quantity": "0"}),
        Receipt(evidence={"row": "7", "quantity": "-2"}),
    ]
    assert [sample.shop.stock_of(6), sample.shop.stock_of(1, attribute=1), sample.shop.stock_of(7)] == [33, 0, -2]
    writes = [line for line in sample.requests() if not line.startswith("GET")]
    is_modern = sample.account.facts.version >= (8,)
    assert [line.partition(" ")[0] for line in writes] == ["PATCH" if is_modern else "PUT"]


def test_nothing_else_of_a_row_changes(sample: Opened) -> None:
    """A row written back without its shop would be lost to the shop."""
    table = sample.shop.tables["stock_availables"]
    table.update(
        6, {"out_of_stock": 1, **({"location": "A & <B>"} if sample.account.facts.version >= (1, 7, 5) else {})}
    )
    names = [field.name for field in table.resource.fields if field.name != "quantity"]
    before = {name: str(table.value(table.rows[6], name)) for name in names}
    sample.send(StockLevel, change("6", "33"))
    assert {name: str(table.value(table.rows[6], name)) for name in names} == before
    assert sample.by_id(StockLevel, "6")["6"].item_remote_id == "6"


def test_what_is_there_already_is_found_and_not_written(sample: Opened) -> None:
    """Nothing leaves."""
    quantity = str(sample.shop.stock_of(6))
    assert sample.send(StockLevel, change("6", quantity)) == [
        Receipt(evidence={"row": "6", "quantity": quantity}, was_found=True)
    ]
    assert sample.server.ledger.writes == ()


def test_what_cannot_be_written_is_refused_and_the_rest_is_written(sample: Opened) -> None:
    """Each with its reason, in the order asked for."""
    sample.shop.tables["stock_availables"].update(8, {"depends_on_stock": 1})
    changes = [
        change("1", "5"),
        change("8", "5"),
        change("6", "44"),
        change("999", "5"),
        change("1-999", "5"),
        change("7", "1.5"),
        change("9", "5000000000"),
        change("10", "many"),
        change("11", None),
    ]
    outcomes = sample.send(StockLevel, *changes)
    assert [type(outcome) for outcome in outcomes] == [
        *(RequestRefused, RequestRefused, Receipt, NotFound, NotFound),
        *[RequestRefused] * 4,
    ]
    messages = [outcome.message for outcome in outcomes if isinstance(outcome, RequestRefused)]
    assert "sold in combinations" in messages[0]
    assert "advanced stock management" in messages[1]
    assert "keeps no stock for item 999" in messages[2]
    assert "whole quantities only" in messages[4]
    assert sample.shop.stock_of(6) == 44
    assert len(sample.server.ledger.writes) == 1


def test_a_row_refused_by_the_shop_takes_no_other_with_it(sample: Opened) -> None:
    """Rows before it are saved, those behind it are not: they are sent again, one by one."""
    sample.server.faults.add("list_warnings", method="PUT", times=1)
    sample.server.faults.add("list_warnings", method="PATCH", times=1)
    outcomes = sample.send(StockLevel, change("6", "1"), change("7", "2"), change("8", "3"))
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 3
    assert [sample.shop.stock_of(number) for number in (6, 7, 8)] == [1, 2, 3]


def test_a_row_that_goes_on_being_refused_is_the_only_one(sample: Opened) -> None:
    """Its refusal is its outcome."""
    for method in ("PUT", "PATCH"):
        sample.server.faults.add("list_warnings", method=method, times=1)
        sample.server.faults.add("list_warnings", method=method, times=1, path="stock_availables", after=0)
    outcomes = sample.send(StockLevel, change("6", "1"), change("7", "2"))
    assert [type(outcome) for outcome in outcomes] == [RequestRefused, Receipt]
    assert sample.shop.stock_of(7) == 2


@pytest.mark.parametrize("fault", ["fatal_after_write", "warning_after_write", "cut_after_write"])
def test_a_change_that_was_made_although_the_answer_failed_gets_its_receipt(sample: Opened, fault: str) -> None:
    """What the shop shows decides."""
    sample.server.faults.add(fault, method="PUT")
    sample.server.faults.add(fault, method="PATCH")
    assert [type(outcome) for outcome in sample.send(StockLevel, change("6", "1"), change("7", "2"))] == [Receipt] * 2
    assert len(sample.server.ledger.writes) == 1


def test_a_change_that_may_have_been_made_is_unknown_and_can_be_looked_up(sample: Opened) -> None:
    """Never sent twice in one go."""
    sample.server.faults.add("fatal", method="PUT")
    sample.server.faults.add("fatal", method="PATCH")
    wanted = change("6", "1"), change("999", "2")
    outcomes = sample.send(StockLevel, *wanted)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown, NotFound]
    assert sample.look_up(StockLevel, *wanted) == [None, None]
    sample.shop.set_stock(6, 1)
    assert sample.look_up(StockLevel, *wanted) == [
        Receipt(evidence={"row": "6", "quantity": "1"}, was_found=True),
        None,
    ]


def test_a_success_that_cannot_be_read_back_is_a_success(sample: Opened) -> None:
    """The evidence says so."""
    sample.server.faults.add(
        "html_page", path="stock_availables.*filter", after=1 + (sample.account.facts.version < (8,)), times=9
    )
    outcomes = sample.send(StockLevel, change("6", "1"))
    assert isinstance(outcomes[0], Receipt)
    assert outcomes[0].evidence == {"row": "6", "written": "1", "not_read_back": "unexpected_format"}


def test_a_row_that_vanishes_before_it_is_written_back_is_not_found() -> None:
    """Shops that need the whole row read it once more."""
    with opened(build_sample_shop(version="1.7.8.11")) as shop:
        shop.account.door = Between(
            shop.door, "stock_availables", "full", lambda: shop.shop.delete("stock_availables", 6)
        )
        assert [type(outcome) for outcome in shop.send(StockLevel, change("6", "1"))] == [NotFound]


def test_without_the_right_to_patch_the_whole_row_is_written_back() -> None:
    """Keys made before PrestaShop 8 have no such right."""
    sample = build_sample_shop()
    with opened(sample) as shop:
        sample.add_key(
            SAMPLE_KEY,
            rights={"stock_availables": ("GET", "PUT"), "combinations": ("GET",), "configurations": ("GET",)},
        )
        assert isinstance(shop.send(StockLevel, change("6", "1"))[0], Receipt)
        assert [line.partition(" ")[0] for line in shop.requests() if "GET" not in line] == ["PUT"]


def test_a_shut_gate_withholds_every_change_and_nothing_leaves() -> None:
    """Test mode: what is refused or found is still told."""
    with opened(build_sample_shop(), gate=shut) as shop:
        found = str(shop.shop.stock_of(6))
        outcomes = shop.send(StockLevel, change("6", found), change("7", "5"), change("999", "1"))
        assert [type(outcome) for outcome in outcomes] == [Receipt, Withheld, NotFound]
        assert shop.server.ledger.writes == ()


def test_a_lost_lease_ends_everything() -> None:
    """It is no outcome of a change."""

    def lost(operation: Operation) -> None:
        raise LeaseLost("another worker goes on")

    with opened(build_sample_shop(), gate=lost) as shop, pytest.raises(LeaseLost):
        shop.send(StockLevel, change("7", "5"))
