"""Reads the images of products: which there are in bulk, the bytes one by one, several at once."""

from collections.abc import Generator, Sequence
from hashlib import blake2b

import msgspec

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import PRODUCT_IMAGES, READ_IMAGE, chunks, fields, one_of
from connectors.prestashop.client.rows import Broken, ImageListRow
from domain.errors import PlatformError, RemoteContractError, RequestRefused
from engine.connector import Answer, Page, Reading, Request

_A_PAGE = 12
"""Images in memory at once, apart from those of one product with more."""


class ImageRaw(msgspec.Struct):
    """One image. ``problem`` says why there are no bytes. Its remote id names the product too: images cannot be asked for
    without it.
    """

    id: str
    product_id: str
    position: int
    media_type: str = ""
    content: bytes = b""
    problem: str = ""
    is_gone: bool = False

    @property
    def remote_id(self) -> str:
        """``12-34``: image 34 of product 12."""
        return f"{self.product_id}-{self.id}"


def pages(account: Account, reading: Reading) -> Generator[Page, None, None]:
    """The images of the products ``reading.parents``, in their order; those the hub already has are left out."""
    parents = [parent.partition("-")[0] for parent in reading.parents]
    done = (
        parents.index(reading.position) + 1 if isinstance(reading.position, str) and reading.position in parents else 0
    )
    for portion in chunks(
        [parent for parent in dict.fromkeys(parents[done:]) if parent.isascii() and parent.isdecimal()]
    ):
        waiting: list[ImageRaw] = []
        for product_id, image_ids in _lists(account, portion):
            images = [ImageRaw(image_id, product_id, position) for position, image_id in enumerate(image_ids)]
            known = reading.known([image.remote_id for image in images])
            waiting += [image for image in images if image.remote_id not in known]
            if len(waiting) >= _A_PAGE:
                yield _page(account, waiting, product_id)
                waiting = []
        yield _page(account, waiting, portion[-1])


def by_id(account: Account, remote_ids: Sequence[str]) -> Page:
    """These images, as far as their products still show them."""
    wanted = set(remote_ids)
    products = sorted({remote_id.partition("-")[0] for remote_id in remote_ids})
    found = [
        image
        for portion in chunks([product for product in products if product.isascii() and product.isdecimal()])
        for product_id, image_ids in _lists(account, portion)
        for position, image_id in enumerate(image_ids)
        if (image := ImageRaw(image_id, product_id, position)).remote_id in wanted
    ]
    return _page(account, found, None)


def _lists(account: Account, products: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Products and their image ids, cover first. The list of one product, ``images/products/12``, would be a request each."""
    request = account.speech.listing(
        "products", display=fields("id", "id_default_image", "images[id]"), filters={"id": one_of(products)}
    )
    rows = {str(row.id): row for row in account.read(PRODUCT_IMAGES, request) if not isinstance(row, Broken)}
    return [(product, _image_ids(rows[product])) for product in products if product in rows]


def _image_ids(row: ImageListRow) -> list[str]:
    if row.associations is None:
        return []
    found = [name for image in row.associations.images if (name := str(image.id)).isascii() and name.isdecimal()]
    cover = str(row.id_default_image)
    return sorted(found, key=lambda image_id: image_id != cover)


def _page(account: Account, images: Sequence[ImageRaw], position: str | None) -> Page:
    requests = [
        Request(READ_IMAGE, f"api/images/products/{image.product_id}/{image.id}", account.speech.shop())
        for image in images
    ]
    digest = blake2b(digest_size=16)
    for image, answer in zip(images, _answers(account, requests), strict=True):
        if isinstance(answer, PlatformError):
            image.problem, image.is_gone = answer.message, isinstance(answer, RequestRefused)
        else:
            image.media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()[:60]
            image.content = answer.body
        digest.update(f"{image.product_id}/{image.id}:{len(image.content)}:{image.problem}".encode())
        digest.update(image.content)
    return Page(raws=lambda: images, digest=digest.digest(), position=position)


def _answers(account: Account, requests: Sequence[Request]) -> list[Answer | PlatformError]:
    """All at once; where one fails for good, one by one, so that only that image is lost."""
    try:
        return list(account.door.stream(requests))
    except (RequestRefused, RemoteContractError):
        return [_answer(account, request) for request in requests]


def _answer(account: Account, request: Request) -> Answer | PlatformError:
    try:
        return account.door.send(request)
    except (RequestRefused, RemoteContractError) as error:
        return error
