"""A tiny platform: one connector, three flows, and work that follows a script, so that faults hit at chosen places.

``python -m tests.toy URL ROLE…`` runs a process of it and prints one line for each thing that happens.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, SecretStr

from domain import errors
from domain.records import Order, Product, StockLevel
from engine.connector import Connector, Operation, Request, SignIn
from engine.flow import Behind, Check, Direction, Export, Flow, Import
from engine.registry import Registry
from engine.runtime.platform import Platform
from engine.runtime.run import Run, Tally
from engine.runtime.service import Role, serve
from engine.security.secrets import KeyRing
from engine.settings import Settings
from storage.database import Database, Unit
from storage.queries import executions, feeds, integrations
from storage.rows import Feed
from storage.tables import page_digests

IMPORT, ORDERS, EXPORT, ONCE = "import_toys", "import_new_orders", "export_toys", "import_toys_once"
KEYS = KeyRing([bytes(32)])


class Script(BaseModel):
    """What the work does: save ``pages`` pages, and what happens inside page ``at``.

    ``event`` is one of ``BEFORE`` or ``INSIDE`` a page, or the name of an error; it happens in attempts up to ``attempts``.
    """

    base_url: str = "http://127.0.0.1:9009"
    password: SecretStr = SecretStr("")
    pages: int = 3
    at: int = 0
    event: str = ""
    attempts: int = 1
    failed: int = 0


def follow(run: Run) -> None:
    """Save pages from the saved position on; one transaction each, its fence last."""
    script: Script = run.settings
    for page in range((run.execution.position or 0) + 1, script.pages + 1):
        tally = run.tally.plus(created=1)
        if page == script.at and run.execution.attempt <= script.attempts and script.event in BEFORE:
            tell(f"waiting {run.execution.id}")
            BEFORE[script.event](run)
        run.database.write(partial(save, run=run, page=page, tally=tally))
        run.tally = tally
        tell(f"saved {page}")
    run.tally = run.tally.plus(failed=script.failed)


def save(unit: Unit, *, run: Run, page: int, tally: Tally) -> None:
    """One page."""
    script: Script = run.settings
    row = {"feed_id": run.feed.id, "page": f"{run.execution.id}/{page}", "digest": b"", "records": 1}
    unit.connection.execute(page_digests.insert().values(row))
    if page == script.at and run.execution.attempt <= script.attempts:
        tell(f"inside {run.execution.id}")
        happen(unit, run)
    run.fence(unit, tally, position=page, expected=script.pages)


def happen(unit: Unit, run: Run) -> None:
    """The fault of a script, inside a page's transaction."""
    event = run.settings.event
    if event in INSIDE:
        INSIDE[event](unit, run)
    elif event and event not in BEFORE:
        error = getattr(errors, event)
        raise error(f"It was {event}.", **MORE.get(event, {}))


def write(run: Run) -> None:
    """Try to change something on the other side."""
    run.door.send(Request(Operation("set_toy", "POST"), "/toys"))


def wait(run: Run) -> None:
    """Until the lease is lost or given up."""
    while True:
        run.lease.demand()
        Event().wait(0.02)


def wait_for_file(*_: object) -> None:
    """Until the test makes a file called ``go``."""
    while not Path("go").exists():
        Event().wait(0.02)


def wait_for_ever() -> None:
    """Until killed."""
    Event().wait()


def keep_big_row(unit: Unit, run: Run) -> None:
    """Four megabytes."""
    row = {"feed_id": run.feed.id, "page": "big", "digest": bytes(4_000_000), "records": 0}
    unit.connection.execute(page_digests.insert().values(row))


def cut(unit: Unit, _run: Run) -> None:
    """PostgreSQL hangs up."""
    unit.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def cancel(unit: Unit, run: Run) -> None:
    """A person cancels at this moment."""
    executions.cancel(unit, run.execution.id, reason="")


def break_down(*_: object) -> None:
    """A mistake of ours."""
    raise ValueError("a secret detail")


def lose(run: Run) -> None:
    """Another worker takes the execution over."""

    def take(unit: Unit) -> None:
        executions.release(unit, run.execution.id, attempt=run.execution.attempt, tries=0)
        executions.claim(unit, run.execution.id, worker="another", lease_seconds=30)

    run.database.write(take)


