"""The connection of one request, as faults and the server write to it."""

import asyncio
import gzip
from dataclasses import dataclass
from http import HTTPStatus

from engine.simulation.exchange import Request, Response

WITHOUT_BODY = frozenset({204, 304})


class Hangup(Exception):
    """The connection ends here, without anything more being sent."""


def head(status: int, headers: tuple[tuple[str, str], ...], *, version: str = "1.1") -> bytes:
    """The status line and the headers, with the blank line that ends them."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/{version} {status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


@dataclass(frozen=True, slots=True)
class Wire:
    """Writes one answer. Everything raises ``ConnectionError`` when the other side is gone."""

    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self.writer.writelines(parts)
        await self.writer.drain()

    async def head(self, status: int, *headers: tuple[str, str]) -> None:
        """Send a status line with these headers and nothing else."""
        await self.send(head(status, headers))

    async def chunk(self, data: bytes) -> None:
        """Send one piece of a chunked body; an empty one ends it."""
        await self.send(f"{len(data):x}\r\n".encode(), data, b"\r\n")

    async def answer(self, request: Request, response: Response, *, compress: bool = False) -> None:
        """Send a whole answer, honestly framed, compressed when asked and the client takes it."""
        headers = response.headers
        body = response.body
        if compress and body and "gzip" in request.header("accept-encoding"):
            body = gzip.compress(body, compresslevel=1)
            headers = (*headers, ("Content-Encoding", "gzip"))
        closing: tuple[tuple[str, str], ...] = (("Connection", "close"),) if response.closes else ()
        version = "1.0" if response.closes else "1.1"
        if request.method == "HEAD" or response.status in WITHOUT_BODY:
            await self.send(head(response.status, (*headers, *closing), version=version))
        elif response.chunked and not response.closes:
            framing = (*headers, ("Transfer-Encoding", "chunked"))
            await self.send(head(response.status, framing))
            if body:
                await self.chunk(body)
            await self.send(b"0\r\n\r\n")
        else:
            framing = (*headers, ("Content-Length", str(len(body))), *closing)
            await self.send(head(response.status, framing, version=version), body)
