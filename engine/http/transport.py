"""Connections: resolved once, checked, and made to the very address that was checked; bound to the request's deadline.

TLS names and the Host header stay those of the shop; only the socket's destination is the checked address.
"""

import logging
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from engine.http.addresses import Resolve, as_ip, check
from engine.http.passage import CURRENT, Passage

_WRITE_PIECE = 65_536

for _name in ("httpcore", "httpx"):  # both log addresses and headers, secrets and all, whoever sets up logging
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class GuardedStream(httpcore.NetworkStream):
    """A connection that keeps to the deadline of the request travelling on it, and notes how far the request got."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or raise ``httpcore.ReadTimeout`` when the request's time is up."""
        passage = CURRENT.get()
        data = self._stream.read(max_bytes, _time_left(passage, timeout, httpcore.ReadTimeout))
        passage.received += len(data)
        passage.is_cut = not data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all, or raise ``httpcore.WriteTimeout`` when the request's time is up."""
        if not buffer:
            return
        passage = CURRENT.get()
        passage.travel_on(self._stream.get_extra_info("socket"))
        for start in range(0, len(buffer), _WRITE_PIECE):
            left = _time_left(passage, timeout, httpcore.WriteTimeout)
            passage.is_sent = True
            piece = buffer[start : start + _WRITE_PIECE]
            self._stream.write(piece, left)
            passage.sent += len(piece)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands under the shop's own name, whatever address the connection was made to."""
        left = _time_left(CURRENT.get(), timeout, httpcore.ConnectTimeout)
        return GuardedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the library's own signature
        """What the pool wants to know about the connection."""
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Makes connections, to checked addresses only."""

    def __init__(self, *, resolve: Resolve, allow_private: bool) -> None:
        """``resolve`` gives all addresses of a name."""
        self._resolve = resolve
        self._allow_private = allow_private
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. Raises ``AddressRefused`` if any of the name's addresses is not allowed."""
        passage = CURRENT.get()
        limit = _time_left(passage, timeout, httpcore.ConnectTimeout)
        literals = [host] if as_ip(host) is not None else self._resolve(host, port, limit)
        ips = [ip for ip in map(as_ip, literals) if ip is not None]
        for ip in ips:
            check(ip, allow_private=self._allow_private)
        problem: Exception = httpcore.ConnectError("the name has no address")
        for ip in ips:
            left = _time_left(passage, timeout, httpcore.ConnectTimeout)
            try:
                return GuardedStream(self._sockets.connect_tcp(str(ip), port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem


def _time_left(passage: Passage, timeout: float | None, too_late: type[httpcore.TimeoutException]) -> float:
    """Seconds the next step may take. Raises ``too_late`` when the request's time is up, ``ConnectError`` once called back."""
    if passage.is_aborted:
        raise httpcore.ConnectError("called back")
    left = passage.remaining()
    if left <= 0:
        raise too_late("total deadline")
    return left if timeout is None else min(timeout, left)
