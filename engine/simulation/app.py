"""What a simulator is, to the server: something that answers requests."""

from typing import Protocol

from engine.simulation.exchange import Request, Response
from engine.simulation.fault import Fault


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
    def faults(self) -> tuple[Fault, ...]:
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
