"""Texts made from texts."""

import re
import unicodedata


def slug(text: str) -> str:
    """A name as it appears in an address: small letters, digits and dashes."""
    letters = text
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")
