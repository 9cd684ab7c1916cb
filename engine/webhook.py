"""What a connector says about the webhooks of its system: how a genuine one is known, and what it hints at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.errors import PlatformError


class NotGenuine(PlatformError):
    """A delivery that does not prove where it comes from. Its sender is told no more than that."""

    code = "not_genuine"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery whose signature is right.

    - ``id`` is equal for every repeat of it, and different for any other.
    - ``topic`` is the system's word for what happened; ``ids`` are the remote ids it concerns, as far as it tells.
    - ``sent_at`` is when it says it was sent, where the signature covers that.
    - ``signed`` is what the signature covers, where that does not include ``id``: the same under another id is a replay.
    """

    id: str
    topic: str
    ids: tuple[str, ...] = ()
    sent_at: datetime | None = None
    signed: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """How a system's webhooks are taken.

    - ``verify(body, headers, settings)`` checks the signature over the raw bytes in constant time before it looks at
      anything else (``engine.security.signatures`` does), and raises ``NotGenuine`` unless it is right. ``headers`` have
      lower-case names.
    - ``topics`` names, for each topic, the flows that fetch what it hints at. A delivery of another topic is kept, and
      starts nothing.
    - ``window`` is how far ``sent_at`` may lie from our own time, either way.
    """

    verify: Callable[[bytes, Mapping[str, str], Any], Delivery]
    topics: Mapping[str, Sequence[str]]
    window: timedelta = timedelta(minutes=5)
