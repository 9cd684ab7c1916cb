"""Faults of the way to a system: silence, slowness, cuts, false framing, compression."""

import asyncio
import gzip
import zlib
from functools import lru_cache

from engine.simulation.exchange import Response
from engine.simulation.fault import Fault, Scene
from engine.simulation.wire import Hangup, head

MEBIBYTE = 1 << 20


async def _latency(scene: Scene) -> None:
    await asyncio.sleep(float(scene.setting) / 1000)
    await scene.wire.answer(scene.request, scene.true)


async def _silent(_scene: Scene) -> None:
    await asyncio.Event().wait()


async def _drip(scene: Scene) -> None:
    body = scene.true.body or b" "
    await scene.wire.head(scene.true.status, *scene.true.headers, ("Content-Length", str(len(body))))
    for position in range(len(body)):
        await scene.wire.send(body[position : position + 1])
        await asyncio.sleep(float(scene.setting))


async def _cut(_scene: Scene) -> None:
    await asyncio.sleep(0)
    raise Hangup


async def _half_head(scene: Scene) -> None:
    whole = head(scene.true.status, scene.true.headers)
    await scene.wire.send(whole[: len(whole) // 2])
    raise Hangup


async def _half_body(scene: Scene) -> None:
    body = scene.true.body or b" "
    await scene.wire.head(scene.true.status, *scene.true.headers, ("Content-Length", str(len(body))))
    await scene.wire.send(body[: len(body) // 2])
    raise Hangup


async def _half_chunked(scene: Scene) -> None:
    body = scene.true.body or b" "
    await scene.wire.head(scene.true.status, *scene.true.headers, ("Transfer-Encoding", "chunked"))
    await scene.wire.chunk(body[: max(len(body) // 2, 1)])
    raise Hangup


def _half_zipped(response: Response) -> bytes:
    whole = gzip.compress(response.body or b"{}")
    return whole[: max(len(whole) // 2, 1)]


async def _half_gzip_length(scene: Scene) -> None:
    half = _half_zipped(scene.true)
    framing = (("Content-Encoding", "gzip"), ("Content-Length", str(len(half))))
    await scene.wire.head(scene.true.status, *scene.true.headers, *framing)
    await scene.wire.send(half)


async def _half_gzip_chunked(scene: Scene) -> None:
    framing = (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))
    await scene.wire.head(scene.true.status, *scene.true.headers, *framing)
    await scene.wire.chunk(_half_zipped(scene.true))
    await scene.wire.chunk(b"")


@lru_cache(maxsize=4)
def _bomb(mebibytes: int) -> bytes:
    """One gzip stream: several members would be read as one small document by decoders that stop at the first."""
    press = zlib.compressobj(level=1, wbits=31)
    block = b" " * MEBIBYTE
    return b"".join([*(press.compress(block) for _ in range(mebibytes)), press.flush()])


async def _decompression_bomb(scene: Scene) -> None:
    body = await asyncio.to_thread(_bomb, int(scene.setting))
    framing = (("Content-Encoding", "gzip"), ("Content-Length", str(len(body))))
    await scene.wire.head(200, *scene.true.headers, *framing)
    await scene.wire.send(body)


async def _endless(scene: Scene) -> None:
    await scene.wire.head(200, *scene.true.headers, ("Transfer-Encoding", "chunked"))
    await scene.wire.chunk(scene.true.body[: len(scene.true.body) // 2] or b"[")
    block = b" " * 65_536
    while True:
        await scene.wire.chunk(block)
        await asyncio.sleep(0)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "latency",
        "Answers, but late.",
        _latency,
        reaches_app=True,
        setting="1000",
        settings="milliseconds",
    ),
    Fault("silent", "Takes the request and never answers; nothing is carried out.", _silent),
    Fault("silent_after_write", "Carries the request out and never answers.", _silent, reaches_app=True),
    Fault(
        "drip",
        "Sends its answer one byte at a time.",
        _drip,
        reaches_app=True,
        setting="1",
        settings="seconds between bytes",
    ),
    Fault("cut", "Drops the connection without an answer; nothing is carried out.", _cut),
    Fault("cut_after_write", "Carries the request out, then drops the connection.", _cut, reaches_app=True),
    Fault("half_head", "Drops the connection in the middle of the headers.", _half_head, reaches_app=True),
    Fault("half_body", "Announces the whole length and sends half the body.", _half_body, reaches_app=True),
    Fault("half_chunked", "Drops the connection between two chunks.", _half_chunked, reaches_app=True),
    Fault(
        "half_gzip_length",
        "Sends half a compressed body, with the length of that half.",
        _half_gzip_length,
        reaches_app=True,
    ),
    Fault(
        "half_gzip_chunked",
        "Sends half a compressed body in chunks that end properly.",
        _half_gzip_chunked,
        reaches_app=True,
    ),
    Fault(
        "decompression_bomb",
        "Sends little that unpacks to hundreds of megabytes.",
        _decompression_bomb,
        reaches_app=True,
        setting="300",
        settings="mebibytes when unpacked",
    ),
    Fault("endless", "Begins its answer and never stops sending.", _endless, reaches_app=True),
)
