"""The rules of an integration: read, change one rule, keep the new version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from domain.errors import UserError
from domain.records import Product
from domain.rulebook import Rulebook
from engine.actions.names import integration_named, suggest
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, digests, feeds, integrations
from storage.rows import Integration


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as people see it: its name, its value in words, and what it means."""

    name: str
    value: str
    meaning: str


def read(integration: Integration) -> Rulebook:
    """The rules in force."""
    return msgspec.convert({**integration.rulebook, "integration": integration.name}, Rulebook)


def listed(integration: Integration) -> list[Rule]:
    """Every rule that is a single value; the tables are listed by ``mappings``."""
    rulebook = read(integration)
    return [Rule(name, field.show(getattr(rulebook, name)), field.meaning) for name, field in _FIELDS.items()]


def parse(rulebook: Rulebook, values: Mapping[str, str]) -> Rulebook:
    """The rules with some of them changed, as written by people. Raises ``UserError`` that says what a rule takes."""
    changes: dict[str, Any] = {}
    for name, text in values.items():
        field = _FIELDS.get(name)
        if field is None:
            raise UserError(f"There is no rule called “{name}”. {suggest(name, _FIELDS)}")
        changes[name] = field.read(text.strip())
    return msgspec.structs.replace(rulebook, **changes)


def change(platform: Platform, name: str, *, values: Mapping[str, str], person: str) -> int:
    """Change rules of an integration; returns the new settings version."""

    def work(unit: Unit) -> int:
        integration = integration_named(unit, name)
        version = save(unit, integration, parse(read(integration), values), person=person)
        audit.record(unit, person=person, action="change_rules", subject=name, detail=dict(values))
        return version

    return platform.database.write(work)


def save(
    unit: Unit,
    integration: Integration,
    rulebook: Rulebook,
    *,
    person: str,
    settings: Mapping[str, Any] | None = None,
) -> int:
    """Keep rules, and perhaps settings, as a new version: part of the transaction of an action. Pages are read anew."""
    version = integrations.change_settings(
        unit,
        integration.id,
        settings=integration.settings if settings is None else settings,
        rulebook=msgspec.to_builtins(rulebook),
        person=person,
    )
    for feed in feeds.listed(unit, integration_id=integration.id):
        digests.forget(unit, feed.id)
    return version


@dataclass(frozen=True, slots=True)
class _Field:
    meaning: str
    read: Callable[[str], Any]
    show: Callable[[Any], str]


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _warehouses(text: str) -> tuple[str, ...]:
    names = _names(text)
    if not names:
        raise UserError("An integration needs at least one warehouse, such as main.")
    return names


def _product_fields(text: str) -> tuple[str, ...]:
    known = [name for name in Product.__struct_fields__ if name != "remote_id"]
    for name in _names(text):
        if name not in known:
            raise UserError(f"Products have no field “{name}”. {suggest(name, known)}")
    return _names(text)


def _quantity(text: str) -> Decimal:
    number = _number(text)
    if number < 0:
        raise UserError("The safety buffer is 0 or more.")
    return number


def _share(text: str) -> Decimal:
    number = _number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < number <= 1:
        raise UserError("The volume guard is a share between 0 and 1, such as 0.30 or 30%.")
    return number


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UserError(f"“{text}” is not a number.") from None
    if not number.is_finite():
        raise UserError(f"“{text}” is not a number.")
    return number


def _days(text: str) -> timedelta:
    number = text.removesuffix("days").removesuffix("d").strip()
    if not number.isdecimal() or not 1 <= int(number) <= 3650:
        raise UserError(f"“{text}” is not a number of days between 1 and 3650.")
    return timedelta(days=int(number))


def _show_days(value: timedelta) -> str:
    return f"{value.days} days"


def _joined(value: tuple[str, ...]) -> str:
    return ", ".join(value)


_FIELDS = {
    "warehouses": _Field("Warehouses that feed this shop, the first is shipped from first.", _warehouses, _joined),
    "safety_buffer": _Field("Pieces of each item that are never offered.", _quantity, str),
    "hub_fields": _Field("Product fields the hub owns: an import leaves them alone.", _product_fields, _joined),
    "give_up_after": _Field("How long a waiting record is tried again.", _days, _show_days),
    "first_import_window": _Field("How far back the first import of orders looks.", _days, _show_days),
    "guard_share": _Field(
        "A run that would deactivate, zero or re-price more than this share stops and asks.", _share, str
    ),
}
