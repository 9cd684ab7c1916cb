"""Secrets at rest: encrypted, tied to the row they belong to, under keys that can be rotated.

A stored secret reads ``v1.<key id>.<nonce and ciphertext>``. The text is AES-256-GCM with the row's *place*, such as
``integration:12:key``, as associated data: copied to another row, it no longer opens.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import UserError

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    cipher: AESGCM


class KeyRing:
    """The keys of one installation: the first encrypts, all decrypt."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ``UserError`` unless there is a key and each has 32 bytes."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise UserError("Each secret key must be 32 bytes in base64; make one with 'openssl rand -base64 32'.")
        self._keys = [
            _Key(id=hashlib.sha256(b"navette key id" + key).hexdigest()[:8], cipher=AESGCM(key)) for key in keys
        ]

    def __repr__(self) -> str:
        """The ids, which tell nothing about the keys."""
        return f"KeyRing({', '.join(key.id for key in self._keys)})"

    def encrypt(self, secret: str, *, place: str) -> str:
        """The secret under the first key, to be stored at ``place`` and nowhere else."""
        key = self._keys[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + key.cipher.encrypt(nonce, secret.encode(), _bound(place, key))
        return f"{_VERSION}.{key.id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def decrypt(self, stored: str, *, place: str) -> str:
        """The secret stored at ``place``. Raises ``UserError`` if its key is missing, or if it was changed or moved."""
        version, _, rest = stored.partition(".")
        key_id, _, text = rest.partition(".")
        key = next((key for key in self._keys if key.id == key_id), None)
        if version != _VERSION or key is None:
            raise UserError(
                f"The secret of {place} was stored under another key. Put the key it was stored with into "
                "NAVETTE_SECRET_KEYS, behind the current one, or restore the key file that belongs to this database."
            )
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
            return key.cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(place, key)).decode()
        except (InvalidTag, ValueError):
            raise UserError(
                f"The secret of {place} was changed or belongs to another place. Enter it again in the integration's settings."
            ) from None

    def rotate(self, stored: str, *, place: str) -> str:
        """The same secret under the first key; unchanged if it is already."""
        if stored.startswith(f"{_VERSION}.{self._keys[0].id}."):
            self.decrypt(stored, place=place)
            return stored
        return self.encrypt(self.decrypt(stored, place=place), place=place)


def _bound(place: str, key: _Key) -> bytes:
    return f"{_VERSION}|{key.id}|{place}".encode()


def parse_keys(text: str) -> list[bytes]:
    """Keys from their written form: base64, separated by commas or lines. Raises ``UserError`` without showing anything."""
    try:
        return [
            base64.b64decode(part.strip(), validate=True) for part in text.replace("\n", ",").split(",") if part.strip()
        ]
    except ValueError:
        raise UserError("A secret key is not valid base64; make one with 'openssl rand -base64 32'.") from None


def open_key_ring(configured: str, *, key_file: Path) -> KeyRing:
    """The keys from the settings; without any, those of ``key_file``, which is made, for its owner only, if it is not there.

    Processes that start at the same time end up with the same key.
    """
    if configured.strip():
        return KeyRing(parse_keys(configured))
    if not key_file.exists():
        _create(key_file)
    if key_file.stat().st_mode & 0o077:
        raise UserError(f"Others than its owner may read {key_file}; run 'chmod 600 {key_file}'.")
    return KeyRing(parse_keys(key_file.read_text(encoding="ascii")))


def _create(key_file: Path) -> None:
    """Written whole under another name first, then linked, which fails if another process was faster."""
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = key_file.with_name(f"{key_file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        key_file.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
