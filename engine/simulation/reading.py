"""Reading one HTTP/1.1 request from a connection.

By hand, because a simulator's benchmark clients ask for thousands of pages a second and need nothing of HTTP but this.
"""

import asyncio

from engine.simulation.exchange import Request

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 64 * 1024 * 1024


class BadRequest(Exception):
    """What arrived is not a request."""


async def read_request(reader: asyncio.StreamReader, *, go_on: "asyncio.StreamWriter | None" = None) -> Request | None:
    """The next request, or None when the client has closed the connection between two.

    ``go_on`` gets the 100 a client waits for that asks whether it may send its body.
    """
    try:
        block = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial.strip():
            raise BadRequest from end
        return None
    except asyncio.LimitOverrunError as problem:
        raise BadRequest from problem
    first, *lines = block[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest
        headers[name.lower()] = value.strip()
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if go_on is not None and headers.get("expect", "").lower() == "100-continue":
        go_on.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _read_body(reader, headers)
    path, _, query = words[1].partition("?")
    return Request(words[0].upper(), path, query, headers, body)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader)
    announced = headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > LARGEST_BODY:
        raise BadRequest
    return await _exactly(reader, int(announced)) if announced != "0" else b""


async def _exactly(reader: asyncio.StreamReader, size: int) -> bytes:
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as end:
        raise BadRequest from end


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    room = LARGEST_BODY
    while True:
        line = (await reader.readline()).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError as problem:
            raise BadRequest from problem
        room -= size
        if size < 0 or room < 0:
            raise BadRequest
        part = await _exactly(reader, size + 2)
        if size == 0:
            return b"".join(parts)
        parts.append(part[:-2])
