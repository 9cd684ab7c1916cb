"""Stock: how much there is, what is promised, and so what an integration may offer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

import msgspec
import sqlalchemy as sa

from domain.records import fold
from storage.bulk import insert_rows, one_of, upsert_rows
from storage.database import Unit
from storage.queries.effects import Latest, know
from storage.queries.reservations import ITEM_KINDS, drop
from storage.rows import EffectState
from storage.tables import integrations, records, references, reservations, stock_levels, stock_movements
from storage.types import instant_to_driver, quantity_to_driver

KIND = "stock_level"
_CHUNK = 2000
_THOUSAND = Decimal(1000)


class Sharing(NamedTuple):
    """How stock is counted for one integration.

    ``warehouses`` feed it, ``rivals`` are the integrations (itself included) that sell from one of them, ``buffer`` is
    kept back. ``subtracts_own``: its own orders are taken off, because the shop does not do so itself.
    """

    integration_id: int
    warehouses: tuple[str, ...]
    rivals: tuple[int, ...]
    buffer: Decimal
    subtracts_own: bool


class Item(NamedTuple):
    """A sellable item of an integration.

    ``available`` is None while no warehouse of the integration holds a level of it; ``left`` is the same before it is kept
    from going below zero. ``delivered`` is the quantity last known to be there; ``own_open`` and ``own_held`` are promised
    to orders of this integration that are imported, and that are set aside or only seen; ``latest`` is the last effect.
    """

    kind: str
    remote_id: str
    record_id: int
    label: str
    has_variants: bool
    available: Decimal | None
    left: Decimal | None
    own_open: Decimal
    own_held: Decimal
    delivered: Decimal | None
    latest: Latest | None


def sharing(
    unit: Unit, integration_id: int, *, warehouses: Sequence[str], buffer: Decimal, subtracts_own: bool
) -> Sharing:
    """Find who sells from the same warehouses."""
    query = sa.select(integrations.c.id, integrations.c.rulebook)
    wanted = set(warehouses)
    rivals = [
        row[0]
        for row in unit.connection.execute(query)
        if row[0] == integration_id or wanted & set(row[1].get("warehouses", ("main",)))
    ]
    return Sharing(integration_id, tuple(warehouses), tuple(rivals), buffer, subtracts_own)


# CROSS JOIN keeps SQLite from beginning with the references, which are many, instead of the parts, which are few.
# The last effect is found by id + 0 and not by id: the plain form may be answered by walking the primary key
# backwards over other targets' effects, this one only by the index on the target.
# What was delivered is no join: as one, PostgreSQL reads all deliveries for each item until it has statistics of them.
_COLUMNS = """
SELECT r.kind, r.remote_id, r.record_id, c.label,
  r.kind = 'product' AND EXISTS (
    SELECT 1 FROM records v CROSS JOIN record_references rv
    WHERE v.parent_id = r.record_id AND v.parent_id IS NOT NULL AND v.kind = 'variant'
      AND rv.record_id = v.id AND rv.integration_id = :integration AND rv.gone_at IS NULL
  ),
  (SELECT CAST(sum(s.on_hand) AS BIGINT) FROM stock_levels s WHERE s.record_id = r.record_id AND s.warehouse IN :warehouses),
  (SELECT CAST(sum(o.quantity) AS BIGINT) FROM reservations o
   WHERE o.record_id = r.record_id AND o.is_held = :no AND o.integration_id IN :rivals AND o.integration_id <> :integration),
  (SELECT CAST(sum(o.quantity) AS BIGINT) FROM reservations o
   WHERE o.record_id = r.record_id AND o.is_held = :no AND o.integration_id = :integration),
  (SELECT CAST(sum(o.quantity) AS BIGINT) FROM reservations o
   WHERE o.record_id = r.record_id AND o.is_held = :yes AND o.integration_id = :integration),
  (SELECT d.value FROM deliveries d WHERE d.integration_id = :integration AND d.kind = :kind AND d.target = r.remote_id),
  e.id, e.state, e.after, e.execution_id
