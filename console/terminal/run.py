"""``navette run``, ``scheduler`` and ``worker``: the processes that do the work."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread
from types import FrameType
from typing import Annotated

import typer

from console.terminal import live
from console.terminal.failures import DEBUG
from console.terminal.session import LOG_FILE
from console.terminal.showcase import living_shop
from console.terminal.tables import say
from engine.actions.platform import open_platform
from engine.actions.retention import DailyPurge
from engine.logging import set_up_logging
from engine.runtime.platform import Platform
from engine.runtime.service import Role, serve
from engine.settings import Settings, load_settings

run_app = typer.Typer(help="Run everything in one process; --demo with a simulated shop.")
scheduler_app = typer.Typer(help="Run a scheduler; two of them are safe.")
worker_app = typer.Typer(help="Run a worker; any number of them share the work.")


@run_app.command()
def run(
    demo: Annotated[bool, typer.Option("--demo", help="Connect a simulated shop that lives, as “demo”.")] = False,
    products: Annotated[int, typer.Option(min=10, max=100_000, help="How large the simulated shop is.")] = 200,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the simulated shop; 0: a free one.")] = 0,
    life: Annotated[float, typer.Option(metavar="N", min=0, help="How many things happen in it a minute.")] = 30,
) -> None:
    """Run scheduler, workers and sweeper in one process until Ctrl-C. Needs no other service."""
    settings = load_settings()
    is_terminal = sys.stdout.isatty()
    with ExitStack() as stack:
        if is_terminal and not DEBUG.get():
            settings.data_folder.mkdir(parents=True, exist_ok=True)
            log_file = stack.enter_context((settings.data_folder / LOG_FILE).open("a", encoding="utf-8"))
            set_up_logging(log_format="json", log_level=settings.log_level, stream=log_file)
        else:
            _log_to_stderr(settings)
        if demo:
            settings = settings.model_copy(update={"allow_private_addresses": True})
        platform = stack.enter_context(open_platform(settings))
        headline = "Navette"
        if demo:
            shop = stack.enter_context(living_shop(platform, products=products, port=port, life=life))
            headline = f"Navette, with a simulated shop at {shop.url}"
        stack.enter_context(_stopped_by_signals(platform))
        thread = Thread(
            target=serve,
            args=(platform, list(Role)),
            kwargs={"sweeps": (DailyPurge(),)},
            name="service",
        )
        thread.start()
        try:
            if is_terminal:
                live.show_until(platform, platform.stopping, headline=headline)
                say("Stopping: what is at hand is finished or given back.")
            else:
                say(f"{headline} is running. Press Ctrl-C to stop.")
                live.tell_until(platform, platform.stopping)
        finally:
            platform.stopping.set()
            thread.join()


@scheduler_app.command()
def scheduler() -> None:
    """Turn schedules into executions and find work left lying, until Ctrl-C. A second one takes over when this one dies."""
    _serve(Role.SCHEDULER)


@worker_app.command()
def worker() -> None:
    """Work on executions until Ctrl-C. Needs Redis, by which schedulers and other processes tell it of work."""
    _serve(Role.WORKER)


def _serve(role: Role) -> None:
    settings = load_settings()
    _log_to_stderr(settings)
    with open_platform(settings) as platform, _stopped_by_signals(platform):
        sweeps = (DailyPurge(),) if role is Role.SCHEDULER else ()
        serve(platform, [role], sweeps=sweeps)


def _log_to_stderr(settings: Settings) -> None:
    level = "debug" if DEBUG.get() else settings.log_level
    set_up_logging(log_format=settings.log_format, log_level=level)


@contextmanager
def _stopped_by_signals(platform: Platform) -> Iterator[None]:
    """Ctrl-C and a polite kill let work end in order; a second one is as rude as usual."""
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _frame: FrameType | None) -> None:
        platform.stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in former:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
