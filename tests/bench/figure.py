"""What a benchmark found out: a number, what it is compared with, and the aim it has to reach."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aim:
    """What a number should be: at least ``least``, at most ``most``; both ends may be given."""

    least: float | None = None
    most: float | None = None

    def is_reached_by(self, number: float) -> bool:
        """Whether the number lies within."""
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    ``number`` is what the aim is about, in ``unit`` (``x`` for a ratio); ``engine`` and ``floor`` are the two sides it was
    worked out from, ready to show. Without an aim the line is for orientation.
    """

    benchmark: str
    what: str
    database: str
    number: float
    unit: str
    engine: str = ""
    floor: str = ""
    aim: Aim | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the aim is reached; a line without one is content."""
        return self.aim is None or self.aim.is_reached_by(self.number)


def rate(rows: int, seconds: float) -> str:
    """Rows a second, for people."""
    return f"{rows / seconds:,.0f}/s"
