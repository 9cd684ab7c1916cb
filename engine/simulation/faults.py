"""Which faults exist everywhere, and which requests meet one."""

import random
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.errors import UserError
from engine.simulation import answers, transport
from engine.simulation.exchange import Request
from engine.simulation.fault import Fault

GENERIC: tuple[Fault, ...] = (*transport.FAULTS, *answers.FAULTS)


@dataclass(slots=True)
class PlannedFault:
    """A fault that waits for matching requests: ``left`` of them (None: every one), each with the given ``chance``."""

    fault: Fault
    setting: str
    left: int | None
    method: str
    path: re.Pattern[str]
    chance: float
    after: int
    generator: random.Random = field(default_factory=random.Random)
    met: int = 0

    def takes(self, request: Request) -> bool:
        """Whether this request meets it; counts."""
        if self.left == 0 or (self.method and request.method != self.method) or not self.path.search(request.target):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.chance < 1 and self.generator.random() >= self.chance:
            return False
        if self.left is not None:
            self.left -= 1
        self.met += 1
        return True


class Faults:
    """The faults planned for coming requests; the first planned that matches is the one met. Safe across threads."""

    def __init__(self, known: Iterable[Fault] = ()) -> None:
        """``known`` are the app's own faults, besides the generic ones."""
        self.known: dict[str, Fault] = {fault.name: fault for fault in (*GENERIC, *known)}
        self._planned: list[PlannedFault] = []
        self._lock = threading.Lock()

    def add(
        self,
        name: str,
        *,
        times: int | None = 1,
        method: str = "",
        path: str = "",
        setting: str = "",
        chance: float = 1.0,
        seed: int = 0,
        after: int = 0,
    ) -> PlannedFault:
        """Plan a fault for the next ``times`` matching requests (None: for all of them).

        ``path`` is a regular expression searched in path and query; ``after`` lets that many matching requests pass
        first; ``chance`` with ``seed`` picks among matching requests. An unknown name or a bad pattern is a UserError.
        """
        fault = self.known.get(name)
        if fault is None:
            raise UserError(f"There is no fault called '{name}'. Known faults: {', '.join(sorted(self.known))}.")
        try:
            pattern = re.compile(path)
        except re.error as problem:
            raise UserError(f"'{path}' is not a pattern for a path: {problem}.") from problem
        planned = PlannedFault(
            fault=fault,
            setting=setting or fault.setting,
            left=times,
            method=method.upper(),
            path=pattern,
            chance=chance,
            after=after,
            generator=random.Random(seed),  # noqa: S311 - repeatable on purpose, nothing secret
        )
        with self._lock:
            self._planned.append(planned)
        return planned

    def clear(self) -> None:
        """Behave well again."""
        with self._lock:
            self._planned.clear()

    @property
    def planned(self) -> tuple[PlannedFault, ...]:
        """What is planned and not yet used up."""
        with self._lock:
            return tuple(planned for planned in self._planned if planned.left != 0)

    def meet(self, request: Request) -> PlannedFault | None:
        """The fault this request meets, if any."""
        if not self._planned:
            return None
        with self._lock:
            return next((planned for planned in self._planned if planned.takes(request)), None)
