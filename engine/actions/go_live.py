"""From test mode to production and back: the checks, waivers, the switch for all outbound flows or some."""

from collections.abc import Collection, Sequence

from engine.actions import probes, rulebooks
from engine.actions.names import integration_named
from engine.runtime.platform import Platform
from engine.runtime.production import go_live as switch
from engine.runtime.production import readiness
from engine.runtime.production.readiness import Line
from storage.database import Unit


def checks(platform: Platform, name: str, *, tests: bool = False, person: str = "") -> list[Line]:
    """Every check with its evidence. ``tests``: test the connection first, so that rights and clock are those of now."""
    if tests:
        probes.test_connection(platform, name, person=person)
    return platform.database.read(lambda unit: _checks(platform, unit, name))


def _checks(platform: Platform, unit: Unit, name: str) -> list[Line]:
    integration = integration_named(unit, name)
    return readiness.checks(unit, integration, flows=platform.registry.flows, rulebook=rulebooks.read(integration))


def waive(platform: Platform, name: str, check: str, *, reason: str, person: str) -> None:
    """Accept a failing check, with a reason that is kept."""

    def work(unit: Unit) -> None:
        integration = integration_named(unit, name)
        switch.waive(
            unit,
            integration,
            name=check,
            reason=reason,
            flows=platform.registry.flows,
            rulebook=rulebooks.read(integration),
            person=person,
        )

    platform.database.write(work)


def unwaive(platform: Platform, name: str, check: str, *, person: str) -> None:
    """Take a waiver back."""
    platform.database.write(lambda unit: switch.unwaive(unit, integration_named(unit, name), name=check, person=person))


def look_at_withheld(platform: Platform, name: str, *, person: str) -> None:
    """Say that everything withheld until now was looked at."""
    platform.database.write(lambda unit: switch.look_at_withheld(unit, integration_named(unit, name), person=person))


def go_live(platform: Platform, name: str, *, person: str, flows: Collection[str] = ()) -> Sequence[str]:
    """Put outbound flows (default: all) into production; returns their names. Refused while a check fails."""

    def work(unit: Unit) -> list[str]:
        integration = integration_named(unit, name)
        return switch.go_live(
            unit,
            integration,
            flows=platform.registry.flows,
            rulebook=rulebooks.read(integration),
            chosen=flows,
            person=person,
        )

    return platform.database.write(work)


def back_to_test(platform: Platform, name: str, *, person: str, flows: Collection[str] = ()) -> int:
    """Withhold again at once what outbound flows (default: all) would send; returns how many waiting changes that stopped."""
    return platform.database.write(
        lambda unit: switch.back_to_test(
            unit, integration_named(unit, name), flows=platform.registry.flows, chosen=flows, person=person
        )
    )
