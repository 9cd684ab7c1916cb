"""A shop on a real socket that answers exactly what it is told to, however wrong, and remembers what it was asked."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Says: TypeAlias = Callable[[socket.socket, Asked, threading.Event], bool]
"""Answers on the socket; returns whether the connection stays open. The event is set when the shop closes."""


def answer(status: int = 200, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> Says:
    """A well-formed answer; ``retry_after="3"`` becomes a header."""

    def say(connection: socket.socket, asked: Asked, closing: threading.Event) -> bool:
        lines = {"Content-Type": content_type, "Content-Length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.sendall(head(status, lines) + (b"" if asked.method == "HEAD" else body))
        return True

    return say


def raw(data: bytes) -> Says:
    """These bytes, then the end of the connection."""

    def say(connection: socket.socket, asked: Asked, closing: threading.Event) -> bool:
        connection.sendall(data)
        return False

    return say


def until_close(body: bytes, content_type: str = "application/json", **headers: str) -> Says:
    """A body whose end is the end of the connection."""
    lines = {"Content-Type": content_type, "Connection": "close"} | {n.replace("_", "-"): v for n, v in headers.items()}
    return raw(head(200, lines) + body)


def chunked(
    pieces: Iterable[bytes], *, ends: bool = True, content_type: str = "application/json", **headers: str
) -> Says:
    """A body in chunks, with or without the last one; ``pieces`` may be endless."""
    lines = {"Content-Type": content_type, "Transfer-Encoding": "chunked"} | {
        n.replace("_", "-"): v for n, v in headers.items()
    }

    def say(connection: socket.socket, asked: Asked, closing: threading.Event) -> bool:
        connection.sendall(head(200, lines))
        for piece in pieces:
            if closing.is_set():
                return False
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if ends:
            connection.sendall(b"0\r\n\r\n")
        return ends

    return say


def silent(connection: socket.socket, asked: Asked, closing: threading.Event) -> bool:
    """Nothing, for as long as the shop is open."""
    closing.wait()
    return False


def hang_up(connection: socket.socket, asked: Asked, closing: threading.Event) -> bool:
    """The end of the connection instead of an answer."""
    return False


def drip(data: bytes, *, every: float = 0.02) -> Says:
    """One byte at a time, over and over."""

    def say(connection: socket.socket, asked: Asked, closing: threading.Event) -> bool:
        while True:
            for position in range(len(data)):
                if closing.wait(every):
                    return False
                connection.sendall(data[position : position + 1])

    return say


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Spoken\r\n{lines}\r\n".encode()


@dataclass
class HostileShop:
    """Answers successive requests with ``says`` in turn; the last one stands for all that follow."""

    says: tuple[Says, ...]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with self._lock:
            for connection in [self._listener, *self._open]:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return self._connections

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections += 1
                self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection, self._connections), daemon=True)
                self._threads.append(thread)
                thread.start()
                if self._closing.is_set():
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                    return

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as incoming:
                while True:
                    first = incoming.readline().decode("latin-1").split()
                    if len(first) < 2:
                        return
                    headers: dict[str, str] = {}
                    while (line := incoming.readline().decode("latin-1").strip()) != "":
                        name, _, value = line.partition(":")
                        headers[name.lower()] = value.strip()
                    body = incoming.read(int(headers.get("content-length", "0")))
                    asked = Asked(first[0], first[1], headers, body, number)
                    with self._lock:
                        say = self.says[min(len(self.asked), len(self.says) - 1)]
                        self.asked.append(asked)
                    if not say(connection, asked, self._closing):
                        return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)
