"""Images of products: the bytes are stored once by content; names are labels only."""

from functools import cached_property
from hashlib import sha256
from typing import ClassVar

from domain.records.record import Record


class Blob:
    """Bytes kept under their hash. A blob read back from a record's body knows its hash and has no content."""

    __slots__ = ("__dict__", "content", "media_type")

    def __init__(self, content: bytes, *, media_type: str = "", key: str = "") -> None:
        """``key`` is given instead of the content when only the hash is known."""
        self.content = content
        self.media_type = media_type
        if key:
            self.__dict__["key"] = key

    @cached_property
    def key(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return sha256(self.content).hexdigest()

    def __eq__(self, other: object) -> bool:
        """Same content."""
        return isinstance(other, Blob) and self.key == other.key

    def __hash__(self) -> int:
        """By content."""
        return hash(self.key)

    def __repr__(self) -> str:
        """Never the bytes."""
        return f"Blob({self.key[:12]}, {len(self.content)} bytes)"


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
