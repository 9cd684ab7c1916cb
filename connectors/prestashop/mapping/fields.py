"""Converts single values of a row; whatever cannot be converted is a ``NeedsAttention`` that names the field.

PrestaShop gives numbers as strings with a decimal point (``23.900000``), flags as ``0`` and ``1``, missing ids as ``0`` or
nothing, and dates as local time. A decimal comma is never PrestaShop's.
"""

import math
import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from connectors.prestashop.client.rows import Scalar, Text
from domain.errors import NeedsAttention

SHORT = 255
NAME = 1_000
LONG = 200_000

ZERO = Decimal(0)
LARGEST = Decimal(10) ** 14
"""The shop's amounts are ``DECIMAL(20,6)``; what is not below this was never stored by it."""
MOST_PIECES = 2_147_483_647
"""The shop's quantities are ``INT(10)``."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?")
_NO_DATE = "0000-00-00"


def text(value: Scalar, field: str, limit: int = SHORT) -> str:
    """A text without outer spaces; empty where there is none."""
    if type(value) is not str:
        return "" if value is None or value is False else "1" if value is True else str(value)
    if len(value) > limit:
        raise problem(field, f"is longer than {limit} characters")
    if "\0" in value:
        raise problem(field, "holds a NUL character")
    return value.strip()


def translated(value: Text, field: str, language: str, limit: int = NAME) -> str:
    """The text in a language, or in the first that has one."""
    if type(value) is list:
        texts = {str(part.id): part.value for part in value}
        return text(texts.get(language) or next((part for part in texts.values() if part), None), field, limit)
    return text(value, field, limit)  # type: ignore[arg-type]


def number(value: Scalar, field: str) -> Decimal:
    """A finite number."""
    if type(value) is str:
        parsed = _parse(value) if len(value) <= 48 else None
    elif type(value) is int:
        parsed = Decimal(value)
    elif type(value) is float and math.isfinite(value):
        parsed = _parse(repr(value))
    else:
        parsed = None
    if parsed is None:
        raise problem(field, f"is not a number: {_shown(value)}")
    if abs(parsed) >= LARGEST:
        raise problem(field, f"is larger than a shop can hold: {_shown(value)}")
    return parsed


def pieces(value: Scalar, field: str) -> Decimal:
    """A whole number of pieces, perhaps below zero."""
    found = number(value, field)
    if found != found.to_integral_value() or abs(found) > MOST_PIECES:
        raise problem(field, f"is not a whole number PrestaShop can hold: {_shown(value)}")
    return found


def number_or_zero(value: Scalar, field: str) -> Decimal:
    """As ``number``; nothing is zero."""
    return ZERO if value is None or value == "" else number(value, field)


def amount(value: Scalar, field: str) -> Decimal:
    """A number that cannot be below zero."""
    found = number(value, field)
    if found < 0:
        raise problem(field, f"is below zero: {_shown(value)}")
    return found


def flag(value: Scalar) -> bool:
    """``1`` or ``0``, as text or number."""
    return value in {"1", 1}


def reference(value: Scalar, field: str) -> str:
    """An id; empty where there is none."""
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= 20:  # nearly always
        return value if value != "0" else ""
    found = text(value, field, 20)
    if not found or found == "0":
        return ""
    if not (found.isascii() and found.isdecimal()):
        raise problem(field, f"is not an id: {_shown(value)}")
    return found


def barcode(ean13: Scalar, upc: Scalar, isbn: Scalar) -> str:
    """The first that is given; old shops write ``0`` for none."""
    for value, field in ((ean13, "ean13"), (upc, "upc"), (isbn, "isbn")):
        if value:
            found = text(value, field)
            if found and found != "0":
                return found
    return ""


def moment(value: Scalar, field: str, zone: tzinfo) -> datetime | None:
    """A local time as an instant in UTC, the first one in the hour that comes twice; None where the shop has no date."""
    found = text(value, field)
    if not found or found.startswith(_NO_DATE):
        return None
    try:
        return datetime.fromisoformat(found).replace(tzinfo=zone, fold=0).astimezone(UTC)
    except (ValueError, OverflowError):
        raise problem(field, f"is not a date: {_shown(value)}") from None


def problem(field: str, what: str, *, cause: str = "") -> NeedsAttention:
    """One record cannot be understood."""
    return NeedsAttention(
        f"The field '{field}' {what}.",
        cause=cause or f"invalid_field:{field}",
        field=field,
        remedy="Open the record in the back office of the shop, correct the field and save it.",
    )


@lru_cache(maxsize=32_768)
def _parse(value: str) -> Decimal | None:
    """Cached: in a catalogue most numbers are 0.000000 or come again and again."""
    if not _NUMBER.fullmatch(value):
        return None
    found = Decimal(value)
    if not found:
        return ZERO
    if "." in value and not ("e" in value or "E" in value):
        return Decimal(value.rstrip("0").removesuffix("."))
    return found


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
