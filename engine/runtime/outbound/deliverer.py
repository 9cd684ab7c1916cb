"""Takes effects out: marks them as being sent, asks the gate (in the door), sends, keeps the receipt.

Marking, sending and keeping go on side by side: while some groups are on their way, one transaction keeps the receipts of
those that are back and marks the next. What was marked and has no receipt may have been applied, and is looked up before
it is ever sent again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import structlog

from domain.errors import (
    AttentionError,
    BrokenInvariant,
    Cancelled,
    LeaseLost,
    OutcomeUnknown,
    PlatformError,
    RemoteContractError,
    TransientError,
    Withheld,
)
from engine.connector import Change, Outcome, Receipt, Sink
from engine.runtime.outbound import problems
from engine.runtime.outbound.plans import Planner
from engine.runtime.run import Run
from storage.database import Unit
from storage.queries import effects, outcomes
from storage.queries.effects import Effect, Settled
from storage.rows import EffectState

log = structlog.get_logger()

_AHEAD = 4
"""Groups marked for each request in flight. Half of them are still waiting when the next are marked."""

_UNSENT_ERRORS = (TransientError, AttentionError, LeaseLost, Cancelled)
_COUNTED = {EffectState.DONE: "updated", EffectState.FAILED: "failed", EffectState.WITHHELD: "withheld"}

Group = Sequence[Effect]
Answered = tuple[Effect, "Outcome | None"]


@dataclass
class Delivery:
    """One run's sending. ``causes`` are those met in it, ``doubtful`` the effects it got no answer for."""

    run: Run
    planner: Planner
    sink: Sink
    kind: str
    causes: set[str] = field(default_factory=set)
    doubtful: dict[int, Effect] = field(default_factory=dict)

    @cached_property
    def account(self) -> Any:  # noqa: ANN401 - the connector's own type
        """What the sink is called with; opened only when there is something to send or to look up."""
        return self.run.connector.open(self.run.door, self.run.settings)

    @property
    def concurrent(self) -> int:
        """How many groups may be on their way at once."""
        return self.run.connector.limits(self.run.settings).concurrent


def recover(delivery: Delivery) -> int:
    """Settle what earlier attempts left open, by looking; returns how many effects were done for this execution so far."""
    run = delivery.run

    def forsake(unit: Unit) -> int:
        run.fence(unit)
        effects.move_all(
            unit,
            run.feed.id,
            to=EffectState.UNKNOWN,
            reason="No receipt was kept: the worker stopped while it was being sent.",
            among=(EffectState.SENDING,),
        )
        return effects.done_by(unit, run.feed.id, run.execution.id) if run.execution.attempt > 1 else 0

    done = run.database.write(forsake)
    last = 0
    while True:
        after = last
        batch = run.database.read(
            lambda unit: effects.unknown(unit, run.feed.id, after=after, count=delivery.concurrent * 100)  # noqa: B023
        )
        if not batch:
            return done
        done += sum(item.state is EffectState.DONE for item in _look_up(delivery, batch))
        last = batch[-1].id


def deliver(delivery: Delivery) -> None:
    """Send every pending effect of the feed. Raises what stopped it early; what it had not sent by then stays pending."""
    run = delivery.run
    _Pipeline(delivery).send_all()
    if delivery.doubtful:
        found = _look_up(delivery, list(delivery.doubtful.values()))
        for item in found:
            if item.state is not EffectState.UNKNOWN:
                del delivery.doubtful[item.effect.id]
        run.tally = run.tally.plus(updated=sum(item.state is EffectState.DONE for item in found))
        if any(item.state is EffectState.PENDING for item in found):
            _Pipeline(delivery).send_all()
    if delivery.doubtful:
        _leave_doubtful(delivery)


# --- sending ------------------------------------------------------------------------------------------------------


