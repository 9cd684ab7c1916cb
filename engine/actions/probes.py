"""Connection tests: what a shop tells about itself, and what the key may not do, in plain words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from pydantic import SecretStr, ValidationError

from domain.errors import PlatformError, UserError
from domain.rulebook import Fate, PaymentRule, Rulebook
from engine.actions.names import integration_named
from engine.connector import Check, Choice, Connector, Probe
from engine.runtime import opening, tokens
from engine.runtime.budget import DatabaseBudget
from engine.runtime.platform import Platform
from storage.database import Unit
from storage.queries import audit, integrations
from storage.rows import Integration

_CONNECTION = "Connection"


def read_probe(integration: Integration) -> Probe | None:
    """What the last connection test found, if there was one."""
    return msgspec.convert(integration.probe, Probe) if integration.probe is not None else None


def settings_of(connector: Connector, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the connector's own model
    """The connector's settings from what people entered. Raises ``UserError``, a sentence for each thing that is wrong."""
    try:
        return connector.settings.model_validate(dict(values))
    except ValidationError as error:
        sentences = [
            _sentence(connector, problem)
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise UserError("\n".join(sentences)) from None


def _sentence(connector: Connector, problem: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "missing":
        return f"{connector.title} needs the setting {name}: {_meaning(connector, name)}."
    if problem["type"] == "extra_forbidden":
        return f"{connector.title} has no setting {name}. It has: {', '.join(connector.settings.model_fields)}."
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"The setting {name} is not right: {reason}" if name else reason


def _meaning(connector: Connector, name: str) -> str:
    field = connector.settings.model_fields[name]
    return ", ".join(text for text in (field.title, field.description) if text) or name


def secret_names(connector: Connector) -> list[str]:
    """The settings that are secrets, in the order they are declared."""
    return [name for name, field in connector.settings.model_fields.items() if _is_secret(field.annotation)]


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or SecretStr in getattr(annotation, "__args__", ())


def probe(
    platform: Platform,
    connector: Connector,
    settings: Any,  # noqa: ANN401 - the connector's own model
    *,
    integration: Integration | None = None,
    are_stored: bool = False,
) -> Probe:
    """Test a connection. A shop that cannot be reached gives a failed check, not an error.

    ``are_stored``: the secrets among ``settings`` are those of ``integration``; expired ones are renewed and stored.
    """
    budget = renew = None
    if integration is not None:
        budget = DatabaseBudget(platform.database, integration.id, per_second=connector.limits(settings).per_second)
        if are_stored:
            renew = tokens.renewing(platform, integration, connector, settings, budget=budget)
    try:
        with opening.open_door(platform, connector, settings, budget=budget, renew=renew) as door:
            return connector.probe(door, settings)
    except PlatformError as error:
        return _failed(error)


def _failed(error: PlatformError) -> Probe:
    remedy = str(getattr(error, "remedy", "")) or "Correct the settings, then test the connection again."
    check = Check(_CONNECTION, passed=False, message=error.message, remedy=remedy, is_needed=True)
    return Probe(title="", version="", checks=(check,))


def failures(found: Probe) -> list[Check]:
    """The checks that did not pass."""
    return [check for check in found.checks if not check.passed]


def is_unreachable(found: Probe) -> bool:
    """Whether nothing could be learnt about the shop."""
    return not found.title and not found.version


def test_connection(platform: Platform, name: str, *, person: str) -> Probe:
    """Test the connection of an integration and keep what was found."""
    integration = platform.database.read(lambda unit: integration_named(unit, name))
    connector = platform.registry.connector(integration.connector)
    try:
        settings = opening.read_settings(platform, integration, connector)
        found = probe(platform, connector, settings, integration=integration, are_stored=True)
    except PlatformError as error:
        found = _failed(error)

    def work(unit: Unit) -> None:
        keep(unit, integration_named(unit, name), found)
        audit.record(
            unit,
            person=person,
            action="test_connection",
            subject=name,
            detail={"failed": [check.name for check in failures(found)]},
        )

    platform.database.write(work)
    return found


def keep(unit: Unit, integration: Integration, found: Probe) -> None:
    """Remember what a test found. One that reached nothing leaves what was known of the shop, but for its checks."""
    before = read_probe(integration)
    if is_unreachable(found) and before is not None:
        found = replace(before, checks=found.checks, clock_offset=None)
    integrations.change(unit, integration.id, probe=msgspec.to_builtins(found))


def advised(found: Probe, rulebook: Rulebook) -> Rulebook:
    """The rules to start with: what the system tells of its statuses and payment methods, where nothing is set yet."""
    statuses = {choice.value: Fate(choice.advice) for choice in found.statuses if choice.advice in tuple(Fate)}
    payments = {
        choice.value: PaymentRule(choice.advice)
        for choice in found.payment_methods
        if choice.advice in tuple(PaymentRule)
    }
    return msgspec.structs.replace(
        rulebook,
        statuses={**statuses, **rulebook.statuses},
        payment_methods={**payments, **rulebook.payment_methods},
        shipping_methods={**_shipping(found.shipping_methods), **rulebook.shipping_methods},
    )


def _shipping(choices: tuple[Choice, ...]) -> dict[str, str]:
    return {choice.value: choice.advice for choice in choices if choice.advice}
