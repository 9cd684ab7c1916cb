"""Column types: instants, quantities and JSON, the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine

from domain.errors import BrokenInvariant

_THOUSAND = Decimal(1000)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime: microseconds since 1970 on SQLite, ``timestamptz`` on PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own type."""
        return DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's own type
        """To the driver."""
        return instant_to_driver(value, dialect.name)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        """From the driver."""
        if value is None or isinstance(value, datetime):
            return None if value is None else value.astimezone(UTC)
        return datetime.fromtimestamp(value / 1_000_000, UTC)


def instant_to_driver(value: datetime | None, dialect: str) -> datetime | int | None:
    """What the driver stores for an instant. Refuses naive datetimes."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise BrokenInvariant("A moment without a time zone was about to be stored.")
    return value if dialect == "postgresql" else round(value.timestamp() * 1_000_000)


class Quantity(TypeDecorator[Decimal]):
    """An exact quantity to a thousandth, kept as an integer so that sums are exact on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """To the driver."""
        return None if value is None else quantity_to_driver(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ANN401
        """From the driver."""
        return None if value is None else Decimal(int(value)) / _THOUSAND


def quantity_to_driver(value: Decimal) -> int:
    """Thousandths. A quantity finer than that is refused rather than rounded."""
    thousandths = value * _THOUSAND
    if thousandths != thousandths.to_integral_value():
        raise BrokenInvariant(f"The quantity {value} is finer than a thousandth.")
    return int(thousandths)


class Body(TypeDecorator[Any]):
    """A JSON value as bytes: written and read whole, never searched by the database."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ANN401
        """To the driver."""
        return None if value is None else msgspec.json.encode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """From the driver."""
        return None if value is None else msgspec.json.decode(value)
