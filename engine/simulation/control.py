"""The simulator's own addresses, for tests in other processes and for people: JSON under ``/_simulator/``.

GET    /_simulator/          what it is, how to connect, what faults exist
GET    /_simulator/ledger    counts, every write (``?after=N``: those after sequence N), the last requests (``?recent=N``)
DELETE /_simulator/ledger    forget
GET    /_simulator/faults    what is planned
POST   /_simulator/faults    {"name": …, "times": 3, "method": "GET", "path": "…", "setting": "…", "chance": 1, "seed": 0}
DELETE /_simulator/faults    behave well again
POST   /_simulator/life      {"steps": 3} lets things happen now; {"events_per_minute": 60} sets the rate
"""

import json
from dataclasses import asdict

import msgspec

from domain.errors import UserError
from engine.simulation.app import App
from engine.simulation.exchange import Request, Response
from engine.simulation.faults import Faults, PlannedFault
from engine.simulation.ledger import Entry, Ledger
from engine.simulation.pulse import Pulse

CONTROL_PREFIX = "/_simulator/"


class WantedFault(msgspec.Struct, forbid_unknown_fields=True):
    """A fault as asked for over HTTP; ``times`` null means every matching request."""

    name: str
    times: int | None = 1
    method: str = ""
    path: str = ""
    setting: str = ""
    chance: float = 1.0
    seed: int = 0
    after: int = 0


class Control:
    """Answers the control addresses of one server."""

    def __init__(self, app: App, ledger: Ledger, faults: Faults, pulse: Pulse) -> None:
        """The parts of the server it shows and changes."""
        self._app = app
        self._ledger = ledger
        self._faults = faults
        self._pulse = pulse

    def respond(self, request: Request) -> Response:
        """A JSON answer; wrong use is a 400 with one sentence, an unknown address a 404."""
        place = request.path.removeprefix(CONTROL_PREFIX).strip("/")
        try:
            shown = self._show(request, place)
        except (UserError, ValueError, msgspec.MsgspecError) as problem:
            return _json(400, {"error": str(problem)})
        if shown is None:
            return _json(404, {"error": f"There is nothing at {request.method} {request.path}."})
        return _json(200, shown)

    def _show(self, request: Request, place: str) -> dict[str, object] | None:
        match request.method, place:
            case "GET", "":
                return {"system": self._app.name, **self._app.describe(), "faults": self._known_faults()}
            case "GET", "ledger":
                return self._show_ledger(dict(request.parameters))
            case "DELETE", "ledger":
                self._ledger.clear()
                return {}
            case "GET", "faults":
                return {"planned": [_planned(planned) for planned in self._faults.planned]}
            case "POST", "faults":
                return self._plan(request.body)
            case "DELETE", "faults":
                self._faults.clear()
                return {}
            case "GET" | "POST", "life":
                return self._live(_object(request.body))
            case _:
                return None

    def _plan(self, body: bytes) -> dict[str, object]:
        wanted = msgspec.json.decode(body, type=WantedFault)
        planned = self._faults.add(
            wanted.name,
            times=wanted.times,
            method=wanted.method,
            path=wanted.path,
            setting=wanted.setting,
            chance=wanted.chance,
            seed=wanted.seed,
            after=wanted.after,
        )
        return _planned(planned)

    def _known_faults(self) -> list[dict[str, str]]:
        return [
            {"name": fault.name, "summary": fault.summary, "setting": fault.setting, "means": fault.settings}
            for fault in self._faults.known.values()
        ]

    def _show_ledger(self, wanted: dict[str, str]) -> dict[str, object]:
        after = int(wanted.get("after", "0"))
        newest = int(wanted.get("recent", "0"))
        writes = self._ledger.writes
        return {
            "requests": self._ledger.count,
            "write_count": len(writes),
            "writes": [_entry(entry) for entry in writes if entry.sequence > after],
            "recent": [_entry(entry) for entry in self._ledger.recent[-newest:]] if newest else [],
        }

    def _live(self, wanted: dict[str, object]) -> dict[str, object]:
        if "events_per_minute" in wanted:
            self._pulse.events_per_minute = float(str(wanted["events_per_minute"]))
        events = [self._pulse.step() for _ in range(int(str(wanted.get("steps", 0))))]
        return {"events": events, "events_per_minute": self._pulse.events_per_minute, "happened": self._pulse.happened}


def _object(body: bytes) -> dict[str, object]:
    value = json.loads(body or b"{}")
    if not isinstance(value, dict):
        raise UserError("The body has to be a JSON object.")
    return value


def _entry(entry: Entry) -> dict[str, object]:
    return {
        **asdict(entry),
        "at": entry.at.isoformat(),
        "body": entry.body.decode("utf-8", "replace"),
        "changes": [asdict(change) for change in entry.changes],
    }


def _planned(planned: PlannedFault) -> dict[str, object]:
    return {
        "name": planned.fault.name,
        "left": planned.left,
        "met": planned.met,
        "method": planned.method,
        "path": planned.path.pattern,
        "setting": planned.setting,
    }


def _json(status: int, value: dict[str, object]) -> Response:
    body = json.dumps(value, ensure_ascii=False, default=str).encode()
    return Response(status, body, (("Content-Type", "application/json"),))
