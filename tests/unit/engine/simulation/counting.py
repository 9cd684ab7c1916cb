"""A simulator of next to nothing: a counter that can be read and raised."""

import json
from dataclasses import dataclass, field

from engine.simulation.exchange import Change, Request, Response
from engine.simulation.fault import Fault, Scene

JSON = (("Content-Type", "application/json"),)


async def _shrug(scene: Scene) -> None:
    await scene.wire.answer(scene.request, Response(418, b"no"))


@dataclass
class Days:
    """Days go by."""

    gone: int = 0

    def step(self) -> str:
        self.gone += 1
        return f"day {self.gone}"


@dataclass
class Counter:
    """GET answers the count, POST raises it by the number in the body."""

    count: int = 0
    life: Days | None = field(default_factory=Days)
    url: str = ""
    name: str = "counter"
    faults: tuple[Fault, ...] = (Fault("shrug", "Answers 418.", _shrug),)

    def started(self, url: str) -> None:
        self.url = url

    def respond(self, request: Request) -> Response:
        if request.path == "/closing":
            return Response(200, b"bye", closes=True)
        if request.path == "/chunks":
            return Response(200, b"in pieces" if request.query != "none" else b"", chunked=True)
        if request.path == "/odd":
            return Response(599, b"odd")
        if request.path == "/echo":
            return Response(200, request.body)
        if request.method == "POST":
            self.count += int(request.body or b"1")
            change = Change("counter", "1", "updated", {"count": self.count})
            return Response(201, b"", JSON, (change,))
        return Response(200, json.dumps({"count": self.count, "words": ["a"] * 200}).encode(), JSON)

    def empty(self, request: Request) -> Response:
        return Response(200, b"{}", JSON)

    def describe(self) -> dict[str, object]:
        return {"settings": {"url": self.url}}


def build() -> Counter:
    """For a process of its own."""
    return Counter(count=5)


def fail() -> Counter:
    """Does not start."""
    raise SystemExit(3)
