"""SKUs that several records of one shop share: each an issue that names them all, closed when only one is left."""

from domain.records import Product, Record, Variant
from engine.runtime import issues
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import issues as issue_rows
from storage.queries import records

PREFIX = "duplicate_sku:"


def review(run: Run, *, kind: type[Record]) -> None:
    """After an import of products that wrote something: raise and close the issues of shared SKUs."""
    if kind is Product and run.tally.created + run.tally.updated:
        run.database.write(lambda unit: _review(unit, run))


def _review(unit: Unit, run: Run) -> None:
    integration_id = run.integration.id
    shared = records.shared_keys(unit, integration_id, kinds=(Product.kind, Variant.kind), prefix="sku:")
    open_causes = issue_rows.open_causes(unit, integration_id, prefix=PREFIX)
    for key, members in shared.items():
        cause = PREFIX + key.removeprefix("sku:")
        if cause not in open_causes:
            issues.raise_issue(
                unit,
                integration_id=integration_id,
                feed_id=run.feed.id,
                cause=cause,
                message=f"The SKU “{members[0][1]}” is used by several products of this shop: "
                f"{', '.join(f'#{remote_id}' for remote_id, _ in members)}. Each keeps its own stock, and none of them is "
                "linked to other shops.",
                remedy="Give each of them a SKU of its own in the shop, then update the products.",
                occurrences=len(members),
            )
    for cause in open_causes:
        if "sku:" + cause.removeprefix(PREFIX) not in shared:
            issues.settle(unit, integration_id=integration_id, cause=cause, by="the SKUs differ now")
