"""One request on its way out: how long it may still take, how far it got, and how to call it back."""

import contextlib
import socket
import threading
from contextvars import ContextVar

from domain import clock


class Passage:
    """The facts about one try of one request, kept by the connection it travels on.

    ``is_sent`` is true from just before the first byte of the request is given to the network; ``sent`` and ``received``
    count bytes on the wire; ``is_cut`` tells that the other side closed the connection, ``is_aborted`` that we called it back.
    """

    def __init__(self, deadline: float) -> None:
        """``deadline`` is a moment of the monotonic clock."""
        self.is_aborted = False
        self.is_sent = False
        self.is_cut = False
        self.sent = 0
        self.received = 0
        self._deadline = deadline
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._deadline - clock.monotonic())

    def travel_on(self, connection: socket.socket | None) -> None:
        """Remember the connection that ``abort`` has to break."""
        with self._lock:
            self._socket = connection

    def abort(self) -> None:
        """Break the connection, so that the thread waiting on it wakes at once."""
        with self._lock:
            self.is_aborted = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # the plain method: SSLSocket.shutdown would pull the TLS state from under the thread that is reading
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Recall:
    """Calls back every request made under it, from any thread: sleeping ones wake, blocked ones lose their connection."""

    def __init__(self) -> None:
        """Nothing is called back yet."""
        self._lock = threading.Lock()
        self._under: set[Passage | Recall] = set()
        self._called = threading.Event()

    @property
    def is_called(self) -> bool:
        """Whether nothing more may be sent."""
        return self._called.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the call."""
        self._called.wait(seconds)

    def abort(self) -> None:
        """Call everything back. Does not wait for it to arrive."""
        with self._lock:
            self._called.set()
            under = list(self._under)
        for one in under:
            one.abort()

    def add(self, one: "Passage | Recall") -> None:
        """Put a request, or all requests under another recall, under this one."""
        with self._lock:
            self._under.add(one)
        if self.is_called:
            one.abort()

    def remove(self, one: "Passage | Recall") -> None:
        """It is over."""
        with self._lock:
            self._under.discard(one)


CURRENT: ContextVar[Passage] = ContextVar("passage")
"""The passage the current thread is on."""
