"""Bytes that belong to a record and are stored once by content."""

from functools import cached_property
from hashlib import sha256


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
