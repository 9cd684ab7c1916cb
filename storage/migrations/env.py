"""Run by Alembic. All steps of an upgrade are one transaction, on SQLite too: what is interrupted never happened."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from storage.database import Database
from storage.tables import Id, metadata
from storage.types import Body, Instant, Quantity

_NAMES = {Instant: "INSTANT", Quantity: "QUANTITY", Body: "BODY"}


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - Alembic's own type
    """Our column types by the names that ``columns`` freezes."""
    if kind != "type":
        return False
    if item is Id:
        return "ID"
    return next((name for known, name in _NAMES.items() if isinstance(item, known)), False)


def _run(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_item=_render)
    with context.begin_transaction():
        context.run_migrations()


given: sa.Connection | None = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    url = context.get_x_argument(as_dictionary=True)["url"]
    with Database(url) as database, database.writing() as unit:
        _run(unit.connection)
