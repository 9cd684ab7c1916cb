"""From test to production and back: judged by computed checks, logged, for each outbound flow, undone at once."""

from collections.abc import Collection, Mapping

from domain.errors import UserError
from domain.rulebook import Rulebook
from engine.flow import Direction, Flow
from engine.runtime.outbound import withheld
from engine.runtime.production import readiness
from engine.runtime.production.readiness import LOOKED
from storage.database import Unit
from storage.queries import audit, effects, feeds, integrations
from storage.queries import go_live as stored
from storage.rows import EffectState, Feed, Integration, Mode


def go_live(
    unit: Unit,
    integration: Integration,
    *,
    flows: Mapping[str, Flow],
    rulebook: Rulebook,
    chosen: Collection[str] = (),
    person: str,
) -> list[str]:
    """Put outbound flows (default: all of the integration) into production; returns their names.

    Raises ``UserError`` while a check fails that nobody waived. What is withheld stays withheld: only stock is computed
    afresh by the next export.
    """
    outbound = _outbound(unit, integration, flows)
    if unknown := set(chosen) - outbound.keys():
        raise UserError(f"{integration.name} has no outbound flow called {', '.join(sorted(unknown))}.")
    lines = readiness.checks(unit, integration, flows=flows, rulebook=rulebook)
    if failing := readiness.failing(lines):
        raise UserError(
            f"{integration.title or integration.name} is not ready: "
            + " ".join(f"{line.title}: {line.evidence}" for line in failing)
            + " Correct this, or let an administrator waive it with a reason."
        )
    names = sorted(chosen or outbound)
    integrations.change(unit, integration.id, mode=Mode.PRODUCTION)
    for name in names:
        feeds.change(unit, outbound[name].id, is_live=True)
    audit.record(
        unit,
        person=person,
        action="go_live",
        subject=integration.name,
        detail={
            "flows": names,
            "checks": {line.name: line.verdict.value for line in lines},
            "waivers": {line.name: line.waiver.reason for line in lines if line.waiver is not None},
        },
    )
    return names


def back_to_test(
    unit: Unit, integration: Integration, *, flows: Mapping[str, Flow], chosen: Collection[str] = (), person: str
) -> int:
    """Withhold again, at once, what the outbound flows (default: all) would send; returns how many waiting effects.

    Works without any check. A change that is on its way at this moment still gets its receipt.
    """
    outbound = _outbound(unit, integration, flows)
    names = set(chosen) or set(outbound)
    withheld_count = 0
    for name in names & outbound.keys():
        feeds.change(unit, outbound[name].id, is_live=False)
        withheld_count += effects.move_all(
            unit,
            outbound[name].id,
            to=EffectState.WITHHELD,
            reason=withheld.TEST_MODE if names >= outbound.keys() else withheld.NOT_LIVE,
            among=(EffectState.PENDING,),
        )
    if names >= outbound.keys():
        integrations.change(unit, integration.id, mode=Mode.TEST)
    audit.record(
        unit,
        person=person,
        action="back_to_test",
        subject=integration.name,
        detail={"flows": sorted(names), "withheld": withheld_count},
    )
    return withheld_count


def waive(
    unit: Unit,
    integration: Integration,
    *,
    name: str,
    reason: str,
    flows: Mapping[str, Flow],
    rulebook: Rulebook,
    person: str,
) -> None:
    """An administrator accepts a failing check. Raises ``UserError`` without a reason, or when the check does not fail."""
    if len(reason.strip()) < len("because"):
        raise UserError("Say why this check may be passed over; the reason is kept.")
    lines = {line.name: line for line in readiness.checks(unit, integration, flows=flows, rulebook=rulebook)}
    if name not in lines:
        raise UserError(f"There is no check called “{name}”. Checks: {', '.join(lines)}.")
    if lines[name].verdict is not readiness.Verdict.FAIL:
        raise UserError(f"The check “{lines[name].title}” does not fail; there is nothing to waive.")
    stored.waive(unit, integration.id, name=name, reason=reason.strip(), person=person)
    audit.record(
        unit, person=person, action="waive_check", subject=integration.name, detail={"check": name, "reason": reason}
    )


def unwaive(unit: Unit, integration: Integration, *, name: str, person: str) -> None:
    """Take a waiver back."""
    if not stored.unwaive(unit, integration.id, name=name):
        raise UserError(f"No waiver of “{name}” is in force.")
    audit.record(unit, person=person, action="unwaive_check", subject=integration.name, detail={"check": name})


def look_at_withheld(unit: Unit, integration: Integration, *, person: str) -> None:
    """A person looked at everything withheld until now."""
    audit.record(unit, person=person, action=LOOKED, subject=integration.name)


def _outbound(unit: Unit, integration: Integration, flows: Mapping[str, Flow]) -> dict[str, Feed]:
    return {
        feed.flow: feed
        for feed in feeds.listed(unit, integration_id=integration.id)
        if feed.flow in flows and flows[feed.flow].direction is Direction.OUTBOUND
    }
