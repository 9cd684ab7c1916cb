"""Webservice keys: who may do what, in which shops."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")
KEY_LENGTH = 32
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key of 32 characters. ``rights`` maps a resource, or ``*`` for all, to the methods allowed on it.

    ``shops`` are the shops it belongs to; None is all of them.
    """

    text: str
    rights: Mapping[str, frozenset[str]] = field(default_factory=lambda: {EVERYTHING: frozenset(METHODS)})
    shops: frozenset[int] | None = None
    is_active: bool = True

    def methods(self, resource: str) -> frozenset[str]:
        """What the key may do with a resource; nothing when it may not touch it."""
        return self.rights.get(resource, self.rights.get(EVERYTHING, frozenset()))


def access_key(
    text: str,
    *,
    rights: Mapping[str, Iterable[str]] | None = None,
    shops: Iterable[int] | None = None,
    is_active: bool = True,
) -> AccessKey:
    """A key from plain values: ``access_key("A" * 32, rights={"orders": ["GET"]}, shops=[1])``."""
    wanted: Mapping[str, Iterable[str]] = {EVERYTHING: METHODS} if rights is None else rights
    granted = {name: frozenset(methods) for name, methods in wanted.items()}
    return AccessKey(text, granted, frozenset(shops) if shops is not None else None, is_active)
