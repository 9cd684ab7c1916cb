"""Integrations: add, test, change, pause, resume, remove."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from pydantic import SecretStr

from domain.errors import UserError
from domain.rulebook import Rulebook
from domain.schedule import Schedule, minutes, validate
from engine.actions import feeds as feed_actions
from engine.actions import probes, rulebooks
from engine.actions.names import NamedFeed, integration_named
from engine.connector import Check, Connector, Probe
from engine.runtime import opening
from engine.runtime.platform import Platform
from storage.database import Conflict, Unit
from storage.queries import audit, feeds, integrations, removal
from storage.rows import Integration

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
_DEFAULT_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Added:
    """A new integration, what its connection test found, and its flows."""

    integration: Integration
    probe: Probe
    flows: tuple[str, ...]


class ConnectionFailed(UserError):
    """The connection test did not pass; ``probe`` tells what of it."""

    code = "connection_failed"

    def __init__(self, message: str, *, probe: Probe) -> None:
        """``message`` names the first thing to put right."""
        super().__init__(message)
        self.probe = probe


def add(
    platform: Platform,
    connector_name: str,
    *,
    name: str,
    values: Mapping[str, Any],
    person: str,
    title: str = "",
    time_zone: str = "",
    force: bool = False,
) -> Added:
    """Connect a shop: tested first, kept in test mode, its rules filled from what it tells, its flows on their defaults.

    ``values`` are the connector's settings, secrets included; these are encrypted. Raises ``ConnectionFailed`` when the test
    does not pass, unless ``force``.
    """
    check_name(name)
    _demand_free(platform, name)
    connector = platform.registry.connector(connector_name)
    settings = probes.settings_of(connector, values)
    found = probes.probe(platform, connector, settings)
    if not force:
        demand_passed(found)
    zone = _zone(time_zone, found)
    rulebook = probes.advised(found, Rulebook(integration=name))
    plain, secrets = split(connector, settings)

    def work(unit: Unit) -> Added:
        try:
            integration_id = integrations.insert(
                unit,
                name=name,
                connector=connector.name,
                title=title.strip() or found.title,
                time_zone=zone,
                settings=plain,
                rulebook=msgspec.to_builtins(rulebook),
                person=person,
            )
        except Conflict:
            raise UserError(f"An integration called {name} exists already. Choose another name.") from None
        _keep_secrets(platform, unit, integration_id, secrets)
        probes.keep(unit, integration_named(unit, name), found)
        integration = integration_named(unit, name)
        flows = make_feeds(platform, unit, integration)
        detail = {"connector": connector.name, "forced": force and bool(probes.failures(found))}
        audit.record(unit, person=person, action="add_integration", subject=name, detail=detail)
        return Added(integration, found, flows)

    return platform.database.write(work)


def make_feeds(platform: Platform, unit: Unit, integration: Integration) -> tuple[str, ...]:
    """Make the feeds an integration should have and does not: flows that came with an upgrade too. Returns the new ones."""
    flows = platform.registry.flows_of(platform.registry.connector(integration.connector))
    before = {feed.flow for feed in feeds.listed(unit, integration_id=integration.id)}
    fresh = {flow.name: flow for flow in flows if flow.name not in before}
    feeds.insert(unit, integration.id, flows={flow.name: flow.is_enabled for flow in fresh.values()})
    for feed in feeds.listed(unit, integration_id=integration.id):
        if feed.flow in fresh:
            feed_actions.plan(unit, NamedFeed(integration, feed), _with_jitter(fresh[feed.flow].schedule))
    return tuple(fresh)


def _with_jitter(schedule: Schedule | None) -> Schedule | None:
    """Default schedules of many shops would otherwise start in the same second."""
    if schedule is None or schedule.jitter:
        return schedule
    return msgspec.structs.replace(schedule, jitter=minutes(1))


def test_connection(platform: Platform, name: str, *, person: str) -> Probe:
    """Test the connection of an integration and keep what was found."""
    return probes.test_connection(platform, name, person=person)


def change_settings(
    platform: Platform,
    name: str,
    *,
    values: Mapping[str, Any],
    person: str,
    title: str | None = None,
    time_zone: str = "",
    force: bool = False,
) -> Probe:
    """Change settings, secrets among them; tested first. Values not named stay. An empty value goes back to its default.

    An integration that stood still because of its settings goes on when the test passes.
    """
    integration = platform.database.read(lambda unit: integration_named(unit, name))
    connector = platform.registry.connector(integration.connector)
    settings = probes.settings_of(connector, _merged(platform, integration, connector, values))
    entered = {name for name in probes.secret_names(connector) if name in values}
    found = probes.probe(platform, connector, settings, integration=integration, are_stored=not entered)
    if not force:
        demand_passed(found)
    plain, secrets = split(connector, settings)
    if time_zone:
        validate_zone(time_zone)

    def work(unit: Unit) -> None:
        current = integration_named(unit, name)
        rulebooks.save(unit, current, rulebooks.read(current), person=person, settings=plain)
        _keep_secrets(
            platform, unit, current.id, {name: secrets[name] for name in entered & secrets.keys()}
        )  # others may be newer by now
        probes.keep(unit, current, found)
        if title is not None:
            integrations.change(unit, current.id, title=title.strip())
        if time_zone:
            _move_to_zone(unit, current, time_zone)
        if current.attention and not _in_the_way(found):
            integrations.resume(unit, current.id)
        detail = {"changed": sorted(values), "time_zone": time_zone, "forced": force and bool(probes.failures(found))}
        audit.record(unit, person=person, action="change_settings", subject=name, detail=detail)

    platform.database.write(work)
    return found


def _merged(
    platform: Platform, integration: Integration, connector: Connector, values: Mapping[str, Any]
) -> dict[str, Any]:
    stored = platform.database.read(lambda unit: integrations.secrets_of(unit, integration.id))
    given = {name: value for name, value in values.items() if value != ""}
    kept = {
        secret: platform.keys.decrypt(text, place=opening.secret_place(integration.id, secret))
        for secret, text in stored.items()
        if secret not in given
    }
    dropped = set(values) - set(given)
    plain = {key: value for key, value in integration.settings.items() if key not in dropped}
    unknown = set(plain) - set(connector.settings.model_fields)
    return {**{key: value for key, value in plain.items() if key not in unknown}, **kept, **given}


def pause(platform: Platform, name: str, *, person: str, reason: str = "") -> Integration:
    """Stop every flow of an integration until a person resumes it. What runs goes on to its end."""

    def work(unit: Unit) -> Integration:
        integration = integration_named(unit, name)
        words = f"Paused by {person}: {reason}" if reason else f"Paused by {person}."
        if not integrations.pause(unit, integration.id, attention=words):
            raise UserError(f"{name} is paused already. {integration.attention}".rstrip())
        audit.record(unit, person=person, action="pause_integration", subject=name, detail={"reason": reason})
        return integration

    return platform.database.write(work)


def resume(platform: Platform, name: str, *, person: str) -> Integration:
    """Let the flows of a paused integration go on."""

    def work(unit: Unit) -> Integration:
        integration = integration_named(unit, name)
        if not integrations.resume(unit, integration.id):
            raise UserError(f"{name} is not paused.")
        audit.record(unit, person=person, action="resume_integration", subject=name)
        return integration

    return platform.database.write(work)


def remove(platform: Platform, name: str, *, person: str, confirmed: str, stops_work: bool = False) -> removal.Removed:
    """Forget an integration, its orders and its history for good; products and stock levels stay, without their links.

    ``confirmed`` is its name, written once more. Refused while a flow of it runs, unless ``stops_work``: whoever works on
    it then finds out at the next write, which is undone.
    """

    def work(unit: Unit) -> removal.Removed:
        integration = integration_named(unit, name)
        if confirmed != name:
            raise UserError(f"Removing {name} cannot be undone. If you are sure, write its name once more: {name}")
        if not stops_work and removal.is_busy(unit, integration.id):
            raise UserError(f"A flow of {name} is running. Cancel it, or wait until it has ended, then remove {name}.")
        removed = removal.remove(unit, integration.id)
        audit.record(unit, person=person, action="remove_integration", subject=name, detail={"orders": removed.orders})
        return removed

    return platform.database.write(work)


def check_name(name: str) -> None:
    """Raise ``UserError`` unless it can be an integration's name."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"“{name}” cannot be the name of an integration: lower-case letters, digits, - and _, at most 60, such as shop."
        )


