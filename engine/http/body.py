"""Reads a body to its true end, and no further than the cap."""

import zlib
from collections.abc import Iterable

from domain.errors import TooLarge, Truncated, UnexpectedFormat

ACCEPT_ENCODING = "gzip, deflate"
_PIECE = 1_048_576


def read_body(chunks: Iterable[bytes], *, encoding: str, length: str, cap: int) -> bytes:
    """The decoded body. ``encoding`` and ``length`` are the values of the Content-Encoding and Content-Length headers.

    Raises ``TooLarge`` beyond ``cap`` decoded bytes, ``Truncated`` when a compressed body lacks its end mark, and
    ``UnexpectedFormat`` when it cannot be unpacked.
    """
    decode = _decoder(encoding.strip().lower())
    if length.isdigit() and len(length) < 20 and int(length) > cap:
        raise _too_large(cap)
    pieces: list[bytes] = []
    size = received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > cap:
            raise _too_large(cap)
        for piece in decode.feed(chunk):
            size += len(piece)
            if size > cap:
                raise _too_large(cap)
            pieces.append(piece)
    decode.finish()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(cap: int) -> TooLarge:
    return TooLarge(f"The answer is larger than {cap // 1_000_000} MB.")


def _decoder(encoding: str) -> "_Plain | _Inflating":
    match encoding:
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Inflating(31)
        case "deflate":
            return _Inflating(None)
        case _:
            raise UnexpectedFormat(
                "The answer is packed in a way that was not asked for.", detail=f"encoding {encoding[:40]!r}"
            )


class _Plain:
    def feed(self, chunk: bytes) -> Iterable[bytes]:
        return (chunk,)

    def finish(self) -> None:
        """Its end is the end of the framing, which the connection has checked."""


class _Inflating:
    """Unpacks in pieces of bounded size, so that a bomb meets the cap before it meets the memory."""

    def __init__(self, window: int | None) -> None:
        """``window`` is zlib's; None tells raw deflate from zlib's by the first byte, as browsers do."""
        self._window = window
        self._current: zlib._Decompress | None = None
        self._is_begun = False

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        rest = chunk
        while rest:
            if self._current is None:
                rest = rest.lstrip(b"\0") if self._is_begun else rest  # gzip members may be followed by padding
                if not rest:
                    return
                self._current = zlib.decompressobj(self._window or (15 if rest[0] & 0x0F == 8 else -15))
                self._is_begun = True
            try:
                piece = self._current.decompress(rest, _PIECE)
            except zlib.error as error:
                raise UnexpectedFormat("The answer is packed wrongly.", detail=str(error)) from None
            if piece:
                yield piece
            if self._current.eof:
                rest, self._current = self._current.unused_data, None
            else:
                rest = self._current.unconsumed_tail

    def finish(self) -> None:
        if self._current is not None:
            raise Truncated("The answer was cut: its packed form has no end.")
