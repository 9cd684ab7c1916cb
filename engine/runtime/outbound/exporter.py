"""Sends what the hub owns: settle what an earlier attempt left open, plan what must be told, deliver it.

Planning writes effects, never sends. An effect is kept as pending or, while the gate is shut, as withheld, and there is at
most one unsent effect for a target: a newer value takes the place of the older.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from domain.errors import PlatformError
from domain.records import Shipment, StockLevel
from engine.connector import Json
from engine.flow import Export
from engine.runtime import guard
from engine.runtime.outbound import deliverer, problems, shipments, stock, withheld
from engine.runtime.outbound.plans import Candidate, Planner, PlanPage
from engine.runtime.run import Run, Tally
from storage.database import Unit
from storage.queries import effects, executions, outcomes
from storage.queries.effects import Intended, Latest
from storage.queries.outcomes import Line
from storage.rows import EffectState

PLANNERS: Mapping[str, Planner] = {StockLevel.kind: stock.PLANNER, Shipment.kind: shipments.PLANNER}


def run(run: Run) -> None:
    """Do what an export declares. Every item is looked at again by each attempt, and counted once."""
    work = run.flow.work
    assert isinstance(work, Export)
    planner = PLANNERS[work.kind.kind]
    delivery = deliverer.Delivery(run, planner=planner, sink=run.connector.writes[work.kind], kind=work.kind.kind)
    run.tally = Tally()
    recovered = deliverer.recover(delivery)
    run.tally = run.tally.plus(updated=recovered)
    size = planner.size(run)
    run.database.write(lambda unit: run.fence(unit, expected=size))
    zeroed: list[str] = []
    offered = 0
    for page in _read_ahead(planner.pages(run)):
        offered += page.offered
        zeroed += _save(delivery, page)
    _demand_plausible(delivery, zeroed, offered)
    deliverer.deliver(delivery)
    if run.execution.scope is None:
        guard.settle(run)
        problems.settle_others(run, standing=delivery.causes)


def _read_ahead(pages: Iterator[PlanPage]) -> Iterator[PlanPage]:
    """While one page is saved, the next is read."""
    with ThreadPoolExecutor(1, thread_name_prefix="plan") as reader:
        upcoming = reader.submit(next, pages, None)
        while (page := upcoming.result()) is not None:
            upcoming = reader.submit(next, pages, None)
            yield page


class Plan:
    """What one page of candidates comes to."""

    def __init__(self, because: str, *, is_recomputed: bool, execution_id: int) -> None:
        """``because`` is why the gate is shut; empty when it is open."""
        self.because = because
        self.is_recomputed = is_recomputed
        self.execution_id = execution_id
        self.intended: list[Intended] = []
        self.superseded: list[int] = []
        self.renewed: list[int] = []
        self.revised: list[tuple[int, Json]] = []
        self.confirmed: list[int] = []
        self.problems: list[PlatformError] = []
        self.lines: list[Line] = []
        self.zeroed: list[str] = []
        self.counts = dict.fromkeys(("updated", "unchanged", "skipped", "waiting", "failed", "withheld"), 0)

    def weigh(self, candidate: Candidate) -> None:
        """Decide about one candidate. What will be sent is counted when it is."""
        latest = candidate.latest
        state = latest.state if latest is not None else None
        if state in effects.UNSETTLED:
            self._count(candidate, "waiting", "What became of the last change is not known yet.")
        elif candidate.problem is not None:
            self.problems.append(candidate.problem)
            self._count(candidate, "failed", candidate.problem.message)
        elif candidate.after is None:
            self._leave(candidate)
        elif latest is not None and not self.is_recomputed:
            self._resume(candidate, latest)
        elif latest is None or latest.after != candidate.after or state in (EffectState.DONE, EffectState.SUPERSEDED):
            self._intend(candidate)
        else:
            self._repeat(candidate, latest)

    def _leave(self, candidate: Candidate) -> None:
        """The other side shows what it should."""
        latest = candidate.latest
        if latest is not None and latest.state in effects.UNSENT:
            self.superseded.append(latest.id)
        was_sent_now = (
            latest is not None and latest.state is EffectState.DONE and latest.execution_id == self.execution_id
        )
        if not was_sent_now:  # else it was counted when the receipt was kept
            self.counts["unchanged"] += 1

    def _resume(self, candidate: Candidate, latest: Latest) -> None:
        """An event is told once: its effect is brought up to date, never replaced."""
        if latest.state is EffectState.DONE:  # a person said so
            self.confirmed.append(latest.id)
            self.counts["unchanged"] += 1
            return
        if latest.after != candidate.after:
            self.revised.append((latest.id, candidate.after))
        self._repeat(candidate, latest)

    def _repeat(self, candidate: Candidate, latest: Latest) -> None:
        """The last effect wants the same already, and was not done."""
        is_fresh = self.is_recomputed and not self.because
        match latest.state:
            case EffectState.FAILED | EffectState.PENDING:
                self.renewed.append(latest.id)
                self._announce(candidate)
            case EffectState.WITHHELD if not is_fresh:
                self.counts["withheld"] += 1
            case _ if is_fresh:
                self._intend(candidate)
            case _:
                self._count(candidate, "skipped", "dropped by a person, or for its age")

    def _intend(self, candidate: Candidate) -> None:
        latest = candidate.latest
        if latest is not None and latest.state in effects.UNSENT:
            self.superseded.append(latest.id)
        self.intended.append(
            Intended(
                candidate.identity,
                candidate.target,
                candidate.label,
                candidate.record_id,
                candidate.before,
                candidate.after,
            )
        )
        self._announce(candidate)

    def _announce(self, candidate: Candidate) -> None:
        if self.because:
            self._count(candidate, "withheld", self.because)
        elif candidate.zeroes:
            self.zeroed.append(f"{candidate.label}: {candidate.zeroes}")

    def _count(self, candidate: Candidate, outcome: str, reason: str) -> None:
        self.counts[outcome] += 1
        self.lines.append((candidate.record_id, candidate.target, candidate.label, outcome, reason))


def _save(delivery: deliverer.Delivery, page: PlanPage) -> Sequence[str]:
    """Keep the plan for one page in one transaction; returns the items that would be shown as sold out, before and after."""
    run = delivery.run

    def work(unit: Unit) -> tuple[Plan, set[str]]:
        permission = executions.permission(unit, run.execution.id, attempt=run.execution.attempt)
        because = withheld.reason_of(permission) if permission is not None else withheld.TEST_MODE
        plan = Plan(because, is_recomputed=delivery.planner.is_recomputed, execution_id=run.execution.id)
        for candidate in page.candidates:
            plan.weigh(candidate)
        run.fence(unit, run.tally.plus(**plan.counts).plus(unchanged=page.unchanged))
        return plan, _write(unit, delivery, plan)

    plan, causes = run.database.write(work)
    run.tally = run.tally.plus(**plan.counts).plus(unchanged=page.unchanged)
    delivery.causes |= causes
    return plan.zeroed


def _write(unit: Unit, delivery: deliverer.Delivery, plan: Plan) -> set[str]:
    run = delivery.run
    state = EffectState.WITHHELD if plan.because else EffectState.PENDING
    effects.move(
        unit, plan.superseded, to=EffectState.SUPERSEDED, reason="A newer value took its place.", among=effects.UNSENT
    )
    effects.move(
        unit,
        plan.renewed,
        to=state,
        reason=plan.because,
        among=(EffectState.FAILED, EffectState.PENDING),
        execution_id=run.execution.id,
    )
    effects.revise(unit, plan.revised)
    delivery.planner.confirmed(unit, effects.get(unit, plan.confirmed))
    effects.intend(
        unit,
        integration_id=run.integration.id,
        feed_id=run.feed.id,
        execution_id=run.execution.id,
        kind=delivery.kind,
        state=state,
        reason=plan.because,
        intended=plan.intended,
    )
    outcomes.add(unit, run.execution.id, kind=delivery.kind, lines=plan.lines)
    return problems.raise_all(unit, run, plan.problems)


def _demand_plausible(delivery: deliverer.Delivery, zeroed: Sequence[str], offered: int) -> None:
    """Nothing of the plan has left yet: when it would show too much as sold out, all of it is taken back."""
    run = delivery.run
    try:
        guard.demand(
            run, kind=delivery.kind, verb="show as sold out", count=len(zeroed), known=offered, examples=zeroed
        )
    except guard.VolumeHeld as error:
        reason = error.message

        def work(unit: Unit) -> None:
            run.fence(unit)
            effects.withdraw(unit, run.feed.id, execution_id=run.execution.id, reason=reason)

        run.database.write(work)
        raise
