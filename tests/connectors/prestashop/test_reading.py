"""Full readings: every version, both formats, the odd records of real shops."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from connectors.prestashop.simulator import build_sample_shop, oddities
from domain.errors import NeedsAttention, Skip
from domain.records import Component, Money, Order, Product, ProductSupplier, StockLevel, Supplier
from engine.connector import Reading
from tests.connectors.prestashop.opened import Opened, opened

KINDS = (Product, Order, StockLevel, Supplier, ProductSupplier)


@pytest.fixture(params=["json", "xml"])
def sample(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The sample shop, in each format."""
    with opened(build_sample_shop(), format=request.param) as shop:
        yield shop


@pytest.mark.parametrize("version", ["1.6.1.24", "1.7.8.11", "8.2.1", "9.0.0"])
def test_every_version_gives_the_same_records_in_both_formats(version: str) -> None:
    """JSON and XML are two writings of one shop."""
    found = {}
    for chosen in ("json", "xml"):
        with opened(build_sample_shop(version=version), format=chosen) as shop:
            found[chosen] = {kind: shop.records(kind) for kind in KINDS}
    assert found["json"] == found["xml"]
    assert [len(found["json"][kind]) for kind in KINDS] == [19, 16, 47, 3, 62]


def test_odd_records_read_alike_in_both_formats_and_only_drafts_stay_out() -> None:
    """Neither broken CDATA nor control characters, emoji, empty names or doubled references lose a record."""
    odd = build_sample_shop()
    oddities.add(odd)
    found = {}
    for chosen in ("json", "xml"):
        with opened(odd, format=chosen) as shop:
            found[chosen] = {
                kind: {name: _comparable(record) for name, record in shop.records(kind, page_size=4).items()}
                for kind in KINDS
            }
    assert found["json"] == found["xml"]
    problems = [one for one in found["json"][Product].values() if isinstance(one, tuple)]
    assert problems == [(Skip, "draft")] * 2
    assert not [one for one in found["json"][Order].values() if isinstance(one, tuple)]


def test_a_product_comes_with_its_variants_priced_in_full(sample: Opened) -> None:
    """A combination's price and weight are differences; the record has sums."""
    product = sample.records(Product)["1"]
    assert product.sku == "demo_1"
    assert product.name == "Hummingbird printed t-shirt"
    assert product.price == Money(Decimal("23.9"), "EUR")
    assert product.purchase_price == Money(Decimal("5.49"), "EUR")
    assert product.weight == Decimal("0.3")
    assert product.image_ids == ("1-1", "1-2")
    assert [variant.remote_id for variant in product.variants] == [f"1-{number}" for number in range(1, 9)]
    large = product.variants[6]
    assert (large.sku, large.name) == ("demo_1-XL-WHT", "Hummingbird printed t-shirt (Size: XL - Color: White)")
    assert (large.price, large.weight) == (Money(Decimal("25.9"), "EUR"), Decimal("0.35"))


def test_a_pack_lists_what_it_holds(sample: Opened) -> None:
    """Packs are products whose components are known."""
    assert sample.records(Product)["15"].components == (Component("5-19", Decimal(1)), Component("7", Decimal(1)))


def test_virtual_and_inactive_products_say_so(sample: Opened) -> None:
    """Neither is left out."""
    products = sample.records(Product)
    assert products["12"].is_virtual
    assert not products["11"].is_active
    assert products["1"].is_active


def test_names_come_in_the_language_asked_for() -> None:
    """By code or by number."""
    for language in ("fr", "FR ", "2"):
        with opened(build_sample_shop(), language=language) as shop:
            assert shop.by_id(Product, "1")["1"].name == "T-shirt imprimé colibri"


def test_descriptions_are_read_only_when_asked_for(sample: Opened) -> None:
    """They make every page several times larger."""
    assert sample.by_id(Product, "1")["1"].description == ""
    with opened(build_sample_shop(), format=sample.settings.format, reads_descriptions=True) as shop:
        assert shop.by_id(Product, "1")["1"].description


def test_a_page_of_products_costs_two_requests_whatever_its_size(sample: Opened) -> None:
    """Never a request per product."""
    census = sample.census(Product, 10)
    for page in sample.pages(Product, Reading(page_size=10, census=census)):
        page.raws()
    lists = [line for line in sample.requests() if "/api/products?" in line or "/api/combinations?display=full" in line]
    assert len(lists) == 1 + 2 * 2 + 1  # the census; two pages; what was added meanwhile


def test_a_shop_without_combinations_is_not_asked_for_them_page_by_page() -> None:
    """One probe, then no more."""
    bare = build_sample_shop()
    for row in [dict(row) for row in bare.tables["combinations"]]:
        bare.delete_combination(int(str(row["id"])))
    with opened(bare) as shop:
        assert len(shop.records(Product)) == 19
        assert len([line for line in shop.requests() if "combinations" in line]) == 1


def test_the_digest_changes_when_an_attribute_is_renamed_and_only_then(sample: Opened) -> None:
    """The name of a variant depends on more than the product."""
    first = [page.digest for page in sample.pages(Product)]
    sample.account = sample.reopened()
    assert [page.digest for page in sample.pages(Product)] == first
    sample.shop.update("product_option_values", 1, {"name": {1: "Small", 2: "Petit"}})
    sample.account = sample.reopened()
    assert next(sample.pages(Product)).digest != first[0]
    assert sample.records(Product)["1"].variants[0].name == "Hummingbird printed t-shirt (Size: Small - Color: White)"


