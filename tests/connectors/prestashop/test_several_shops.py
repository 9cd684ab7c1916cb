"""One PrestaShop with several shops: each integration sees and changes its own."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from connectors.prestashop.simulator import SAMPLE_KEY, Shop, build_sample_shop
from domain.errors import PermissionMissing, SettingsInvalid
from domain.records import Order, Product, StockLevel
from engine.connector import Receipt
from tests.connectors.prestashop.opened import Opened, opened
from tests.connectors.prestashop.test_stock_writing import change


@pytest.fixture
def installation() -> Shop:
    """A second shop that has stock of one of the products of the first."""
    sample = build_sample_shop()
    sample.add_shop("Second shop", folder="second/")
    sample.add_stock_row(6, shop=2, quantity=5)
    return sample


@pytest.fixture(params=["json", "xml"])
def second(installation: Shop, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The second shop."""
    with opened(installation, shop_id=2, format=request.param) as shop:
        yield shop


def test_every_request_names_the_shop(second: Opened) -> None:
    """Without it the shop that owns the host name would answer."""
    second.records(Product)
    second.records(StockLevel)
    second.records(Order)
    assert all("id_shop=2" in line for line in second.requests())


def test_stock_rows_of_other_shops_are_no_stock_of_this_one(second: Opened) -> None:
    """Lists of stock hold every shop's rows, whatever shop is asked."""
    levels = second.records(StockLevel)
    assert [(level.item_remote_id, level.quantity) for level in levels.values()] == [("6", Decimal(5))]
    with opened(second.shop, shop_id=1) as first:
        assert len(first.records(StockLevel)) == 47


def test_a_quantity_is_written_to_the_row_of_this_shop(second: Opened) -> None:
    """And the other shop's stays."""
    before = second.shop.stock_of(6)
    assert isinstance(second.send(StockLevel, change("6", "9"))[0], Receipt)
    assert second.shop.stock_of(6, shop=2) == 9
    assert second.shop.stock_of(6) == before


def test_without_a_number_the_shop_s_only_shop_is_meant() -> None:
    """Also where it is not number 1."""
    with opened(build_sample_shop()) as shop:
        assert shop.account.shop_id == 1
        shop.records(StockLevel)
        assert all("id_shop%5D" in line or "id_shop]" in line for line in shop.requests() if "stock_availables" in line)


def test_shops_that_share_their_stock_use_the_rows_of_their_group() -> None:
    """Shop 0 of the group."""
    sample = build_sample_shop()
    sample.update("shop_groups", 1, {"share_stock": 1})
    row = sample.tables["stock_availables"].insert(
        {"id_product": 6, "id_product_attribute": 0, "id_shop": 0, "id_shop_group": 1, "quantity": 77}
    )
    with opened(sample, shop_id=1) as shop:
        levels = shop.records(StockLevel)
        assert [(name, level.quantity) for name, level in levels.items()] == [(str(row), Decimal(77))]
        assert isinstance(shop.send(StockLevel, change("6", "70"))[0], Receipt)
        assert sample.tables["stock_availables"].rows[row]["quantity"] in {70, "70"}


def test_a_shop_that_does_not_exist_or_is_not_the_key_s_is_told(installation: Shop) -> None:
    """Before anything is read."""
    with pytest.raises(SettingsInvalid), opened(installation, shop_id=77):
        pass

    installation.add_key(SAMPLE_KEY, shops=(1,))
    with pytest.raises(PermissionMissing), opened(installation, shop_id=2):
        pass


def test_settings_of_a_shop_go_before_those_of_all(installation: Shop) -> None:
    """Time zone and names are set shop by shop."""
    for name, value in (("PS_TIMEZONE", "America/New_York"), ("PS_WEIGHT_UNIT", "lb")):
        installation.insert("configurations", {"name": name, "value": value, "id_shop": 2, "id_shop_group": 1})
        installation.insert("configurations", {"name": name, "value": "nonsense", "id_shop": 3, "id_shop_group": 1})
        installation.insert("configurations", {"name": name, "value": "nonsense", "id_shop": 0, "id_shop_group": 1})
    with opened(installation, shop_id=2) as shop:
        assert shop.account.facts.time_zone == "America/New_York"
    with opened(installation, shop_id=1) as shop:
        assert shop.account.facts.time_zone == "Europe/Paris"
