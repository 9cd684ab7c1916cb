"""Tells what runs again after something was put right, and follows it when asked to."""

from console.terminal import following
from console.terminal.tables import say, warn
from console.terminal.words import counted
from engine.actions.issues import Retried
from engine.runtime.platform import Platform


def tell_retried(platform: Platform, retried: Retried, *, waits: bool) -> None:
    """Say which executions run the records that were held back; with ``waits``, follow each to its end."""
    for hindrance in retried.hindrances:
        warn(hindrance)
    if not retried.requests:
        return
    numbers = ", ".join(str(requested.execution_id) for requested in retried.requests)
    what = counted(retried.records, "held record") if retried.records else "The whole flow"
    say(f"{what} {'run' if retried.records > 1 else 'runs'} again now (execution {numbers}).")
    if waits:
        for requested in retried.requests:
            following.tell_end(platform, following.follow(platform, requested.execution_id))
    elif not following.is_anybody_working(platform):
        warn("No worker is running, so they wait. Start one with “navette run”, or add --wait to run them here.")
