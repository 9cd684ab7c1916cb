"""Images: listed in bulk, the bytes fetched one by one, a lost one never in the way of the others."""

from collections.abc import Iterator

import pytest

from connectors.prestashop.simulator import build_sample_shop
from domain.errors import NeedsAttention, PlatformError, Skip
from domain.records import Product, ProductImage
from engine.connector import Reading
from tests.connectors.prestashop.opened import Opened, opened

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


@pytest.fixture(params=["json", "xml"])
def sample(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The sample shop, in each format."""
    with opened(build_sample_shop(), format=request.param) as shop:
        yield shop


def read(shop: Opened, *parents: str, **reading: object) -> dict[str, object]:
    """The images of these products."""
    return shop.records(ProductImage, Reading(page_size=20, parents=parents, **reading))  # type: ignore[arg-type]


def test_images_come_with_their_bytes_the_cover_first(sample: Opened) -> None:
    """In the order the product lists them."""
    added = sample.shop.add_image(1, JPEG)
    sample.shop.update("products", 1, {"id_default_image": added})
    found = read(sample, "1", "6")
    assert list(found) == [f"1-{added}", "1-1", "1-2", "6-6"]
    cover = found[f"1-{added}"]
    assert isinstance(cover, ProductImage)
    assert (cover.product_remote_id, cover.position) == ("1", 0)
    assert (cover.content.content, cover.content.media_type) == (JPEG, "image/jpeg")
    assert sample.by_id(Product, "1")["1"].image_ids == (f"1-{added}", "1-1", "1-2")


def test_a_list_of_images_is_one_request_for_many_products(sample: Opened) -> None:
    """The shop's own list of images would be one each, and 404 where there are none."""
    parents = [str(number) for number in range(1, 20)]
    found = read(sample, *parents, "999", "nonsense")
    lines = sample.requests()
    assert len([line for line in lines if "/api/products?" in line]) == 1
    assert len(lines) == 1 + len(found)


def test_products_without_images_and_products_that_are_gone_have_none(sample: Opened) -> None:
    """No error, no record."""
    bare = sample.shop.add_product("Without pictures")
    assert read(sample, str(bare), "999") == {}
    assert read(sample) == {}


def test_images_the_hub_has_are_not_fetched_again(sample: Opened) -> None:
    """Only their ids are looked at."""
    found = read(sample, "1", known=lambda ids: {"1-1"} & set(ids))
    assert list(found) == ["1-2"]
    assert [line for line in sample.requests() if "images/products/1/1" in line] == []


def test_an_image_lost_in_the_shop_is_skipped_and_the_others_come(sample: Opened) -> None:
    """Its product still lists it."""
    sample.server.faults.add("vanished_row", path="images/products/1/2", times=None)
    found = read(sample, "1", "6")
    assert [type(one) for one in found.values()] == [ProductImage, Skip, ProductImage]


def test_an_image_that_is_none_asks_for_attention_and_the_others_come(sample: Opened) -> None:
    """A page of the shop in place of a picture."""
    sample.server.faults.add("html_page", path="images/products/1/2", times=None)
    found = read(sample, "1", "6")
    assert [type(one) for one in found.values()] == [ProductImage, NeedsAttention, ProductImage]


def test_a_shop_that_is_down_is_an_error_not_a_loss(sample: Opened) -> None:
    """The whole reading is tried again later."""
    sample.server.faults.add("fatal", path="images/products/1/2", times=None)
    with pytest.raises(PlatformError):
        read(sample, "1", "6")


def test_pages_stay_small_and_an_interrupted_reading_goes_on(sample: Opened) -> None:
    """Bytes are heavy; a product's images stay together."""
    for _ in range(14):
        sample.shop.add_image(6, JPEG)
    parents = ("1", "6", "7", "1", "8")
    pages = list(sample.pages(ProductImage, Reading(page_size=20, parents=parents)))
    assert [page.position for page in pages] == ["6", "8"]
    rest = read(sample, *parents, position="6")
    assert {name.partition("-")[0] for name in rest} == {"7", "8", "1"}
    assert read(sample, *parents, position="gone").keys() == read(sample, *parents).keys()


def test_the_digest_is_that_of_the_bytes(sample: Opened) -> None:
    """Read twice it is the same; another picture makes another."""
    first = [page.digest for page in sample.pages(ProductImage, Reading(page_size=20, parents=("6",)))]
    assert [page.digest for page in sample.pages(ProductImage, Reading(page_size=20, parents=("6",)))] == first
    sample.shop.image_files[6, 6] = JPEG
    sample.shop.edit_product(6)
    assert [page.digest for page in sample.pages(ProductImage, Reading(page_size=20, parents=("6",)))] != first


def test_single_images_are_read_again_by_product_and_image(sample: Opened) -> None:
    """An image id alone cannot be asked for."""
    assert list(sample.by_id(ProductImage, "1-2", "6-6", "6-99", "x")) == ["1-2", "6-6"]
