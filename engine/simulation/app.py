"""What a simulator is, to the server: something that answers requests."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from engine.simulation.fault import Fault


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


class Life(Protocol):
    """What happens in a simulated system by itself."""

    def step(self) -> str:
        """Let one thing happen; the answer says what, in a few words."""
        ...


class App(Protocol):
    """A simulator. Its methods are called in the server's thread, one at a time."""

    @property
    def name(self) -> str:
        """The system's name, such as ``prestashop``."""
        ...

    @property
    def faults(self) -> "tuple[Fault, ...]":
        """Ways to misbehave that only this system has."""
        ...

    @property
    def life(self) -> Life | None:
        """What happens by itself, if anything."""
        ...

    def started(self, url: str) -> None:
        """The server listens at ``url``."""
        ...

    def respond(self, request: Request) -> Response:
        """Answer a request."""
        ...

    def empty(self, request: Request) -> Response:
        """A valid answer to the request that holds no records."""
        ...

    def describe(self) -> dict[str, object]:
        """What a connector needs to connect, and how much there is: shown by the control path."""
        ...
