"""A simulated shop whose answers are rewritten on their way: what modules, proxies and old databases do to them."""

import re
from collections.abc import Callable
from dataclasses import replace

from engine.simulation.fault import Fault, Scene
from engine.simulation.server import Server

Rewrite = Callable[[bytes], bytes]


def spoil(server: Server, path: str, rewrite: Rewrite) -> None:
    """From now on answers to requests whose address holds ``path`` (a pattern) are rewritten."""

    async def play(scene: Scene) -> None:
        await scene.wire.answer(scene.request, replace(scene.true, body=rewrite(scene.true.body)))

    name = f"spoilt {path}"
    server.faults.known[name] = Fault(name, "Rewrites the answer.", play, reaches_app=True)
    server.faults.add(name, times=None, path=path)


def in_rows(changes: dict[int, tuple[str, bytes]]) -> Rewrite:
    """In a JSON list, by the row's id: a field, and the JSON it is to have instead. Fails when the field is not there."""

    def rewrite(body: bytes) -> bytes:
        parts = re.split(rb'(?=\{"id":\d+,)', body)
        return b"".join(_changed(part, changes) for part in parts)

    return rewrite


def _changed(part: bytes, changes: dict[int, tuple[str, bytes]]) -> bytes:
    found = re.match(rb'\{"id":(\d+),', part)
    if found is None or int(found[1]) not in changes:
        return part
    field, value = changes[int(found[1])]
    pattern = rf'"{field}":(?:"(?:[^"\\]|\\.)*"|[^,}}\[{{]+)'.encode()
    changed, count = re.subn(pattern, lambda _: f'"{field}":'.encode() + value, part, count=1)
    return changed if count else part
