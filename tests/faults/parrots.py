"""Shops that repeat everything they were sent, credentials and all, in whatever they answer."""

import json
from collections.abc import Awaitable, Callable

from engine.simulation.exchange import Response
from engine.simulation.fault import Fault, Scene

_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


def parrots(key: str) -> list[Fault]:
    """One for each status and format, of a shop whose key is ``key``."""
    statuses = (200, 302, 400, 401, 403, 404, 429, 500)
    return [
        Fault(f"parrot {status} {form}", "Repeats what it was sent.", _parrot(key, status, form), reaches_app=True)
        for status in statuses
        for form in _TYPES
    ]


def _parrot(key: str, status: int, form: str) -> Callable[[Scene], Awaitable[None]]:
    async def play(scene: Scene) -> None:
        sent = f"{key} {scene.request.headers} {scene.request.target} {scene.request.body!r}"
        bodies = {
            "html": f"<html><body>{sent}</body></html>",
            "json": json.dumps({"errors": [{"code": 99, "message": sent}]}),
        }
        headers = (("Content-Type", _TYPES[form]), ("X-Debug", key), ("Retry-After", key), ("Location", f"/?k={key}"))
        await scene.wire.answer(scene.request, Response(status, bodies[form].encode(), headers))

    return play