def demand_passed(found: Probe) -> None:
    """Raise ``ConnectionFailed`` with what to put right, unless every needed check passed.

    A right that is lacking is told, and its flows say so; the shop is connected all the same.
    """
    failed = _in_the_way(found)
    if failed:
        sentences = [_advice(check) for check in failed]
        raise ConnectionFailed("\n".join(["The connection test did not pass.", *sentences]), probe=found)


def _in_the_way(found: Probe) -> list[Check]:
    return [check for check in probes.failures(found) if check.is_needed]


def _advice(check: Check) -> str:
    return f"{check.message} {check.remedy}".strip()


def split(connector: Connector, settings: Any) -> tuple[dict[str, Any], dict[str, str]]:  # noqa: ANN401 - its own model
    """Settings as they are stored: the plain ones, and the secrets, which are kept apart and encrypted."""
    names = set(probes.secret_names(connector))
    plain: dict[str, Any] = settings.model_dump(mode="json", exclude=names)
    secrets = {
        name: value.get_secret_value()
        for name in names
        if isinstance(value := getattr(settings, name), SecretStr) and value.get_secret_value()
    }
    return plain, secrets


def _keep_secrets(platform: Platform, unit: Unit, integration_id: int, secrets: Mapping[str, str]) -> None:
    for name, secret in secrets.items():
        ciphertext = platform.keys.encrypt(secret, place=opening.secret_place(integration_id, name))
        integrations.keep_secret(unit, integration_id, name=name, ciphertext=ciphertext)


def _demand_free(platform: Platform, name: str) -> None:
    find: Callable[[Unit], Integration | None] = lambda unit: integrations.find(unit, name)  # noqa: E731
    if platform.database.read(find) is not None:
        raise UserError(f"An integration called {name} exists already. Choose another name.")


def validate_zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ``UserError`` with the nearest one."""
    return validate(Schedule(every=minutes(30)), name)


def _zone(wanted: str, found: Probe) -> str:
    name = wanted or found.time_zone or _DEFAULT_ZONE
    validate_zone(name)
    return name


def _move_to_zone(unit: Unit, integration: Integration, zone: str) -> None:
    """Local times are those of the new zone from now on."""
    integrations.change(unit, integration.id, time_zone=zone)
    moved = integration_named(unit, integration.name)
    for feed in feeds.listed(unit, integration_id=integration.id):
        schedule = feed_actions.read_schedule(feed.schedule)
        if schedule is not None:
            feed_actions.plan(unit, NamedFeed(moved, feed), schedule)
