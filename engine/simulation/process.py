"""A simulator in a process of its own, so that it does not share the processor time of what talks to it."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from domain.errors import Unavailable
from engine.simulation.app import App
from engine.simulation.server import Server, serve_forever

START_SECONDS = 120.0


def _run(build: Callable[[], App], port: int, ready: Connection, events_per_minute: float) -> None:
    def tell(server: Server) -> None:
        ready.send(server.url)

    serve_forever(build(), port=port, listening=tell, events_per_minute=events_per_minute)


@contextmanager
def serve_apart(
    build: Callable[[], App],
    *,
    port: int = 0,
    events_per_minute: float = 0,
    start_seconds: float = START_SECONDS,
) -> Iterator[str]:
    """Serve what ``build`` makes in another process until the block ends; gives its url.

    ``build`` is a function at the top of a module, or a ``functools.partial`` of one. Ledger and faults are reached
    over HTTP, under ``/_simulator/``. A process that does not listen within ``start_seconds`` is Unavailable.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(build, port, there, events_per_minute), daemon=True)
    process.start()
    there.close()
    try:
        try:
            url = str(here.recv()) if here.poll(start_seconds) else ""
        except EOFError:
            url = ""
        if not url:
            raise Unavailable("The simulator did not start. Its own output says why.")
        yield url
    finally:
        here.close()
        process.terminate()
        process.join()