def ring(run: Run) -> None:
    """Tell a worker of this execution once more."""
    run.ring(run.execution.id)


BEFORE: dict[str, Callable[[Run], None]] = {
    "write": write,
    "wait": wait,
    "pause_for_file": wait_for_file,
    "lose": lose,
    "ring": ring,
}
INSIDE: dict[str, Callable[[Unit, Run], None]] = {
    "hang": lambda *_: wait_for_ever(),
    "hold_for_file": wait_for_file,
    "die": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "big": keep_big_row,
    "cut": cut,
    "cancel": cancel,
    "break": break_down,
}
MORE: dict[str, dict[str, Any]] = {
    "RateLimited": {"retry_after": timedelta(seconds=90)},
    "CredentialsRejected": {"remedy": "Enter a new key."},
}


def tell(line: str) -> None:
    """One line to whoever started this process."""
    if __name__ == "__main__":
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


CONNECTOR = Connector(
    name="toy",
    title="Toy shop",
    settings=Script,
    sign_in=lambda script: SignIn(script.base_url),
    open=lambda _door, _script: None,
    probe=lambda _door, _script: None,  # type: ignore[arg-type,return-value]
    interpret=lambda _answer: None,
    reads={},
)
FLOWS = (
    Flow(name=IMPORT, title="Import toys", direction=Direction.INBOUND, work=Import(kind=Product)),
    Flow(name=ORDERS, title="Import new orders", direction=Direction.INBOUND, work=Import(kind=Order)),
    Flow(
        name=EXPORT,
        title="Export toys",
        direction=Direction.OUTBOUND,
        work=Export(kind=StockLevel),
        behind=Behind(flow=ORDERS, within=timedelta(minutes=30)),
    ),
    Flow(name=ONCE, title="Import toys once", direction=Direction.INBOUND, work=Import(kind=StockLevel, locks=True)),
)
WORKS: dict[type[Any], Callable[[Run], None]] = {Import: follow, Export: follow, Check: follow}


def a_platform(database: Database, **settings: object) -> Platform:
    """A process of the tiny platform."""
    given = {"allow_private_addresses": True, "lease_seconds": 30, **settings}
    return Platform.of(
        database,
        registry=Registry.of(connectors=[CONNECTOR], flows=FLOWS),
        settings=Settings.model_validate(given),
        keys=KEYS,
        works=WORKS,
    )


def an_integration(
    database: Database, *, flows: Sequence[str] = (IMPORT,), name: str = "shop", **script: object
) -> list[Feed]:
    """An integration with these flows switched on, following a script; returns the feeds in the order asked for."""

    def work(unit: Unit) -> list[Feed]:
        integration_id = integrations.insert(
            unit, name=name, connector="toy", time_zone="Europe/Paris", settings=script, rulebook={}
        )
        feeds.insert(unit, integration_id, flows=dict.fromkeys(flows, True))
        found = [feeds.find(unit, integration_id, flow=flow) for flow in flows]
        return [feed for feed in found if feed is not None]

    return database.write(work)


def pages(database: Database) -> list[str]:
    """The pages saved, as ``execution/page``."""
    query = sa.select(page_digests.c.page).order_by(page_digests.c.page)
    return database.read(lambda unit: list(unit.connection.execute(query).scalars()))


def main(url: str, *roles: str) -> None:
    """Serve until SIGTERM. Settings come from the environment."""
    with Database(url) as database:
        platform = a_platform(
            database, **Settings().model_dump(include=Settings.model_fields.keys() & _FROM_ENVIRONMENT)
        )
        signal.signal(signal.SIGTERM, lambda *_: platform.stopping.set())
        serve(platform, [Role(role) for role in roles], ready=lambda: tell("ready"))
    tell("stopped")


_FROM_ENVIRONMENT = {
    "redis_url",
    "worker_threads",
    "lease_seconds",
    "heartbeat_seconds",
    "sweep_seconds",
    "tick_seconds",
    "grace_seconds",
}

if __name__ == "__main__":
    main(*sys.argv[1:])
