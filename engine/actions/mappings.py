"""Tables of values: order statuses, shipping methods, payment methods. A new entry runs again what waited for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.errors import UserError
from domain.rulebook import WILDCARD, Fate, PaymentRule, Rulebook
from engine.actions import issues, rulebooks
from engine.actions.issues import Retried
from engine.actions.names import integration_named
from engine.actions.probes import read_probe
from engine.connector import Choice
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, held
from storage.rows import Integration


@dataclass(frozen=True, slots=True)
class Table:
    """One table: where the rulebook keeps it, and what its values may be (empty: any text)."""

    name: str
    field: str
    choices: str
    values: tuple[str, ...] = ()


TABLES = {
    table.name: table
    for table in (
        Table("status", "statuses", "statuses", tuple(Fate)),
        Table("shipping_method", "shipping_methods", "shipping_methods"),
        Table("payment_method", "payment_methods", "payment_methods", tuple(PaymentRule)),
    )
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a table. ``hub`` is empty while nothing is mapped; ``held`` records wait for it."""

    table: str
    remote: str
    label: str
    hub: str
    held: int


@dataclass(frozen=True, slots=True)
class Changed:
    """What setting or removing an entry did."""

    version: int
    before: str
    after: str
    retried: Retried


def table_named(name: str) -> Table:
    """A table by its name. Raises ``UserError`` that names the three."""
    if name not in TABLES:
        raise UserError(f"There is no table called “{name}”. Tables: {', '.join(TABLES)}.")
    return TABLES[name]


def listed(unit: Unit, name: str, *, table: str = "") -> list[Entry]:
    """The entries of an integration's tables: what is mapped, and what its shop has that is not."""
    integration = integration_named(unit, name)
    rulebook = rulebooks.read(integration)
    wanted = [table_named(table)] if table else list(TABLES.values())
    return [entry for each in wanted for entry in _entries(unit, integration, rulebook, each)]


def _entries(unit: Unit, integration: Integration, rulebook: Rulebook, table: Table) -> list[Entry]:
    mapped: Mapping[str, str] = getattr(rulebook, table.field)
    probe = read_probe(integration)
    choices: tuple[Choice, ...] = getattr(probe, table.choices) if probe is not None else ()
    labels = {choice.value: choice.label for choice in choices} | {WILDCARD: "any other"}
    waiting: dict[str, int] = {}
    prefix = f"unmapped:{table.name}:"
    for row in held.of_causes(unit, integration.id, prefix=prefix):
        remote = row.cause.removeprefix(prefix)
        waiting[remote] = waiting.get(remote, 0) + 1
    seen = [choice.value for choice in choices]
    remotes = [*seen, *sorted((mapped.keys() | waiting.keys()) - set(seen))]
    return [
        Entry(table.name, remote, labels.get(remote, ""), str(mapped.get(remote, "")), waiting.get(remote, 0))
        for remote in remotes
    ]


def set_entry(platform: Platform, name: str, table: str, remote: str, hub: str, *, person: str) -> Changed:
    """Map a remote value (``*``: any not named) and run again exactly the records that waited for it."""
    return _change(platform, name, table_named(table), remote.strip(), hub.strip(), person=person)


def unset_entry(platform: Platform, name: str, table: str, remote: str, *, person: str) -> Changed:
    """Take an entry out of a table."""
    return _change(platform, name, table_named(table), remote.strip(), "", person=person)


def changed_rulebook(rulebook: Rulebook, table: Table, remote: str, hub: str) -> Rulebook:
    """The rules with one entry set, or taken out where ``hub`` is empty. Raises ``UserError`` when it cannot be so."""
    if not remote:
        raise UserError("Name the value of the shop that is mapped, or * for any value not named.")
    if hub and table.values and hub not in table.values:
        raise UserError(f"“{hub}” is not possible in this table. Choose one of: {', '.join(table.values)}.")
    entries: dict[str, Any] = dict(getattr(rulebook, table.field))
    if not hub and remote not in entries:
        raise UserError(f"“{remote}” is not in the table {table.name}, so there is nothing to remove.")
    entries.pop(remote, None)
    if hub:
        entries[remote] = hub
    body = {**msgspec.to_builtins(rulebook), table.field: entries}
    return msgspec.convert(body, Rulebook)


def _change(platform: Platform, name: str, table: Table, remote: str, hub: str, *, person: str) -> Changed:
    def work(unit: Unit) -> Changed:
        integration = integration_named(unit, name)
        rulebook = rulebooks.read(integration)
        before = str(getattr(rulebook, table.field).get(remote, ""))
        version = rulebooks.save(unit, integration, changed_rulebook(rulebook, table, remote, hub), person=person)
        retried = _run_held_again(unit, integration, table, remote, person=person) if hub else Retried([], 0, [])
        audit.record(
            unit,
            person=person,
            action="set_mapping" if hub else "unset_mapping",
            subject=name,
            detail={"table": table.name, "remote": remote, "from": before, "to": hub, "records": retried.records},
        )
        return Changed(version, before, hub, retried)

    return _ring(platform, platform.database.write(work))


def _run_held_again(unit: Unit, integration: Integration, table: Table, remote: str, *, person: str) -> Retried:
    prefix = f"unmapped:{table.name}:"
    rows = held.of_causes(unit, integration.id, prefix=prefix)
    waiting = [row for row in rows if remote == WILDCARD or row.cause == f"{prefix}{remote}"]
    return issues.run_again(unit, waiting, person=person)


def _ring(platform: Platform, changed: Changed) -> Changed:
    issues.ring(platform, changed.retried)
    return changed
