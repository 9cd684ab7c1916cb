"""A clock that moves only when told to."""

from datetime import UTC, datetime, timedelta


class MovableClock:
    """Call it for the time. Starts on a Monday noon, far from any clock change."""

    def __init__(self) -> None:
        """2026-03-02 12:00 UTC."""
        self.moment = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it shows."""
        return self.moment

    def advance(self, seconds: float = 0, **more: float) -> datetime:
        """Move by ``seconds`` and whatever ``timedelta`` takes; also backwards."""
        self.moment += timedelta(seconds=seconds, **more)
        return self.moment
