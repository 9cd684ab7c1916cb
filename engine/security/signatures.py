"""Signatures of webhooks: HMAC over raw bytes, compared in constant time."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum

from engine.webhook import NotGenuine


class Spelling(StrEnum):
    """How a signature is written: hexadecimal digits of either case, or base64."""

    HEX = "hex"
    BASE64 = "base64"


def sign(signed: bytes, *, key: str, spelling: Spelling = Spelling.HEX, digest: str = "sha256") -> str:
    """The signature of these bytes; hexadecimal digits in lower case."""
    mac = hmac.digest(key.encode(), signed, digest)
    return mac.hex() if spelling is Spelling.HEX else base64.b64encode(mac).decode()


def demand_signed(
    signed: bytes,
    *,
    signatures: Iterable[str],
    keys: Iterable[str],
    spelling: Spelling = Spelling.HEX,
    digest: str = "sha256",
) -> None:
    """Raise ``NotGenuine`` unless one of ``signatures`` was made with one of ``keys``.

    Several of both: while a key is replaced, the sender may sign with both, or we may know both. Every pair is compared
    whatever the ones before gave. Empty keys are left out: an HMAC under an empty key proves nothing.
    """
    given = [_comparable(signature, spelling) for signature in signatures]
    is_signed = False
    for key in keys:
        right = sign(signed, key=key, spelling=spelling, digest=digest).encode()
        for signature in given:
            is_signed |= hmac.compare_digest(signature, right) and bool(key)
    if not is_signed:
        raise NotGenuine("The signature is missing or wrong.")


def fingerprint(signed: bytes) -> bytes:
    """Names signed bytes without keeping them."""
    return hashlib.blake2b(signed, digest_size=32).digest()


def _comparable(signature: str, spelling: Spelling) -> bytes:
    plain = signature.strip()
    return (plain.lower() if spelling is Spelling.HEX else plain).encode("utf-8", "surrogatepass")
