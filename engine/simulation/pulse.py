"""Makes a simulated system live by itself."""

import asyncio

from engine.simulation.app import Life

SHORTEST_WAIT_SECONDS = 0.01
IDLE_SECONDS = 0.5


class Pulse:
    """Lets one thing happen at a time, ``events_per_minute`` of them, or only when ``step`` is asked for."""

    def __init__(self, life: Life | None, events_per_minute: float) -> None:
        """A rate of 0 rests; so does a system without a life."""
        self.life = life
        self.events_per_minute = events_per_minute
        self.happened = 0

    def step(self) -> str:
        """Let one thing happen now; says what, or nothing when there is no life."""
        if self.life is None:
            return ""
        self.happened += 1
        return self.life.step()

    async def beat(self) -> None:
        """Go on until cancelled. A rate set meanwhile counts from the next beat."""
        while True:
            if self.life is None or self.events_per_minute <= 0:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            await asyncio.sleep(max(60 / self.events_per_minute, SHORTEST_WAIT_SECONDS))
            self.step()