FROM record_references r
JOIN records c ON c.id = r.record_id
{last}
WHERE r.integration_id = :integration AND r.kind {kinds} AND r.gone_at IS NULL AND r.remote_id {range}
"""

_LAST = """
LEFT JOIN effects e ON e.id = (
  SELECT max(l.id + 0) FROM effects l WHERE l.integration_id = :integration AND l.kind = :kind AND l.target = r.remote_id
)
"""
_LAST_POSTGRESQL = """
LEFT JOIN LATERAL (
  SELECT l.id, l.state, l.after, l.execution_id FROM effects l
  WHERE l.integration_id = :integration AND l.kind = :kind AND l.target = r.remote_id ORDER BY l.id + 0 DESC LIMIT 1
) e ON true
"""


_Both: TypeAlias = dict[str, sa.TextClause]


def _both(*, kinds: str, range_sqlite: str, range_postgresql: str, expanding: Sequence[str], end: str = "") -> _Both:
    """The query in the words of either database."""
    return {
        dialect: sa.text(_COLUMNS.format(kinds=kinds, range=span, last=last) + end).bindparams(
            *(sa.bindparam(name, expanding=True) for name in names)
        )
        for dialect, last, span, names in (
            ("sqlite", _LAST, range_sqlite, ("warehouses", "rivals", *expanding)),
            (
                "postgresql",
                _LAST_POSTGRESQL,
                range_postgresql,
                ("warehouses", "rivals", *(name for name in expanding if name != "ids")),
            ),
        )
    }


_NEXT = _both(
    kinds="= :item_kind",
    range_sqlite="> :after",
    range_postgresql="> :after",
    expanding=(),
    end="ORDER BY r.remote_id LIMIT :count",
)
# What most items need: whether a shop shows the right level. SQLite is quickest looking up each item in turn; PostgreSQL,
# looking them all up in one table after the other (16 ms for 5,000 items, 38 ms in turn). Without the + 0 it could go by
# the integration, and read all reservations of a shop.
_PROMISED = """integration_id + 0 IN :rivals
  AND CASE WHEN integration_id = :integration THEN :subtracts_own ELSE is_held = :no END"""
_GLANCE_SQLITE = f"""
SELECT r.remote_id, r.record_id,
  (SELECT sum(on_hand) FROM stock_levels WHERE record_id = r.record_id AND warehouse IN :warehouses),
  (SELECT sum(quantity) FROM reservations WHERE record_id = r.record_id AND {_PROMISED}),
  (SELECT value FROM deliveries WHERE integration_id = :integration AND kind = :kind AND target = r.remote_id)
FROM record_references r
WHERE r.integration_id = :integration AND r.kind IN :item_kinds AND r.gone_at IS NULL
  AND r.remote_id IN (SELECT value FROM json_each(:ids))
