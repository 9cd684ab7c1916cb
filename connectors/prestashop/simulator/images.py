"""``/api/images`` and the public addresses of images."""

import re
from base64 import b64decode, b64encode
from email import message_from_bytes
from typing import TYPE_CHECKING

from connectors.prestashop.simulator import root, xml_writer
from connectors.prestashop.simulator.access import READS, Place
from connectors.prestashop.simulator.refusals import Missing, Refused, did_you_mean
from connectors.prestashop.simulator.schema import Row
from engine.simulation.exchange import Request, Response

if TYPE_CHECKING:
    from connectors.prestashop.simulator.reading import Question
    from connectors.prestashop.simulator.shop import Shop

PUBLIC = re.compile(r"^/(?:[^/]+/)?(?P<image>\d+)(?:-[a-z_]+)?/[^/]+\.jpg$|^/img/p/(?:\d/)*(?P<original>\d+)\.jpg$")
# One grey pixel.
PIXEL = b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP////////////////////////////////////////////////////////////////////////////"
    "//////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQ"
    "AQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z"
)
JPEG = (("Content-Type", "image/jpeg"),)
XML = (("Content-Type", xml_writer.CONTENT_TYPE),)


def picture(shop: "Shop", product: int, image: int) -> bytes:
    """The bytes of an image: as uploaded, or one pixel with a comment that tells it from others."""
    uploaded = shop.image_files.get((product, image))
    if uploaded is not None:
        return uploaded
    note = f"product {product} image {image}".encode()
    return PIXEL[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2) + note + PIXEL[2:]


def image_ids(shop: "Shop", product: int) -> tuple[int, ...]:
    """The images of a product, in their order."""
    row = shop.tables["products"].get(product) or {}
    stored = row.get("@images", ())
    return tuple(one for one in stored if isinstance(one, int)) if isinstance(stored, tuple) else ()


def answer_image(shop: "Shop", request: Request, place: Place, *, method: str, question: "Question") -> Response:
    """Anything below ``/api/images``; Missing, or Refused with 48, 57, 58, 60 or 76."""
    if not place.rest:
        return Response(200, root.image_list(shop, question.base), XML)
    kind, *words = place.rest
    if kind not in root.IMAGE_KINDS:
        raise did_you_mean(48, f'Image of type "{kind}" does not exists', kind, list(root.IMAGE_KINDS))
    if kind != "products":
        raise Missing
    if not words:
        return Response(200, _all_products(shop, question.base), XML)
    if not all(word.isdigit() for word in words[:2]):
        raise Refused(400, 60, 'The image id is invalid. Please set a valid id or the "default" value')
    product = int(words[0])
    if method == "POST":
        return _upload(shop, request, product)
    known = image_ids(shop, product)
    if len(words) == 1:
        if not known or method not in READS:
            raise Missing
        return Response(200, _declinations(product, known, question.base), XML)
    image = int(words[1])
    if image not in known:
        raise Refused(400, 57, "This image id does not exist")
    if method == "DELETE":
        _remove(shop, product, image)
        return Response(200)
    if len(words) > 2:
        _check_type(shop, words[2])
    return Response(200, picture(shop, product, image), JPEG)


def public_image(shop: "Shop", request: Request) -> Response | None:
    """An image at its public address, without a key; None when the address is none of an image."""
    match = PUBLIC.match(request.path)
    if match is None:
        return None
    image = int(match.group("image") or match.group("original"))
    for row in shop.tables["products"].rows.values():
        product = int(str(row["id"]))
        if image in image_ids(shop, product):
            return Response(200, picture(shop, product, image), JPEG)
    return None


def _check_type(shop: "Shop", name: str) -> None:
    types = [str(row.get("name")) for row in shop.tables["image_types"] if row.get("products")]
    if name not in types:
        raise did_you_mean(58, "This image size does not exist", name, sorted(types))


def _all_products(shop: "Shop", base: str) -> bytes:
    with_images = (row for row in shop.tables["products"] if row.get("@images"))
    listed = "".join(
        f'<image id="{row["id"]}" xlink:href="{base}images/products/{row["id"]}"/>\n' for row in with_images
    )
    return xml_writer.document(f"<images>\n{listed}</images>\n")


def _declinations(product: int, known: tuple[int, ...], base: str) -> bytes:
    listed = "".join(f'<declination id="{one}" xlink:href="{base}images/products/{product}/{one}"/>\n' for one in known)
    return xml_writer.document(f'<image id="{product}">\n{listed}</image>\n')


def _upload(shop: "Shop", request: Request, product: int) -> Response:
    if product not in shop.tables["products"]:
        raise Missing
    head = f"Content-Type: {request.header('content-type')}\r\n\r\n".encode()
    parts = message_from_bytes(head + request.body).walk()
    content = next((part.get_payload(decode=True) for part in parts if _field_name(part.get_param) == "image"), None)
    if not isinstance(content, bytes) or not content:
        raise Refused(400, 76, 'Please set an "image" parameter with image data for value')
    image = shop.add_image(product, content)
    encoded = b64encode(content).decode()
    body = xml_writer.document(
        f"<image>\n\t<id><![CDATA[{image}]]></id>\n\t<content><![CDATA[{encoded}]]></content>\n</image>\n"
    )
    return Response(200, body, XML)


def _field_name(parameter_of: object) -> object:
    return parameter_of("name", header="content-disposition") if callable(parameter_of) else None


def _remove(shop: "Shop", product: int, image: int) -> None:
    left = tuple(one for one in image_ids(shop, product) if one != image)
    cover = shop.number("products", product, "id_default_image")
    shop.image_files.pop((product, image), None)
    changes: Row = {"@images": left, "id_default_image": cover if cover in left else next(iter(left), 0)}
    shop.update("products", product, changes)
