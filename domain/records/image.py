"""Images of products: the bytes are stored once by content; names are labels only."""

from typing import ClassVar

from domain.records.record import Record


class ProductImage(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One image of a product. ``content`` is kept under its hash, apart from the record."""

    kind: ClassVar[str] = "image"

    product_remote_id: str
    position: int = 0
    media_type: str = ""
    content: bytes = b""

    @property
    def label(self) -> str:
        """Product and image id."""
        return f"image {self.remote_id}"
