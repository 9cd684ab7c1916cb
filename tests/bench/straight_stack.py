"""The floor of an import: httpx, pydantic on the page, one SQLAlchemy Core upsert a page, and nothing else.

It reads the very pages the engine reads, on one connection kept open, and keeps in one row what Navette's ``records`` holds
for a product: the remote id (its key), label, both link keys folded as Navette folds them, state, body (the record as JSON
bytes, of the same fields) and the time. One table, no further index, no reference, no outcome, no progress. SQLite gets the
pragmas Navette sets.
"""

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
from lxml import etree
from pydantic import BaseModel, BeforeValidator, TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite

from domain import clock
from domain.records.record import fold

products = sa.Table(
    "straight_products",
    sa.MetaData(),
    sa.Column("remote_id", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("first_key", sa.Text),
    sa.Column("second_key", sa.Text),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("updated_at", sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql"), nullable=False),
)
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-8000", "temp_store=MEMORY")

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
Link = Annotated[str, BeforeValidator(lambda value: "" if value in {None, "0", 0} else str(value))]


class Image(BaseModel):
    """An image of a product."""

    id: str


class Associations(BaseModel):
    """What belongs to a product."""

    images: list[Image] = []


class Row(BaseModel):
    """A product as a page gives it."""

    id: int
    reference: Text = ""
    ean13: Text = ""
    price: Decimal
    wholesale_price: Decimal
    weight: Decimal
    active: bool
    is_virtual: bool
    id_manufacturer: Link = ""
    id_supplier: Link = ""
    name: Text = ""
    associations: Associations = Associations()


class Page(BaseModel):
    """A page of products."""

    products: list[Row]


_rows = TypeAdapter(list[Row])


def import_pages(
    *, url: str, key: str, pages: Sequence[str], database_url: str, at_once: int = 1, is_saving: bool = True
) -> dict[str, float]:
    """Read and save every page; seconds, and rows saved. ``at_once`` pages are read side by side."""
    engine = _engine(database_url)
    products.create(engine, checkfirst=True)
    started, processor = time.perf_counter(), time.process_time()
    count = 0
    with httpx.Client(base_url=url, auth=(key, ""), timeout=60, trust_env=False) as client:
        for body in _bodies(client, pages, at_once=at_once):
            rows = _decode(body)
            count += len(rows)
            if is_saving:
                with engine.begin() as connection:
                    connection.execute(_upsert(connection.dialect.name), [_values(row, engine) for row in rows])
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    engine.dispose()
    return {"seconds": seconds, "processor_seconds": processor, "rows": count}


def _bodies(client: httpx.Client, pages: Sequence[str], *, at_once: int) -> Iterator[bytes]:
    for page in pages:
        yield client.get(page).raise_for_status().content


def _decode(body: bytes) -> list[Row]:
    if body.startswith(b"<"):
        return _rows.validate_python([_element(node) for node in etree.fromstring(body)[0]])
    return Page.model_validate_json(body).products


def _element(node: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for child in node:
        if child.tag == "associations":
            images = child.find("images")
            values["associations"] = {"images": [{"id": image[0].text} for image in images]}
        else:
            values[child.tag] = child[0].text if len(child) else child.text
    return values


def _values(row: Row, engine: sa.Engine) -> dict[str, Any]:
    keys = [f"{kind}:{fold(text)}" for kind, text in (("sku", row.reference), ("barcode", row.ean13)) if text]
    now = clock.now()
    return {
        "remote_id": str(row.id),
        "label": row.reference,
        "first_key": keys[0] if keys else None,
        "second_key": keys[1] if len(keys) > 1 else None,
        "state": "active" if row.active else "inactive",
        "body": row.model_dump_json().encode(),
        "updated_at": now if engine.dialect.name == "postgresql" else round(now.timestamp() * 1_000_000),
    }


def _upsert(dialect: str) -> sa.Insert:
    statement = postgresql.insert(products) if dialect == "postgresql" else sqlite.insert(products)
    new = statement.excluded
    columns = {column.name: new[column.name] for column in products.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=["remote_id"], set_=columns)


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

    return engine