def test_an_interrupted_reading_goes_on_behind_its_last_page(sample: Opened) -> None:
    """Even where the census has changed in between."""
    for kind in KINDS:
        whole = list(sample.records(kind))
        pages = sample.pages(kind, page_size=1)
        first, second = next(pages), next(pages)
        pages.close()
        seen = [name for page in (first, second) for name, _ in sample.mapped(kind, page)]
        census = sample.census(kind, 7)
        rest = sample.records(kind, Reading(page_size=7, census=census, position=second.position))
        assert [*seen, *rest] == whole


@pytest.mark.parametrize("kind", KINDS)
def test_rows_deleted_and_added_while_paging_shift_nothing(kind: type) -> None:
    """What is deleted may be missing, what was added since the census comes at the end, all others come once."""
    with opened(build_sample_shop()) as shop:
        before = list(shop.records(kind))
        resource = {
            Product: "products",
            Order: "orders",
            StockLevel: "stock_availables",
            Supplier: "suppliers",
            ProductSupplier: "product_suppliers",
        }[kind]
        shop.account = shop.reopened()
        pages = shop.pages(kind, page_size=3 if kind is not Supplier else 1)
        gone = before[-1]
        row = dict(shop.shop.tables[resource].rows[int(gone)])
        row.pop("id")
        added = str(shop.shop.insert(resource, row))
        seen = [name for name, _ in shop.mapped(kind, next(pages))]
        shop.shop.delete(resource, int(gone))
        seen += [name for page in pages for name, _ in shop.mapped(kind, page)]
        assert len(seen) == len(set(seen))
        assert set(before) - {gone} <= set(seen)
        assert added in seen


def test_the_row_that_sums_up_combinations_is_no_stock_level(sample: Opened) -> None:
    """It is not sold, and pushing it would be undone."""
    levels = sample.records(StockLevel)
    assert {level.item_remote_id for level in levels.values()}.isdisjoint({"1", "2", "3", "4", "5"})
    assert levels["20"].item_remote_id == "1-1"
    assert levels["20"].quantity == Decimal(12)
    assert len(sample.census(StockLevel)) == len(levels)


def test_stock_may_be_below_zero() -> None:
    """Sold beyond what was there."""
    shop = build_sample_shop()
    shop.set_stock(6, -4)
    with opened(shop) as open_shop:
        assert open_shop.by_id(StockLevel, "6")["6"].quantity == Decimal(-4)


def test_the_price_of_a_supplier_has_the_currency_it_is_in(sample: Opened) -> None:
    """Currency 0 is the shop's own; a price of 0 is none."""
    links = sample.records(ProductSupplier)
    assert links["74"].purchase_price == Money(Decimal("3.1"), "EUR")
    sample.shop.update("product_suppliers", 74, {"id_currency": 0})
    sample.shop.update("product_suppliers", 1, {"product_supplier_price_te": "0.000000"})
    links = sample.records(ProductSupplier)
    assert links["74"].purchase_price == Money(Decimal("3.1"), "EUR")
    assert links["1"].purchase_price is None
    sample.shop.update("product_suppliers", 74, {"id_currency": 77})
    problem = sample.records(ProductSupplier)["74"]
    assert isinstance(problem, NeedsAttention)
    assert problem.cause == "unknown_currency:77"


def test_single_records_are_read_again_in_bulk_and_those_gone_are_absent(sample: Opened) -> None:
    """One request for all, not one each."""
    assert list(sample.by_id(Product, "6", "1-3", "99999", "nonsense")) == ["1", "6"]
    assert list(sample.by_id(Order, "9", "99999", "x")) == ["9"]
    assert list(sample.by_id(StockLevel, "20", "1", "99999")) == ["20"]
    assert list(sample.by_id(Supplier, "2", "99999")) == ["2"]
    assert list(sample.by_id(ProductSupplier, "74", "99999")) == ["74"]
    assert sample.by_id(Product) == {}


def test_people_find_records_by_what_they_call_them(sample: Opened) -> None:
    """A SKU of a product or a combination in any case, a reference, a name, an id."""
    assert sample.find(Product, " DEMO_11 ") == ["6"]
    assert sample.find(Product, "demo_1-S-BLK") == ["1"]
    assert sample.find(Product, "1-3") == ["1"]
    assert sample.find(Product, "[1|2]") == []
    assert sample.find(Order, "qovwctkju") == ["9"]
    assert sample.find(Order, "#9") == ["9"]
    assert sample.find(Order, "nothing") == []
    assert sample.find(StockLevel, "demo_1-S-BLK") == ["21"]
    assert sample.find(StockLevel, "1-2") == ["21"]
    assert sample.find(StockLevel, "6") == ["6"]
    assert sample.find(Supplier, "northwind wholesale") == ["3"]
    assert sample.find(Supplier, "3") == ["3"]
    assert sample.find(ProductSupplier, "NW-MUG-11") == ["74"]
    assert sample.find(ProductSupplier, "6") == ["1", "74"]
    assert sample.find(ProductSupplier, "%") == []


def _comparable(result: object) -> object:
    return (type(result), result.cause) if isinstance(result, Skip | NeedsAttention) else result
