"""Serves a simulator on 127.0.0.1, and nowhere else.

    with serve(app) as server:          # in a thread, for tests; port 0 takes a free one
        httpx.get(server.url + "/…")
        server.faults.add("rate_limited", times=2, path="/orders")
        assert server.ledger.writes == ()

``serve_forever`` is the main thing of a process; ``process.serve_apart`` starts such a process.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

from engine.simulation.app import App
from engine.simulation.control import CONTROL_PREFIX, Control
from engine.simulation.exchange import Request, Response
from engine.simulation.fault import Scene
from engine.simulation.faults import Faults
from engine.simulation.ledger import Ledger
from engine.simulation.pulse import Pulse
from engine.simulation.reading import LARGEST_HEAD, BadRequest, read_request
from engine.simulation.wire import Hangup, Wire

log = structlog.get_logger(__name__)
HOST = "127.0.0.1"
WAITING_CLIENTS = 512


class Server:
    """One simulator being served. ``url`` has no slash at its end and is known once it listens."""

    def __init__(self, app: App, *, compress: bool = False, events_per_minute: float = 0) -> None:
        """``compress`` sends gzip to clients that take it; ``events_per_minute`` is how fast the app's life goes."""
        self.app = app
        self.url = ""
        self.ledger = Ledger()
        self.faults = Faults(app.faults)
        self.pulse = Pulse(app.life, events_per_minute)
        self._compress = compress
        self._control = Control(self.app, self.ledger, self.faults, self.pulse)
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def run(self, port: int, *, listening: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set. ``listening`` is called once, when clients may connect."""
        server = await asyncio.start_server(self._accept, HOST, port, limit=LARGEST_HEAD, backlog=WAITING_CLIENTS)
        self.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        self.app.started(self.url)
        beating = asyncio.create_task(self.pulse.beat())
        try:
            listening()
            await stop.wait()
        finally:
            server.close()
            for _ in range(4):  # connections the loop has accepted and not handed over yet
                await asyncio.sleep(0)
            for task in (beating, *self._connections):
                task.cancel()
            await asyncio.gather(beating, *self._connections, return_exceptions=True)
            await server.wait_closed()
            # Left are those cancelled before their first step, and those still flushing to a client that is gone.
            for writer in self._writers:
                writer.transport.abort()
            while any(_is_open(writer) for writer in self._writers):
                await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.get_running_loop().create_task(self._connection(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(writer)
        # A client that goes away, and our own stop, are both the ordinary end of a connection.
        with suppress(ConnectionError, Hangup, asyncio.CancelledError):
            await self._requests(reader, wire)
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()
            self._writers.discard(writer)

    async def _requests(self, reader: asyncio.StreamReader, wire: Wire) -> None:
        while True:
            try:
                request = await read_request(reader, go_on=wire.writer)
            except BadRequest:
                await wire.answer(Request("GET", ""), Response(400, closes=True))
                return
            if request is None:
                return
            if request.path.startswith(CONTROL_PREFIX):
                await wire.answer(request, self._control.respond(request))
            elif not await self._answer(request, wire):
                return
            if request.header("connection").lower() == "close":
                return

    async def _answer(self, request: Request, wire: Wire) -> bool:
        """Answer as the app or a fault would have it; False when the connection is over."""
        planned = self.faults.meet(request)
        if planned is None:
            response = self.app.respond(request)
            self.ledger.enter(request, response.status, changes=response.changes)
            await wire.answer(request, response, compress=self._compress)
            return not response.closes
        fault = planned.fault
        reached = self.app.respond(request) if fault.reaches_app else None
        changes = reached.changes if reached else ()
        self.ledger.enter(request, reached.status if reached else 0, changes=changes, fault=fault.name)
        scene = Scene(wire, request, reached, planned.setting, lambda: self.app.empty(request))
        await fault.play(scene)
        return not (reached and reached.closes)


def _is_open(writer: asyncio.StreamWriter) -> bool:
    return bool(writer.get_extra_info("socket").fileno() != -1)


@contextmanager
def serve(app: App, *, port: int = 0, compress: bool = False, events_per_minute: float = 0) -> Iterator[Server]:
    """Serve in a thread of this process until the block ends."""
    server = Server(app, compress=compress, events_per_minute=events_per_minute)
    ready = threading.Event()
    failure: list[BaseException] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        try:
            loop.run_until_complete(server.run(port, listening=ready.set, stop=stop))
        except OSError as problem:
            failure.append(problem)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name=f"simulator-{app.name}", daemon=True)
    thread.start()
    ready.wait()
    if failure:
        thread.join()
        raise failure[0]
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def serve_forever(
    app: App,
    *,
    port: int,
    listening: Callable[[Server], None],
    compress: bool = False,
    events_per_minute: float = 0,
) -> None:
    """Serve in this thread until it is interrupted. ``listening`` is called once, with the server's url known."""
    server = Server(app, compress=compress, events_per_minute=events_per_minute)

    async def run() -> None:
        await server.run(port, listening=lambda: listening(server), stop=asyncio.Event())

    log.info("simulator_starting", system=app.name, port=port)
    with suppress(KeyboardInterrupt):
        asyncio.run(run())
