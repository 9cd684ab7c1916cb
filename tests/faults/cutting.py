"""A line to PostgreSQL that is cut at a chosen COMMIT: before the server hears of it, or before its answer arrives."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

NAME = ".s.PGSQL.5432"


@dataclass
class Line:
    """Cuts the first COMMIT behind a message that holds ``mark``; ``is_heard`` says whether the server gets it."""

    folder: Path
    server: Path
    mark: bytes
    is_heard: bool
    cuts: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"postgresql+psycopg://postgres@/navette?host={self.folder}"

    def listen(self, listener: socket.socket) -> None:
        """Until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.server / NAME))
                self._open += [client, server]
                Thread(target=self._carry, args=(client, server), daemon=True).start()
                Thread(target=self._answer, args=(client, server), daemon=True).start()

    def hang_up(self) -> None:
        """Every connection."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        is_marked = False
        with suppress(OSError):
            while data := client.recv(65_536):
                is_marked = is_marked or self.mark in data
                if is_marked and b"COMMIT\0" in data and not self.cuts:
                    self.cuts += 1
                    client.shutdown(socket.SHUT_WR)  # nothing of the answer comes through any more
                    if self.is_heard:
                        server.sendall(data)
                        while b"COMMIT" not in server.recv(65_536):
                            pass
                    break
                server.sendall(data)
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536, socket.MSG_PEEK):
                client.sendall(data)
                server.recv(len(data))


@contextmanager
def line_to(server: Path, folder: Path, *, mark: str, is_heard: bool) -> Iterator[Line]:
    """A socket in ``folder`` that leads to the server whose socket is in ``server``."""
    line = Line(folder, server, mark.encode(), is_heard)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / NAME))
        listener.listen()
        Thread(target=line.listen, args=(listener,), daemon=True).start()
        try:
            yield line
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            line.hang_up()
