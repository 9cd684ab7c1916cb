"""What a benchmark is run with."""

from dataclasses import dataclass

from tests.bench.databases import Databases


@dataclass(frozen=True, slots=True)
class Terms:
    """``scale`` multiplies every size (0.1: a tenth of the rows); medians are taken over ``rounds``."""

    databases: Databases
    rounds: int = 3
    scale: float = 1.0

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.databases.dialect

    def size(self, full: int, *, least: int = 1) -> int:
        """A size at this scale."""
        return max(least, round(full * self.scale))
