"""What passes between a client and a simulator: a request, an answer, and what was changed by it."""

from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """One request as it arrived. ``path`` is undecoded and without the query; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """Path and query, as on the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's pairs, decoded, in the order sent, blank values kept."""
        return parse_qsl(self.query, keep_blank_values=True, errors="replace")

    def header(self, name: str) -> str:
        """The header's value, or nothing."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a request changed: ``action`` is created, updated, deleted or sent (a mail)."""

    kind: str
    identity: str
    action: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``changes`` are what the request changed, for the ledger; they are not sent.

    ``chunked`` sends the body in chunks instead of announcing its length; ``closes`` answers as HTTP/1.0 does and ends the
    connection.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    chunked: bool = False
    closes: bool = False
