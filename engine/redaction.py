"""Keeps secrets out of everything people and logs get to see: by value, and by the name that stands before them."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
_SHORTEST = 4  # masking every "a" would hide the message and tell the secret all the same
_NAMES = (
    r"ws_key|(?:[\w-]*[_-])?pass(?:word|wd|phrase)?|pwd|(?:[\w-]*[_-])?token|(?:[\w-]*[_-])?secret(?:[_-][\w-]*)?|secure_key|"
    r"(?:[\w-]*[_-])?(?:api|access|private|consumer|secret)[_-]?key|(?:proxy-)?authorization|(?:set-)?cookie|session(?:_?id)?|credentials?"
)
_NAMED = re.compile(
    rf"""(?ix) (?<![\w-]) ( ["']? (?:{_NAMES}) ["']? \s* (?: [=:] | %3d | %3a ) \s* )     # password= "token": X-Api-Key:
         ( "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | (?:basic|bearer|token|digest)\s+[^\s,;"'<>&]+ | [^\s,;"'<>&)}}\]]+ )"""
)
_ELEMENT = re.compile(rf"(?is)(<({_NAMES})(?:\s[^>]*)?>).*?(</\2\s*>|$)")
_SIGNED_URL = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*://)[^/\s@\"'<>]+@")
SECRET_NAME = re.compile(rf"(?i)^(?:{_NAMES})$")
"""Matches the whole name of a field whose value is secret."""


def redact_named(text: str) -> str:
    """Mask what stands behind a name that promises a secret, in headers, queries, JSON, XML and addresses."""
    masked = _SIGNED_URL.sub(rf"\1{MASK}@", text)
    masked = _ELEMENT.sub(rf"\1{MASK}\3", masked)
    return _NAMED.sub(rf"\1{MASK}", masked)


class Redactor:
    """Masks the given secrets in any of the spellings they travel in, and whatever is named like a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Empty secrets are ignored."""
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        ordered = sorted(spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        masked = self._pattern.sub(MASK, text) if self._pattern is not None else text
        return redact_named(masked)

    def __repr__(self) -> str:
        """Never shows what it hides."""
        return "Redactor()"


def header_secrets(headers: Iterable[str]) -> set[str]:
    """The secrets inside the values of secret headers: the value, its token without the scheme, and both halves of Basic."""
    secrets: set[str] = set()
    for value in headers:
        _, _, token = value.strip().rpartition(" ")
        secrets |= {value.strip(), token}
        try:
            user, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
        except ValueError:
            continue
        if colon:
            secrets |= {part for part in (user, password) if len(part) > 3}
    return secrets


def _spellings(secret: str) -> set[str]:
    """The secret as it is, and encoded for URLs, JSON, HTML and Basic authorization."""
    if not secret.strip():
        return set()
    raw = {secret, secret.strip(), unquote(secret)}
    found = set(raw)
    for text in raw:
        for form in (text, f"{text}:", f":{text}"):
            encoded = form.encode("utf-8", "surrogatepass")
            found |= {
                base64.b64encode(encoded).decode().rstrip("="),
                base64.urlsafe_b64encode(encoded).decode().rstrip("="),
            }
        encoded = text.encode("utf-8", "surrogatepass")
        found |= {quote(encoded, safe=""), quote(encoded), quote_plus(encoded), encoded.hex()}
        found |= {
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            html.escape(text),
            repr(text)[1:-1],
        }
        found |= {text.encode("utf-8", "surrogatepass").decode("latin-1")}
    return {spelling for spelling in found if len(spelling) >= _SHORTEST}
