"""How far a full reading came, and the changes it put off until the volume guard lets them through."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from engine.runtime.guard import SHOWN


class PutOff(NamedTuple):
    """A change that waits for the volume guard; ``change`` says how the record looks before and after."""

    remote_id: str
    change: str


@dataclass(frozen=True, slots=True)
class FullPosition:
    """Behind the page that ended ``at``; None: before the first. ``shown`` are the first of the changes put off."""

    at: Any = None
    put_off: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @classmethod
    def read(cls, stored: Any) -> "FullPosition":  # noqa: ANN401 - JSON
        """As an execution keeps it; None: nothing is read yet."""
        return cls() if stored is None else cls(stored["at"], tuple(stored["put_off"]), tuple(stored["shown"]))

    @property
    def stored(self) -> dict[str, Any]:
        """As an execution keeps it."""
        return {"at": self.at, "put_off": self.put_off, "shown": self.shown}

    def behind(self, at: Any) -> "FullPosition":  # noqa: ANN401 - the connector's own
        """One page further."""
        return replace(self, at=at)

    def plus(self, more: Sequence[PutOff]) -> "FullPosition":
        """With further changes put off."""
        if not more:
            return self
        ids, changes = zip(*more, strict=True)
        return replace(self, put_off=(*self.put_off, *ids), shown=(*self.shown, *changes)[:SHOWN])
