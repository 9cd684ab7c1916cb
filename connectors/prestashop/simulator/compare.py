"""How the database compares: without case and accents, trailing spaces ignored, text as numbers where a column is one."""

import re
import unicodedata
from functools import lru_cache

NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)")


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """The text as utf8 general comparison sees it."""
    if text.isascii():
        return text.lower().rstrip(" ")
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold().rstrip(" ")


def as_number(text: object) -> float:
    """The number a text begins with, 0 when it begins with none."""
    if isinstance(text, int):
        return text
    found = NUMBER.match(str(text))
    return float(found.group()) if found else 0.0


def as_moment(text: str) -> str:
    """A time or date as the database reads it: midnight for a bare date, ``T`` taken for the space."""
    text = text.strip().replace("T", " ")
    return f"{text} 00:00:00" if len(text) == 10 else text


@lru_cache(maxsize=1024)
def like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern over folded text: ``%`` any text, ``_`` any letter."""
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in folded(pattern)), re.DOTALL)
