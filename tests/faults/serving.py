"""``python -m tests.faults.serving FOLDER URL``: a real process that works and sweeps, with short leases, until killed."""

import signal
import sys
from pathlib import Path

from engine.actions.platform import open_platform
from engine.runtime.service import Role, serve
from tests.faults.processes import QUICK
from tests.installation import settings_for

_SHORT = {name.removeprefix("NAVETTE_").lower(): float(value) for name, value in QUICK.items()}


def main(folder: str, url: str) -> None:
    """Serve until SIGTERM."""
    settings = settings_for(Path(folder), url).model_copy(
        update={**_SHORT, "worker_threads": 1, "read_timeout_seconds": 30.0, "total_timeout_seconds": 60.0}
    )
    with open_platform(settings) as platform:
        signal.signal(signal.SIGTERM, lambda *_: platform.stopping.set())
        serve(platform, [Role.WORKER, Role.SCHEDULER], ready=lambda: print("ready", flush=True))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
