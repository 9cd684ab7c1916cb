"""Runs the duties of a process, each in a thread of its own, until it is asked to stop."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from threading import Event, Thread, Timer

import structlog

from domain import clock
from domain.errors import PlatformError
from engine.runtime import scheduler, worker
from engine.runtime.platform import Platform
from engine.runtime.sweeper import Sweeper
from storage.database import Unit
from storage.queries import heartbeats

log = structlog.get_logger()

_LOOK_UP_SECONDS = 0.5
"""A signal may reach any thread, but its Python handler runs in the main one, and not while that waits without end."""


class Role(StrEnum):
    """What a process does. A scheduler also sweeps."""

    WORKER = "worker"
    SCHEDULER = "scheduler"


def serve(
    platform: Platform,
    roles: Iterable[Role],
    *,
    sweeps: Iterable[Callable[[Platform], object]] = (),
    ready: Callable[[], object] | None = None,
) -> None:
    """Work until ``platform.stopping`` is set; then finish or give back what is at hand within the grace time.

    ``sweeps`` are further duties of a scheduler, asked as often as it sweeps, and never holding a sweep up. ``ready`` is
    called once everything runs.
    """
    roles = set(roles)
    settings = platform.settings
    threads: list[Thread] = []
    still_beating = Event()
    if Role.WORKER in roles:
        threads.append(
            _forever("heartbeat", platform.heartbeat.beat, every=settings.heartbeat_seconds, until=still_beating)
        )
        platform.dispatcher.start(partial(worker.run_execution, platform), threads=settings.worker_threads)
    if Role.SCHEDULER in roles:
        sweeper = Sweeper(platform)
        tick = partial(_tick, platform)
        threads.append(_forever("scheduler", tick, every=settings.tick_seconds, until=platform.stopping))
        threads.append(_forever("sweeper", sweeper.sweep, every=settings.sweep_seconds, until=platform.stopping))
        for duty in sweeps:
            further = partial(duty, platform)
            threads.append(_forever("duty", further, every=settings.sweep_seconds, until=platform.stopping))
        beat = partial(_beat, platform)
        threads.append(_forever("alive", beat, every=settings.heartbeat_seconds, until=platform.stopping))
    log.info("process_started", roles=sorted(roles), worker=platform.worker)
    if ready is not None:
        ready()
    while not platform.stopping.wait(_LOOK_UP_SECONDS):
        continue
    log.info("process_stopping")
    if Role.WORKER in roles:
        _finish_work(platform)
    still_beating.set()
    for thread in threads:
        thread.join()
    _say_goodbye(platform)
    platform.dispatcher.close()
    log.info("process_stopped")


def _finish_work(platform: Platform) -> None:
    """Half of the grace time belongs to what is nearly done; then each page at hand is dropped and its execution given back."""
    grace = platform.settings.grace_seconds
    give_up = Timer(grace / 2, platform.heartbeat.give_up)
    give_up.start()
    platform.dispatcher.stop(grace_seconds=grace)
    give_up.cancel()
    if platform.heartbeat.count:
        log.warning("grace_time_over", executions=platform.heartbeat.count)


def _tick(platform: Platform) -> None:
    while scheduler.tick(platform) and not platform.stopping.is_set():
        continue


def _beat(platform: Platform) -> None:
    platform.database.write(lambda unit: heartbeats.beat(unit, _scheduler_name(platform), role="scheduler"))


def _scheduler_name(platform: Platform) -> str:
    return f"scheduler@{platform.worker}"


def _say_goodbye(platform: Platform) -> None:
    def work(unit: Unit) -> None:
        heartbeats.stop(unit, platform.worker)
        heartbeats.stop(unit, _scheduler_name(platform))

    try:
        platform.database.write(work)
    except PlatformError as error:
        log.warning("goodbye_not_saved", code=error.code)


def _forever(name: str, duty: Callable[[], object], *, every: float, until: Event) -> Thread:
    """Do a duty again and again. It outlives every error: a duty that ended silently would be missed by nobody."""

    def run() -> None:
        while not until.is_set():
            started = clock.monotonic()
            try:
                duty()
            except PlatformError as error:
                log.warning("duty_failed", duty=name, code=error.code, message=error.message, detail=error.detail)
            except Exception:
                log.exception("duty_broke", duty=name)
            until.wait(max(0.0, every - (clock.monotonic() - started)))

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
