"""What comes in with an import: whose records, of which kind, for which feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.records import StockLevel
from engine.connector import Stream
from engine.flow import Import
from engine.runtime.inbound.position import FullPosition, PutOff
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import references, stock


@dataclass(frozen=True, slots=True)
class Intake:
    """What comes in, and for which feed: records found again by a retry belong to the feed that first saw them."""

    run: Run
    feed_id: int
    work: Import
    stream: Stream
    account: Any

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.work.kind.kind

    @property
    def integration_id(self) -> int:
        """Whose records these are."""
        return self.run.integration.id

    def size(self, unit: Unit) -> int:
        """How many of these the hub knows: what the volume guard measures against."""
        if self.work.kind is StockLevel:
            return stock.size(unit, self.integration_id)
        return references.count(unit, self.integration_id, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is saved along with a page: the execution's position, the feed's mark, the page's digest.

    The position of a full reading is a ``FullPosition``; others are the connector's own.
    """

    position: Any = None
    mark: str | None = None
    page: str | None = None
    digest: bytes = b""

    def columns(self, put_off: Sequence[PutOff]) -> dict[str, Any]:
        """What the execution keeps of it. Changes put off on this page go with it, so that a crash forgets none of them."""
        if self.position is None:
            return {}
        if isinstance(self.position, FullPosition):
            return {"position": self.position.plus(put_off).stored}
        return {"position": self.position}
