"""The volume guard: a run that would deactivate, zero, re-price or lose too many records stops and asks a person."""

from collections.abc import Sequence

from domain.errors import RemoteContractError
from engine.runtime import issues
from engine.runtime.run import Run

_ALWAYS_ALLOWED = 10
"""Fewer changes than this are everyday work, even in a small shop, unless they are all there is."""
SHOWN = 3
"""So many changes are shown as examples."""


class VolumeHeld(RemoteContractError):
    """The answer is valid but implausible: nothing of what it would change at once was changed."""

    code = "volume_held"


def demand(run: Run, *, kind: str, verb: str, count: int, known: int, examples: Sequence[str]) -> None:
    """Raise ``VolumeHeld`` when ``count`` of ``known`` records would change so, unless a person accepted it for this run.

    ``examples`` show some of the changes, before and after.
    """
    if run.execution.accepts_volume or not count or not known:
        return
    is_everyday = count <= _ALWAYS_ALLOWED and count < known
    if is_everyday or count <= known * run.rulebook.guard_share:
        return
    raise VolumeHeld(
        f"This run would {verb} {count} of {known} known {kind.replace('_', ' ')} records at once, for example "
        f"{'; '.join(examples[:SHOWN])}. None of them was changed. Look at the shop; if it is right, accept it once with: "
        f"navette feeds run {run.integration.name}/{run.flow.name} --accept-volume"
    )


def settle(run: Run) -> None:
    """The run went through: an earlier stop of this feed is settled."""
    run.database.write(
        lambda unit: issues.settle(
            unit,
            integration_id=run.integration.id,
            cause=f"{run.flow.name}:{VolumeHeld.code}",
            by="a plausible run" if not run.execution.accepts_volume else run.execution.person,
        )
    )
