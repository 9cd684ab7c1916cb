"""Images of products: the bytes are stored once by content; names are labels only."""

from typing import ClassVar

from domain.records.blob import Blob
from domain.records.record import Record


class ProductImage(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One image of a product. ``remote_id`` is ``{product}-{image}`` where the system numbers images per product."""

    kind: ClassVar[str] = "image"

    product_remote_id: str
    position: int = 0
    content: Blob

    @property
    def label(self) -> str:
        """Which image of which product."""
        return f"image {self.remote_id}"

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The image's bytes."""
        return (self.content,)