"""  # noqa: S608 - words of ours
_GLANCE_POSTGRESQL = f"""
WITH r AS MATERIALIZED (
  SELECT remote_id, record_id FROM record_references
  WHERE integration_id = :integration AND kind IN :item_kinds AND gone_at IS NULL AND remote_id = ANY(:ids)
), s AS (
  SELECT record_id, CAST(sum(on_hand) AS BIGINT) AS on_hand FROM stock_levels
  WHERE record_id = ANY(ARRAY(SELECT record_id FROM r)) AND warehouse IN :warehouses GROUP BY record_id
), o AS (
  SELECT record_id, CAST(sum(quantity) AS BIGINT) AS promised FROM reservations
  WHERE record_id = ANY(ARRAY(SELECT record_id FROM r)) AND {_PROMISED} GROUP BY record_id
), d AS (
  SELECT target, value FROM deliveries WHERE integration_id = :integration AND kind = :kind AND target = ANY(:ids)
)
SELECT r.remote_id, r.record_id, s.on_hand, o.promised, d.value
FROM r LEFT JOIN s ON s.record_id = r.record_id LEFT JOIN o ON o.record_id = r.record_id LEFT JOIN d ON d.target = r.remote_id
"""  # noqa: S608 - words of ours
_GLANCE = {
    dialect: sa.text(query).bindparams(
        *(sa.bindparam(name, expanding=True) for name in ("warehouses", "rivals", "item_kinds"))
    )
    for dialect, query in (("sqlite", _GLANCE_SQLITE), ("postgresql", _GLANCE_POSTGRESQL))
}
_CHOSEN = _both(
    kinds="IN :item_kinds", range_sqlite="IN :ids", range_postgresql="= ANY(:ids)", expanding=("item_kinds", "ids")
)


class _Value(msgspec.Struct):
    quantity: Decimal


_value = msgspec.json.Decoder(_Value).decode
_any = msgspec.json.Decoder().decode
_STATES = {state.value: state for state in EffectState}


def _parameters(share: Sharing) -> dict[str, Any]:
    return {
        "integration": share.integration_id,
        "kind": KIND,
        "warehouses": list(share.warehouses),
        "rivals": list(share.rivals),
        "yes": True,
        "no": False,
    }


def _item(row: Sequence[Any], share: Sharing, buffer: int) -> Item:
    """One row of the query above."""
    kind, remote_id, record_id, label, has_variants, on_hand, rivals, own_open, own_held, value, last, *rest = row
    left: Decimal | None = None
    if on_hand is not None:
        promised = (rivals or 0) + ((own_open or 0) + (own_held or 0) if share.subtracts_own else 0)
        left = Decimal(on_hand - promised - buffer) / _THOUSAND
    return Item(
        kind,
        remote_id,
        record_id,
        label,
        bool(has_variants),
        left if left is None or left > 0 else Decimal(0),
        left,
        Decimal(own_open) / _THOUSAND if own_open else Decimal(0),
        Decimal(own_held) / _THOUSAND if own_held else Decimal(0),
        None if value is None else _value(value).quantity,
        None if last is None else Latest(last, _STATES[rest[0]], _any(rest[1]), rest[2]),
    )


def _keep_to_indexes(unit: Unit, *, joining: str = "nestloop") -> None:
    """A few thousand rows are looked up in tables that may have grown a thousandfold since PostgreSQL last counted them:
    whatever it believes of their size, for the rest of this transaction it goes by the indexes, and joins in this way.
    """
    if unit.dialect == "postgresql":
        joins = (
            f"enable_{join} = {'on' if join == joining else 'off'}" for join in ("nestloop", "hashjoin", "mergejoin")
        )
        settings = ("enable_seqscan = off", "jit = off", *joins)
        unit.connection.exec_driver_sql("; ".join(f"SET LOCAL {setting}" for setting in settings))


class ItemPage(NamedTuple):
    """Some items, and where to go on from: None after the last."""

    items: list[Item]
    after: tuple[str, str] | None


START = (ITEM_KINDS[0], "")


def items(unit: Unit, share: Sharing, *, after: tuple[str, str] = START, count: int = _CHUNK) -> ItemPage:
    """The next items of an integration in the order of kind and remote id.

    Items that are gone from the shop, and products sold as variants, are left out.
    """
    _keep_to_indexes(unit)
    kind, last = after
    rows = unit.connection.execute(
        _NEXT[unit.dialect], {**_parameters(share), "item_kind": kind, "after": last, "count": count}
    ).all()
    buffer = quantity_to_driver(share.buffer)
    found = [item for row in rows if not (item := _item(row, share, buffer)).has_variants]
    if len(rows) == count:
        return ItemPage(found, (kind, rows[-1][1]))
    following = ITEM_KINDS.index(kind) + 1
    return ItemPage(found, (ITEM_KINDS[following], "") if following < len(ITEM_KINDS) else None)


def chosen(unit: Unit, share: Sharing, remote_ids: Sequence[str]) -> dict[str, Item]:
    """These items by remote id, products that are sold as variants included; unknown ones are left out."""
    _keep_to_indexes(unit)
    buffer = quantity_to_driver(share.buffer)
    query = _CHOSEN[unit.dialect]
    found: dict[str, Item] = {}
    for start in range(0, len(remote_ids), _CHUNK):
        ids = list(remote_ids[start : start + _CHUNK])
        rows = unit.connection.execute(query, {**_parameters(share), "ids": ids, "item_kinds": list(ITEM_KINDS)}).all()
        found |= {row[1]: _item(row, share, buffer) for row in rows}
    return found


class Glance(NamedTuple):
    """The little of an item that tells whether a shop shows what it should: see ``Item``."""

    record_id: int
    available: Decimal | None
    delivered: Decimal | None


def glance(unit: Unit, share: Sharing, remote_ids: Sequence[str]) -> dict[str, Glance]:
    """As ``chosen``, for very many items of which few need explaining: a third of the time."""
    _keep_to_indexes(unit, joining="hashjoin")
    parameters = {
        **_parameters(share),
        "subtracts_own": share.subtracts_own,
        "item_kinds": list(ITEM_KINDS),
        "ids": list(remote_ids) if unit.dialect == "postgresql" else msgspec.json.encode(remote_ids).decode(),
    }
    buffer = quantity_to_driver(share.buffer)
    return {
        remote_id: Glance(
            record_id,
            None if on_hand is None else Decimal(max(on_hand - (promised or 0) - buffer, 0)) / _THOUSAND,
            None if value is None else _value(value).quantity,
        )
        for remote_id, record_id, on_hand, promised, value in unit.connection.execute(
            _GLANCE[unit.dialect], parameters
        ).all()
    }


def size(unit: Unit, integration_id: int) -> int:
    """About how many sellable items an integration has: products sold as variants are counted too."""
    query = sa.select(sa.func.count()).where(
        references.c.integration_id == integration_id,
        references.c.kind.in_(ITEM_KINDS),
        references.c.gone_at.is_(None),
    )
    return unit.connection.execute(query).scalar_one()


class Movement(NamedTuple):
    """A level that changed, and by how much."""

    record_id: int
    warehouse: str
    change: Decimal
    on_hand: Decimal


def levels_of(unit: Unit, record_id: int) -> dict[str, Decimal]:
    """On hand by warehouse."""
    query = sa.select(stock_levels.c.warehouse, stock_levels.c.on_hand).where(stock_levels.c.record_id == record_id)
    return {row[0]: row[1] for row in unit.connection.execute(query.order_by(stock_levels.c.warehouse))}


def set_levels(
    unit: Unit,
    levels: Mapping[tuple[int, str], Decimal],
    *,
    reason: str,
    person: str = "",
    execution_id: int | None = None,
) -> list[Movement]:
    """Make what is on hand ``levels``, by ``(record id, warehouse)``; each change is kept as a movement and returned."""
    known = _levels(unit, {record_id for record_id, _ in levels})
    moved = [
        Movement(*key, on_hand - known.get(key, Decimal(0)), on_hand)
        for key, on_hand in levels.items()
        if known.get(key) != on_hand
    ]
    now = instant_to_driver(unit.now, unit.dialect)
    upsert_rows(
        unit,
        stock_levels,
        ("record_id", "warehouse", "on_hand", "updated_at"),
        [(row.record_id, row.warehouse, quantity_to_driver(row.on_hand), now) for row in moved],
        keys=("record_id", "warehouse"),
    )
    insert_rows(
        unit,
        stock_movements,
        ("record_id", "warehouse", "change", "on_hand", "reason", "person", "execution_id", "at"),
        [
            (
                *(row.record_id, row.warehouse, quantity_to_driver(row.change), quantity_to_driver(row.on_hand)),
                *(reason, person, execution_id, now),
            )
            for row in moved
        ],
    )
    return moved


def change_levels(
    unit: Unit,
    changes: Mapping[tuple[int, str], Decimal],
    *,
    reason: str,
    person: str = "",
    execution_id: int | None = None,
) -> list[Movement]:
    """Add to what is on hand, by ``(record id, warehouse)``."""
    known = _levels(unit, {record_id for record_id, _ in changes}, locked=True)
    levels = {key: known.get(key, Decimal(0)) + change for key, change in changes.items()}
    return set_levels(unit, levels, reason=reason, person=person, execution_id=execution_id)


def _levels(unit: Unit, record_ids: set[int], *, locked: bool = False) -> dict[tuple[int, str], Decimal]:
    found: dict[tuple[int, str], Decimal] = {}
    ids = sorted(record_ids)
    for start in range(0, len(ids), _CHUNK):
        query = sa.select(stock_levels.c.record_id, stock_levels.c.warehouse, stock_levels.c.on_hand).where(
            one_of(stock_levels.c.record_id)
        )
        if locked:
            query = query.with_for_update()
        rows = unit.connection.execute(query, {"ids": ids[start : start + _CHUNK]})
        found |= {(row[0], row[1]): row[2] for row in rows}
    return found


def own_reservations(unit: Unit, integration_id: int, record_ids: Sequence[int]) -> dict[int, Decimal]:
    """What the orders of one integration, imported or only seen, have taken of these records."""
    query = (
        sa.select(reservations.c.record_id, sa.func.sum(reservations.c.quantity, type_=reservations.c.quantity.type))
        .where(reservations.c.integration_id == integration_id, one_of(reservations.c.record_id))
        .group_by(reservations.c.record_id)
    )
    return {row[0]: row[1] for row in unit.connection.execute(query, {"ids": list(record_ids)})}


def save_levels(
    unit: Unit,
    integration_id: int,
    quantities: Mapping[int, Decimal],
    *,
    warehouse: str,
    is_sellable: bool,
    reason: str,
    person: str = "",
    execution_id: int | None = None,
) -> list[Movement]:
    """Start the hub from the quantities a shop shows, by record id.

    A shop that shows what can still be sold has its open orders taken off already: they are on hand until they are shipped.
    What the shop shows counts as known to be there: the first export sends only what differs.
    """
    _know(unit, integration_id, quantities)
    promised = own_reservations(unit, integration_id, list(quantities)) if is_sellable else {}
    levels = {
        (record_id, warehouse): quantity + promised.get(record_id, Decimal(0))
        for record_id, quantity in quantities.items()
    }
    return set_levels(unit, levels, reason=reason, person=person, execution_id=execution_id)


def level_value(target: str, quantity: Decimal) -> dict[str, Any]:
    """A stock level as effects and deliveries hold it: the plain form of the record, without a place."""
    text = format(quantity, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return {"remote_id": target, "item_remote_id": target, "quantity": text}


def _know(unit: Unit, integration_id: int, quantities: Mapping[int, Decimal]) -> None:
    query = sa.select(references.c.record_id, references.c.remote_id).where(
        references.c.integration_id == integration_id, one_of(references.c.record_id)
    )
    ids = list(quantities)
    for start in range(0, len(ids), _CHUNK):
        rows = unit.connection.execute(query, {"ids": ids[start : start + _CHUNK]})
        know(unit, [(integration_id, KIND, row[1], level_value(row[1], quantities[row[0]])) for row in rows])


def take_order(
    unit: Unit,
    integration_id: int,
    order_remote_id: str,
    *,
    warehouses: Sequence[str],
    reason: str,
    person: str = "",
    execution_id: int | None = None,
) -> list[Movement]:
    """An order left: what it had reserved is taken from the warehouses in their order, and is reserved no more.

    What no warehouse holds is taken from the first all the same: its level then shows how much too much was sold.
    """
    rows = unit.connection.execute(
        sa.select(reservations.c.record_id, sa.func.sum(reservations.c.quantity, type_=reservations.c.quantity.type))
        .where(
            reservations.c.integration_id == integration_id,
            reservations.c.order_remote_id == order_remote_id,
            reservations.c.record_id.is_not(None),
        )
        .group_by(reservations.c.record_id)
    )
    wanted = {row[0]: row[1] for row in rows}
    drop(unit, integration_id, [order_remote_id])
    known = _levels(unit, set(wanted), locked=True)
    changes: dict[tuple[int, str], Decimal] = {}
    for record_id, quantity in wanted.items():
        left = quantity
        for warehouse in warehouses:
            taken = min(left, max(known.get((record_id, warehouse), Decimal(0)), Decimal(0)))
            if taken:
                changes[record_id, warehouse] = -taken
                left -= taken
        if left:
            first = (record_id, warehouses[0])
            changes[first] = changes.get(first, Decimal(0)) - left
    return change_levels(unit, changes, reason=reason, person=person, execution_id=execution_id)


class MovementRow(NamedTuple):
    """A movement as the history of an item shows it."""

    at: datetime
    warehouse: str
    change: Decimal
    on_hand: Decimal
    reason: str
    person: str


def movements(unit: Unit, record_id: int, *, count: int = 100) -> list[MovementRow]:
    """The history of an item, newest first."""
    columns = (stock_movements.c[name] for name in MovementRow._fields)
    query = (
        sa.select(*columns)
        .where(stock_movements.c.record_id == record_id)
        .order_by(stock_movements.c.id.desc())
        .limit(count)
    )
    return [MovementRow(*row) for row in unit.connection.execute(query)]


def moved_because(unit: Unit, record_id: int, *, reason: str) -> dict[str, Decimal]:
    """By how much the levels of an item changed, by warehouse, for exactly this reason."""
    query = (
        sa.select(
            stock_movements.c.warehouse,
            sa.func.sum(stock_movements.c.change, type_=stock_movements.c.change.type),
        )
        .where(stock_movements.c.record_id == record_id, stock_movements.c.reason == reason)
        .group_by(stock_movements.c.warehouse)
    )
    return {row[0]: row[1] for row in unit.connection.execute(query)}


def find(unit: Unit, integration_id: int, text: str) -> list[str]:
    """The remote ids of items with this remote id, SKU or barcode."""
    folded = fold(text)
    query = (
        sa.select(references.c.remote_id)
        .select_from(references.join(records, records.c.id == references.c.record_id))
        .where(
            references.c.integration_id == integration_id,
            references.c.kind.in_(ITEM_KINDS),
            references.c.gone_at.is_(None),
            sa.or_(
                references.c.remote_id == text,
                records.c.first_key.in_((f"sku:{folded}", f"barcode:{folded}")),
                records.c.second_key == f"barcode:{folded}",
            ),
        )
    )
    return list(unit.connection.execute(query).scalars())
