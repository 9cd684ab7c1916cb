"""Made-up shops, odd records, and life."""

from datetime import UTC, datetime

import pytest

from connectors.prestashop.simulator import (
    SAMPLE_KEY,
    PrestashopSimulator,
    build_bare_shop,
    build_generated_shop,
    build_sample_shop,
    simulator,
)
from connectors.prestashop.simulator.generated import barcode
from connectors.prestashop.simulator.life import ShopLife
from tests.connectors.prestashop.simulator.talking import talking

UNTIL = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _all(**how: object) -> dict[str, dict[int, dict]]:
    shop = build_generated_shop(until=UNTIL, **how)  # type: ignore[arg-type]
    return {name: table.rows for name, table in shop.tables.items()}


def test_the_same_seed_gives_the_same_shop_and_another_seed_another() -> None:
    first, again = _all(products=60, seed=7, odd=True), _all(products=60, seed=7, odd=True)

    assert first == again
    assert first != _all(products=60, seed=8, odd=True)


def test_a_generated_shop_has_what_it_was_asked_for() -> None:
    shop = build_generated_shop(products=300, seed=1, orders=40, customers=10, until=UNTIL)

    products = shop.table("products")
    with_combinations = [row for row in products if row["product_type"] == "combinations"]
    assert (len(products), len(shop.table("orders")), len(shop.table("customers"))) == (300, 40, 10)
    assert 10 <= len(with_combinations) <= 60
    for row in with_combinations:
        combinations = shop.table("combinations").related("id_product", row["id"])
        assert 2 <= len(combinations) <= 6
        assert shop.stock_of(row["id"]) == sum(shop.stock_of(row["id"], attribute=one["id"]) for one in combinations)
    assert {row["current_state"] for row in shop.table("orders")} == set(range(1, 14))
    assert shop.changes == []


def test_a_shop_without_combinations_and_one_where_everything_has_some() -> None:
    assert len(build_generated_shop(products=50, combinations_share=0).table("combinations")) == 0
    everything = build_generated_shop(products=20, combinations_share=1)
    assert {row["product_type"] for row in everything.table("products")} == {"combinations"}


def test_a_shop_that_sells_nothing_has_no_orders() -> None:
    assert len(build_generated_shop(products=0).table("orders")) == 0


def test_orders_come_one_after_the_other_up_to_now() -> None:
    shop = build_generated_shop(products=30, seed=3, until=UNTIL)

    moments = [str(row["date_add"]) for row in shop.table("orders")]
    assert max(moments) <= shop.local(UNTIL)
    assert min(moments) < "2026-11-13"


def test_barcodes_carry_their_check_digit() -> None:
    code = barcode(123)

    weights = [1, 3] * 6 + [1]
    assert len(code) == 13
    assert sum(int(digit) * weight for digit, weight in zip(code, weights, strict=True)) % 10 == 0


def test_odd_shops_hold_the_records_that_break_careless_readers() -> None:
    with talking(build_generated_shop(products=10, seed=1, odd=True)) as talk:
        products = talk.rows("products", language="1")
        orders = talk.rows("orders")
        references = [row["reference"] for row in products]
        assert references.count("") == 2
        assert [one.strip().lower() for one in references].count("twice-1") == 4
        assert any(row["price"] == "0.000000" for row in products)
        assert any(row["state"] == "0" for row in products)
        assert any("]]>" in row["name"] for row in products)
        assert any("\x0b" in row["name"] for row in products)
        assert any("🍵" in row["name"] for row in products)
        assert any(len(row["name"]) == 128 for row in products)
        assert any(row["name"] == "" for row in products)
        assert any(row["id_carrier"] == "0" for row in orders)
        assert any(row["id_carrier"] == "9999" for row in orders)
        assert any(float(row["total_paid"]) == 0 for row in orders)
        assert sorted(row["reference"] for row in orders).count("SPLITCART") == 2
        assert any(int(row["quantity"]) < 0 for row in talk.rows("stock_availables"))
        assert talk.rows("carriers", **{"filter[deleted]": "1"})
        assert talk.rows("customers", **{"filter[deleted]": "1"})
        assert talk.rows("order_slip")
        assert any("associations" not in row for row in talk.rows("combinations"))
        bought = {line["product_id"] for row in orders for line in row["associations"]["order_rows"]}
        assert bought - {str(row["id"]) for row in products}


def test_the_same_seed_gives_the_same_life_and_each_event_happens() -> None:
    def live(steps: int) -> list[str]:
        life = ShopLife(build_generated_shop(products=30, seed=2, until=UNTIL), seed=5)
        return [life.step() for _ in range(steps)]

    events = live(120)
    assert events == live(120)
    for word in ("placed", "paid", "cancelled", "edited", "sold", "joined"):
        assert any(word in event for event in events), word


def test_life_begins_with_people_where_nothing_is_sold() -> None:
    life = ShopLife(build_bare_shop(), seed=1)

    assert all("joined" in life.step() for _ in range(30))


def test_life_finds_no_order_to_pay_and_makes_one() -> None:
    shop = build_generated_shop(products=5, orders=0, seed=1)
    life = ShopLife(shop, seed=1)
    for _ in range(40):
        life.step()

    assert len(shop.table("orders")) > 0


def test_what_happens_by_itself_is_served() -> None:
    with talking(build_sample_shop(), seed=3) as talk:
        before = len(talk.rows("orders", display="[id]"))
        talk.client.post("/_simulator/life", json={"steps": 25})

        assert len(talk.rows("orders", display="[id]")) > before


@pytest.mark.parametrize(("products", "count"), [(0, 19), (12, 12)])
def test_the_command_line_gets_the_sample_or_a_shop_of_the_size_it_asks_for(products: int, count: int) -> None:
    app = simulator(products=products, seed=4)
    app.started("http://127.0.0.1:1234")

    described = app.describe()
    assert described["settings"] == {"url": "http://127.0.0.1:1234", "key": SAMPLE_KEY}
    assert described["counts"]["products"] == count  # type: ignore[index]
    assert app.name == "prestashop"


def test_a_shop_without_a_key_describes_none() -> None:
    shop = build_sample_shop()
    shop.keys.clear()

    assert PrestashopSimulator(shop).describe()["settings"] == {"url": "http://", "key": ""}


def test_settings_are_written_and_changed() -> None:
    shop = build_sample_shop()
    shop.configure("PS_TAX", "0")
    shop.configure("PS_NEW", "1")

    assert (shop.configuration("PS_TAX"), shop.configuration("PS_NEW"), shop.configuration("PS_NONE")) == ("0", "1", "")


def test_times_are_the_shops_own() -> None:
    shop = build_sample_shop(timezone="America/New_York")

    assert shop.local(UNTIL) == "2026-11-21 07:00:00"
