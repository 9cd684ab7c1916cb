"""SKUs that several records of one shop share: one issue that names them all, closed when none is left."""

from collections.abc import Mapping, Sequence

from domain.records import Product, Record, Variant
from engine.runtime import issues
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import records

CAUSE = "shared_skus"
_NAMED = 40
"""A message names this many SKUs; the others are counted."""


def review(run: Run, *, kind: type[Record]) -> None:
    """After an import of products that wrote something: raise or close the issue of shared SKUs."""
    if kind is Product and run.tally.created + run.tally.updated:
        run.database.write(lambda unit: _review(unit, run))


def _review(unit: Unit, run: Run) -> None:
    integration_id = run.integration.id
    shared = records.shared_keys(unit, integration_id, kinds=(Product.kind, Variant.kind), prefix="sku:")
    if not shared:
        issues.settle(unit, integration_id=integration_id, cause=CAUSE, by="every SKU is used once now")
        return
    issues.raise_issue(
        unit,
        integration_id=integration_id,
        feed_id=run.feed.id,
        cause=CAUSE,
        message=f"{_many(len(shared), 'SKU is', 'SKUs are')} used by several products of this shop: {_named(shared)}. "
        "Each of them keeps its own stock, and none is linked to products of other shops.",
        remedy="Give each of them a SKU of its own in the shop, then run the update of products.",
        occurrences=len(shared),
    )


def _named(shared: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    named = [
        f"“{members[0][1]}” ({', '.join(f'#{remote_id}' for remote_id, _ in members)})"
        for members in list(shared.values())[:_NAMED]
    ]
    more = len(shared) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
