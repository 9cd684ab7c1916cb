"""One way to misbehave."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.simulation.exchange import Request, Response
from engine.simulation.wire import Wire


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault has to play with.

    ``response`` is the true answer, or None when the request does not reach the app; ``empty`` makes an answer to the
    request that is valid and holds no records.
    """

    wire: Wire
    request: Request
    response: Response | None
    setting: str
    empty: Callable[[], Response]

    @property
    def true(self) -> Response:
        """The app's answer, for faults that declare ``reaches_app``."""
        return self.response or Response(500)


@dataclass(frozen=True, slots=True)
class Fault:
    """A named misbehaviour.

    ``play`` sends what is to be sent and raises ``Hangup`` where the connection is to be dropped. ``reaches_app`` says
    whether the request is carried out first, which is what makes the outcome of a write unknown. ``setting`` is the text
    used when none is given, and ``settings`` says what it means.
    """

    name: str
    summary: str
    play: Callable[[Scene], Awaitable[None]]
    reaches_app: bool = False
    setting: str = ""
    settings: str = ""