class _Pipeline:
    """Groups on their way, and what came back and is not kept yet."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.run = delivery.run
        self.ways = delivery.concurrent
        self.on_their_way: dict[Future[list[Answered]], Group] = {}
        self.back: list[Settled] = []
        self.errors: list[PlatformError] = []
        self.stopped_by: BaseException | None = None
        self.shut_because = ""
        self.is_dry = False

    def send_all(self) -> None:
        if not self.run.database.read(lambda unit: effects.pending(unit, self.run.feed.id, count=1)):
            return
        _ = self.delivery.account  # opened before anything is marked
        senders = ThreadPoolExecutor(self.ways, thread_name_prefix="send")
        try:
            self._turn(senders)
            while self.on_their_way:
                self._wait()
                self._turn(senders)
        finally:
            senders.shutdown(cancel_futures=True)
        if self.shut_because:
            self._withhold_rest()
        if self.stopped_by is not None:
            raise self.stopped_by

    @property
    def _is_stopping(self) -> bool:
        return self.stopped_by is not None or bool(self.shut_because)

    def _wait(self) -> None:
        """Until so few groups are left that the next should be marked; until none is when there is nothing to mark."""
        enough = 0 if self.is_dry or self._is_stopping else self.ways * _AHEAD // 2
        while len(self.on_their_way) > enough:
            done, _ = wait(self.on_their_way, return_when=FIRST_COMPLETED)
            for future in done:
                self._receive(future, self.on_their_way.pop(future))
            if self._is_stopping:
                self._call_back()
                enough = 0

    def _receive(self, future: "Future[list[Answered]]", group: Group) -> None:
        error = future.exception()
        answered: Iterable[Answered] = ()
        if error is None:
            answered = future.result()
        elif isinstance(error, PlatformError):
            answered = [(effect, error) for effect in group]
        else:
            self.stopped_by = error
            answered = [(effect, _nobody_knows(error)) for effect in group]
        for effect, outcome in answered:
            self._judge(effect, outcome)

    def _judge(self, effect: Effect, outcome: "Outcome | None") -> None:
        """What one outcome means."""
        if isinstance(outcome, Receipt):
            self.back.append(_done(effect, outcome))
        elif isinstance(outcome, Withheld):
            self.shut_because = outcome.message
            self.back.append(Settled(effect, EffectState.WITHHELD, outcome.message, was_sent=False))
        elif isinstance(outcome, _UNSENT_ERRORS):
            self.stopped_by = self.stopped_by or outcome
            self.back.append(Settled(effect, EffectState.PENDING, outcome.message, was_sent=False))
        elif isinstance(outcome, (OutcomeUnknown, RemoteContractError, BrokenInvariant)) or outcome is None:
            if isinstance(outcome, BrokenInvariant):
                self.stopped_by = self.stopped_by or outcome
            self.delivery.doubtful[effect.id] = effect
            message = outcome.message if outcome is not None else "The other side gave no outcome."
            self.back.append(Settled(effect, EffectState.UNKNOWN, message))
        else:
            self.errors.append(outcome)
            self.back.append(Settled(effect, EffectState.FAILED, outcome.message))

    def _call_back(self) -> None:
        """Groups that did not start yet were surely not sent."""
        for future in [future for future in self.on_their_way if future.cancel()]:
            group = self.on_their_way.pop(future)
            self.back += [Settled(effect, EffectState.PENDING, "", was_sent=False) for effect in group]

    def _turn(self, senders: ThreadPoolExecutor) -> None:
        """One transaction: keep what came back, mark what goes next."""
        room = 0 if self._is_stopping or self.is_dry else self.ways * _AHEAD - len(self.on_their_way)
        size = self.delivery.sink.batch
        back, errors = self.back, self.errors

        def work(unit: Unit) -> tuple[list[Effect], set[str], Cancelled | None]:
            cancelled = None
            try:
                self.run.fence(unit, self.run.tally.plus(**_counts(back)))
            except Cancelled as error:  # what came back is kept all the same
                cancelled = error
            causes = _keep(unit, self.delivery, back, errors)
            if not room or cancelled is not None:
                return [], causes, cancelled
            return (
                effects.take(unit, self.run.feed.id, execution_id=self.run.execution.id, count=room * size),
                causes,
                None,
            )

        taken, causes, cancelled = self.run.database.write(work)
        self.run.tally = self.run.tally.plus(**_counts(back))
        self.delivery.causes |= causes
        self.back, self.errors = [], []
        self.stopped_by = self.stopped_by or cancelled
        if cancelled is not None:
            self._call_back()
        if room:
            self.is_dry = len(taken) < room * size
        for group in _groups(taken, size):
            self.on_their_way[senders.submit(_send, self.delivery, group)] = group

    def _withhold_rest(self) -> None:
        """The gate was shut meanwhile: what still waits is withheld with the same reason."""

        def work(unit: Unit) -> int:
            self.run.fence(unit)
            return effects.move_all(
                unit,
                self.run.feed.id,
                to=EffectState.WITHHELD,
                reason=self.shut_because,
                among=(EffectState.PENDING,),
            )

        self.run.tally = self.run.tally.plus(withheld=self.run.database.write(work))
        log.info("gate_shut", feed=self.run.feed.id, execution=self.run.execution.id)


def _send(delivery: Delivery, group: Group) -> list[Answered]:
    """Runs in a thread of its own: looks first where that is asked for, then sends."""
    delivery.run.lease.demand()
    answered: list[Answered] = []
    rest = list(group)
    if delivery.planner.looks_first and any(not effect.attempts for effect in rest):
        seen = _ask(delivery, delivery.sink.look_up, rest)
        answered = [pair for pair in seen if isinstance(pair[1], (Receipt, *_UNSENT_ERRORS))]
        settled = {effect.id for effect, _ in answered}
        rest = [effect for effect in rest if effect.id not in settled]
        delivery.run.lease.demand()
    return answered + _ask(delivery, delivery.sink.send, rest) if rest else answered


def _ask(
    delivery: Delivery, question: Callable[[Any, Sequence[Change]], Sequence["Outcome | None"]], group: Group
) -> list[Answered]:
    changes = [Change(effect.identity, effect.target, effect.before, effect.after) for effect in group]
    try:
        told = question(delivery.account, changes)
    except PlatformError as error:
        return [(effect, error) for effect in group]
    if len(told) != len(group):
        raise BrokenInvariant(
            f"The connector told {len(told)} outcomes for {len(group)} changes; none of them can be trusted."
        )
    return list(zip(group, told, strict=True))


# --- looking up ---------------------------------------------------------------------------------------------------


def _look_up(delivery: Delivery, doubtful: Group) -> list[Settled]:
    """Find out what became of effects; those nobody can tell about stay unknown, with an issue."""
    stopped_by: PlatformError | None = None
    settled: list[Settled] = []
    errors: list[PlatformError] = []

    def ask(group: Group) -> list[Answered]:
        delivery.run.lease.demand()
        return _ask(delivery, delivery.sink.look_up, group)

    with ThreadPoolExecutor(delivery.concurrent, thread_name_prefix="look") as lookers:
        for answered in lookers.map(ask, _groups(doubtful, delivery.sink.batch)):
            for effect, outcome in answered:
                if isinstance(outcome, Receipt):
                    settled.append(_done(effect, outcome, was_sent=False))
                elif outcome is None:
                    reason = "Looked up: it did not happen, so it is sent again."
                    settled.append(Settled(effect, EffectState.PENDING, reason, was_sent=False))
                elif isinstance(outcome, _UNSENT_ERRORS):
                    stopped_by = outcome
                else:
                    error = OutcomeUnknown(
                        f"Nobody can tell whether the change of {effect.label} arrived: {outcome.message}",
                        detail=outcome.detail,
                    )
                    errors.append(error)
                    settled.append(Settled(effect, EffectState.UNKNOWN, error.message, was_sent=False))

    def work(unit: Unit) -> set[str]:
        delivery.run.fence(unit)
        return _keep(unit, delivery, settled, errors)

    delivery.causes |= delivery.run.database.write(work)
    log.info("outcomes_looked_up", feed=delivery.run.feed.id, effects=len(doubtful), settled=len(settled))
    if stopped_by is not None:
        raise stopped_by
    return settled


def _leave_doubtful(delivery: Delivery) -> None:
    """Still nobody knows: counted as waiting, and looked up again by the next run."""
    run, left = delivery.run, list(delivery.doubtful.values())
    tally = run.tally.plus(waiting=len(left))

    def work(unit: Unit) -> None:
        run.fence(unit, tally)
        reason = "The other side gave no answer; it is looked up before anything is sent again."
        outcomes.add(unit, run.execution.id, kind=delivery.kind, lines=[_line(e, "waiting", reason) for e in left])

    run.database.write(work)
    run.tally = tally


# --- keeping ------------------------------------------------------------------------------------------------------


def _keep(unit: Unit, delivery: Delivery, settled: Sequence[Settled], errors: Sequence[PlatformError]) -> set[str]:
    effects.settle(unit, settled, execution_id=delivery.run.execution.id)
    delivery.planner.confirmed(unit, [item.effect for item in settled if item.state is EffectState.DONE])
    outcomes.add(
        unit,
        delivery.run.execution.id,
        kind=delivery.kind,
        lines=[
            _line(item.effect, _COUNTED[item.state], item.reason or _words(item.effect))
            for item in settled
            if item.state in _COUNTED
        ],
    )
    return problems.raise_all(unit, delivery.run, errors)


def _line(effect: Effect, outcome: str, reason: str) -> outcomes.Line:
    return (effect.record_id, effect.target, effect.label, outcome, reason)


def _words(effect: Effect) -> str:
    """The value sent, for the history of the record."""
    before, after = effect.before or {}, effect.after
    if "quantity" in after:
        return f"quantity {before.get('quantity', 'unknown')} → {after['quantity']}"
    return "sent"


def _counts(settled: Sequence[Settled]) -> dict[str, int]:
    return {outcome: sum(item.state is state for item in settled) for state, outcome in _COUNTED.items()}


def _done(effect: Effect, receipt: Receipt, *, was_sent: bool = True) -> Settled:
    return Settled(
        effect,
        EffectState.DONE,
        receipt={"evidence": receipt.evidence, "was_found": receipt.was_found or not was_sent},
        was_sent=was_sent,
    )


def _nobody_knows(error: BaseException) -> OutcomeUnknown:
    return OutcomeUnknown("Navette failed while it was sending.", detail=type(error).__name__)


def _groups(changes: Sequence[Effect], size: int) -> Iterator[Group]:
    return (changes[start : start + size] for start in range(0, len(changes), size))
