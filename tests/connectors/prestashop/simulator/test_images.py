"""Images: lists, bytes, uploads, public addresses."""

from base64 import b64decode

import httpx
import pytest

from tests.connectors.prestashop.simulator.talking import Talk, codes


def test_an_image_is_a_jpeg_that_differs_from_the_others(talk: Talk) -> None:
    first, second = talk.get("images/products/1/1"), talk.get("images/products/1/2")

    assert first.headers["Content-Type"] == "image/jpeg"
    assert first.content[:2] == b"\xff\xd8"
    assert first.content != second.content
    assert talk.get("images/products/1/1/large_default").content == first.content


@pytest.mark.parametrize(
    ("place", "status", "expected"),
    [
        ("images/products/1/99", 400, [57]),
        ("images/products/1/1/nope", 400, [58]),
        ("images/products/1/first", 400, [60]),
        ("images/nothing", 400, [48]),
        ("images/categories/1", 404, []),
        ("images/products/999", 404, []),
    ],
)
def test_what_is_wrong_with_an_image_is_named(talk: Talk, place: str, status: int, expected: list[int]) -> None:
    answer = talk.get(place)

    assert (answer.status_code, codes(answer)) == (status, expected)


def test_products_with_images_are_listed(talk: Talk) -> None:
    assert 'id="16"' in talk.get("images/products").text


def test_an_upload_is_kept_and_answered_with_the_whole_file(talk: Talk) -> None:
    content = b"\xff\xd8some bytes\x00\r\n--more"

    answer = talk.client.post("/api/images/products/19", files={"image": ("a.jpg", content, "image/jpeg")})

    node = talk.node(answer)
    image = node.findtext("id")
    assert answer.status_code == 200
    assert b64decode(node.findtext("content")) == content
    assert talk.get(f"images/products/19/{image}").content == content
    assert image in [one["id"] for one in talk.row("products", **{"filter[id]": "19"})["associations"]["images"]]


def test_a_raw_body_is_76_and_an_unknown_product_404(talk: Talk) -> None:
    raw = talk.client.post("/api/images/products/19", content=b"\xff\xd8", headers={"Content-Type": "image/jpeg"})
    unknown = talk.client.post("/api/images/products/999", files={"image": b"x"})

    assert codes(raw) == [76]
    assert unknown.status_code == 404


def test_a_deleted_cover_hands_over_to_the_next_image(talk: Talk) -> None:
    assert talk.client.delete("/api/images/products/1/1").status_code == 200
    assert talk.shop.row("products", 1)["id_default_image"] == 2

    talk.client.delete("/api/images/products/1/2")
    assert talk.shop.row("products", 1)["id_default_image"] == 0
    assert talk.get("images/products/1").status_code == 404


def test_images_have_public_addresses_without_a_key(talk: Talk) -> None:
    shown = talk.get("images/products/16/18").content
    talk.shop.add_image(6, b"uploaded")
    uploaded = talk.shop.next_image - 1

    assert httpx.get(f"{talk.server.url}/18-large_default/any-name.jpg").content == shown
    assert httpx.get(f"{talk.server.url}/img/p/1/8/18.jpg").content == shown
    assert httpx.get(f"{talk.server.url}/{uploaded}/mug.jpg").content == b"uploaded"
    assert httpx.get(f"{talk.server.url}/999-large_default/any.jpg").status_code == 404
