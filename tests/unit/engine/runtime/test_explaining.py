"""Why a level differs, from what both sides are known to have done."""

from decimal import Decimal

import pytest

from engine.runtime.stock_check.explaining import explain, may_be_sold
from storage.queries.differences import Explanation
from storage.queries.effects import Latest
from storage.queries.stock import Item
from storage.rows import EffectState


def an_item(available: int | None = 5, delivered: int | None = 5, *, own: int = 0, held: int = 0) -> Item:
    def quantity(value: int | None) -> Decimal | None:
        return None if value is None else Decimal(value)

    return Item(
        "product",
        *("1", 1, "sku-1", False),
        quantity(available),
        quantity(available),
        *(Decimal(own), Decimal(held)),
        quantity(delivered),
        None,
    )


@pytest.mark.parametrize(
    ("item", "remote", "unseen", "expected"),
    [
        (an_item(None), 5, 0, Explanation.UNKNOWN),
        (an_item(), 3, 2, Explanation.IN_FLIGHT),
        (an_item(9), 3, 2, Explanation.IN_FLIGHT),
        (an_item(9), 5, 0, Explanation.PENDING_EXPORT),
        (an_item(), 7, 0, Explanation.CHANGED_REMOTELY),
        (an_item(), 3, 0, Explanation.CHANGED_REMOTELY),
        (an_item(9), 7, 0, Explanation.PENDING_EXPORT),
        (an_item(4, own=2), 3, 0, Explanation.PENDING_EXPORT),
        (an_item(4, own=2), 2, 1, Explanation.IN_FLIGHT),
        (an_item(0, 0, own=2), -2, 0, Explanation.IN_FLIGHT),
        (an_item(5, None), 7, 0, Explanation.UNKNOWN),
        (an_item(5, None, own=2), 7, 0, Explanation.IN_FLIGHT),
        (an_item(5, None, held=2, own=1), 3, 0, Explanation.IN_FLIGHT),
        (an_item(5, None), 3, 2, Explanation.IN_FLIGHT),
    ],
)
def test_each_gap_has_its_explanation(item: Item, remote: int, unseen: int, expected: Explanation) -> None:
    explanation, detail = explain(item, Decimal(remote), unseen=Decimal(unseen))
    assert explanation is expected
    assert detail.endswith(".")


@pytest.mark.parametrize("state", [EffectState.WITHHELD, EffectState.UNKNOWN, EffectState.FAILED])
def test_a_level_never_told_that_waits_is_a_pending_export_which_says_why(state: EffectState) -> None:
    item = an_item(5, None)._replace(latest=Latest(1, state, {"quantity": "5"}, None))
    explanation, detail = explain(item, Decimal(7), unseen=Decimal(0))
    assert explanation is Explanation.PENDING_EXPORT
    assert detail.startswith("The shop was never told a level.")
    assert not detail.endswith("next export.") or state is EffectState.FAILED


@pytest.mark.parametrize(
    ("item", "remote", "expected"),
    [(an_item(), 3, True), (an_item(), 7, False), (an_item(5, None), 3, True), (an_item(None, None), 3, False)],
)
def test_only_a_level_below_what_was_told_may_be_sold(item: Item, remote: int, expected: bool) -> None:
    assert may_be_sold(item, Decimal(remote)) is expected
