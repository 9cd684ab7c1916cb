"""What the operator lets the door do, and for how long."""

import ssl
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx

from engine.http.addresses import Resolve, resolve


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two pieces of an answer, for one try from first to last byte, to keep an idle connection."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 120.0
    idle: float = 15.0

    def for_pool(self) -> dict[str, float]:
        """As the connection pool wants them; the total is kept by the connections themselves."""
        return {"connect": self.connect, "read": self.read, "write": self.read, "pool": self.total}


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's choices.

    ``body_cap``: decoded bytes of one answer. ``patience``: the longest pause, in seconds, that is waited for in place.
    ``first_pause``: the longest before a second try. ``trust``: the certificates believed in (None: the public ones).
    """

    allow_private: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    body_cap: int = 64_000_000
    patience: float = 5.0
    first_pause: float = 0.5
    trust: ssl.SSLContext | None = None
    resolve: Resolve = resolve


@cache
def public_trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """The certificate authorities the web trusts, and those of ``ca_file``. Made once: it takes a while to read them."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
