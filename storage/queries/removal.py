"""The end of an integration: what is its own goes, what the hub shares stays."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Unit
from storage.rows import State
from storage.tables import executions, feeds, integrations, metadata, outcomes, page_digests, records

_SHARED = ("product", "variant", "stock_level")
"""Kinds other integrations may be tied to, and that hold the hub's own stock."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How much went for good, and how many products and variants stay."""

    orders: int
    executions: int
    products_kept: int


def is_busy(unit: Unit, integration_id: int) -> bool:
    """Whether a worker works for the integration right now."""
    query = (
        sa.select(executions.c.id)
        .join(feeds, feeds.c.id == executions.c.feed_id)
        .where(feeds.c.integration_id == integration_id, executions.c.state == State.RUNNING)
        .limit(1)
    )
    return unit.connection.execute(query).first() is not None


def remove(unit: Unit, integration_id: int) -> Removed:
    """Delete an integration with its feeds, history, orders, links and secrets. Products, variants and stock levels stay."""
    connection = unit.connection
    own = records.c.integration_id == integration_id
    orders = connection.execute(sa.select(sa.func.count()).where(own, records.c.kind == "order")).scalar_one()
    kept = connection.execute(
        sa.select(sa.func.count()).where(own, records.c.kind.in_(("product", "variant")))
    ).scalar_one()
    its_feeds = sa.select(feeds.c.id).where(feeds.c.integration_id == integration_id)
    its_executions = sa.select(executions.c.id).where(executions.c.feed_id.in_(its_feeds))
    connection.execute(outcomes.delete().where(outcomes.c.execution_id.in_(its_executions)))
    gone = connection.execute(executions.delete().where(executions.c.feed_id.in_(its_feeds))).rowcount
    connection.execute(page_digests.delete().where(page_digests.c.feed_id.in_(its_feeds)))
    connection.execute(records.delete().where(own, records.c.kind.not_in(_SHARED)))
    connection.execute(records.update().where(own).values(integration_id=None))
    for table in reversed(metadata.sorted_tables):
        if "integration_id" in table.c and table is not records:
            connection.execute(table.delete().where(table.c.integration_id == integration_id))
    connection.execute(integrations.delete().where(integrations.c.id == integration_id))
    return Removed(orders, gone, kept)
