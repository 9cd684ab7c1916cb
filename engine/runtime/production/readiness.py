"""Whether an integration is ready for production: computed checks, each with its evidence and what to do about it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import msgspec

from domain.records import Product, Variant
from domain.rulebook import WILDCARD, Rulebook
from engine.connector import Choice, Probe
from engine.flow import Check, Direction, Flow, Import
from engine.runtime.production import installation
from storage.database import Unit
from storage.queries import differences, feeds, go_live, issues, records
from storage.queries.differences import DifferenceState, Explanation
from storage.queries.go_live import Waiver
from storage.rows import Feed, Integration

LOOKED = "look_at_withheld"
_ITEM_KINDS = (Product.kind, Variant.kind)
_FRESH = timedelta(days=1)
_CLOCK_GOOD, _CLOCK_BAD = timedelta(minutes=1), timedelta(minutes=5)
_LINKED_GOOD, _LINKED_BAD = 0.99, 0.95
_NAMED = 5


class Verdict(StrEnum):
    """What a check says. ``waived``: it failed, and an administrator accepts that."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Line:
    """One check. ``evidence`` is what was found, ``remedy`` what to do (empty when it passes), ``place`` where to do it:
    ``connection``, ``feeds``, ``records``, ``mappings``, ``issues``, ``differences``, ``effects`` or ``installation``.
    """

    name: str
    title: str
    verdict: Verdict
    evidence: str
    remedy: str = ""
    place: str = ""
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: one integration, with the flows it has, its rules, and what its last connection test found."""

    unit: Unit
    integration: Integration
    feeds: Mapping[str, Feed]
    flows: Mapping[str, Flow]
    rulebook: Rulebook
    probe: Probe | None


def checks(unit: Unit, integration: Integration, *, flows: Mapping[str, Flow], rulebook: Rulebook) -> list[Line]:
    """Every check, in the order they are best worked through. ``flows`` are all declared flows by name."""
    subject = Subject(
        unit=unit,
        integration=integration,
        feeds={feed.flow: feed for feed in feeds.listed(unit, integration_id=integration.id) if feed.flow in flows},
        flows=flows,
        rulebook=rulebook,
        probe=None if integration.probe is None else msgspec.convert(integration.probe, Probe),
    )
    waived = go_live.waived(unit, integration.id)
    return [_waived(line, waived.get(line.name)) for check in _CHECKS for line in check(subject)]


def failing(lines: Iterable[Line]) -> list[Line]:
    """Those that stand in the way."""
    return [line for line in lines if line.verdict is Verdict.FAIL]


def _waived(line: Line, waiver: Waiver | None) -> Line:
    if waiver is None or line.verdict is not Verdict.FAIL:
        return line
    return replace(line, verdict=Verdict.WAIVED, waiver=waiver)


# --- the checks ---------------------------------------------------------------------------------------------------


def _installation(subject: Subject) -> Iterator[Line]:
    is_known = installation.is_confirmed(subject.unit)
    yield Line(
        "installation",
        "This is the real installation",
        Verdict.PASS if is_known else Verdict.FAIL,
        "This database is known to be the real one." if is_known else "This database was copied or restored.",
        "" if is_known else "Confirm that this is the real one, and that no other installation works on the same shop.",
        "installation",
    )


def _rights(subject: Subject) -> Iterator[Line]:
    title, probe = "Credentials and rights, also to write", subject.probe
    if probe is None:
        yield Line(
            "rights", title, Verdict.FAIL, "The connection was never tested.", "Test the connection.", "connection"
        )
        return
    broken = [check for check in probe.checks if not check.passed]
    evidence = "; ".join(check.message for check in broken) or "; ".join(check.message for check in probe.checks)
    remedy = " ".join(check.remedy for check in broken)
    yield Line("rights", title, Verdict.FAIL if broken else Verdict.PASS, evidence, remedy, "connection")


def _clock(subject: Subject) -> Iterator[Line]:
    offset = None if subject.probe is None else subject.probe.clock_offset
    title = "Both clocks agree"
    if offset is None:
        evidence, remedy = "The other side's clock is not known.", "Test the connection again."
        yield Line("clock", title, Verdict.WARN, evidence, remedy, "connection")
        return
    size = abs(offset)
    verdict = Verdict.PASS if size <= _CLOCK_GOOD else Verdict.WARN if size <= _CLOCK_BAD else Verdict.FAIL
    yield Line(
        "clock",
        title,
        verdict,
        f"The other side's clock is {size.total_seconds():.0f} seconds {'ahead' if offset > timedelta(0) else 'behind'}.",
        "" if verdict is Verdict.PASS else "Set the clock of the shop's server, then test the connection again.",
        "connection",
    )


def _inbound(subject: Subject) -> Iterator[Line]:
    """What runs by a timetable succeeded within a day; what is done once was done."""
    late: list[str] = []
    green = 0
    for name, feed in subject.feeds.items():
        flow = subject.flows[name]
        if flow.direction is not Direction.INBOUND or isinstance(flow.work, Check):
            continue
        is_once = isinstance(flow.work, Import) and flow.work.locks
        if not is_once and not feed.is_enabled:
            continue
        at = feed.succeeded_at
        if at is None or (not is_once and subject.unit.now - at > _FRESH):
            late.append(f"{flow.title} ({'never' if at is None else f'last on {at:%Y-%m-%d %H:%M} UTC'})")
        else:
            green += 1
    yield Line(
        "inbound",
        "All inbound flows are green",
        Verdict.FAIL if late else Verdict.PASS,
        f"No success within a day: {', '.join(late)}." if late else f"{green} flows succeeded within a day.",
        "Run them, and correct what stops them." if late else "",
        "feeds",
    )


def _linked(subject: Subject) -> Iterator[Line]:
    found = go_live.links(subject.unit, subject.integration.id, kinds=_ITEM_KINDS)
    total = found.linked + found.unlinked
    title = "Products are linked"
    if not total:
        yield Line("links", title, Verdict.FAIL, "No product is known yet.", "Import the products first.", "feeds")
        return
    share = found.linked / total
    verdict = Verdict.PASS if share >= _LINKED_GOOD else Verdict.WARN if share >= _LINKED_BAD else Verdict.FAIL
    evidence = f"{share:.1%} linked ({found.linked} of {total})."
    if found.examples:
        evidence += f" Not linked: {', '.join(found.examples)}."
    remedy = "" if verdict is Verdict.PASS else "Link the products in the list by hand, or correct their SKUs."
    yield Line("links", title, verdict, evidence, remedy, "records")


def _ambiguous(subject: Subject) -> Iterator[Line]:
    shared = records.shared_keys(subject.unit, subject.integration.id, kinds=_ITEM_KINDS, prefix="sku:")
    names = [members[0][1] for members in shared.values()]
    yield Line(
        "ambiguous",
        "No SKU is ambiguous",
        Verdict.FAIL if names else Verdict.PASS,
        f"Used by several products: {_some(names)}." if names else "Every SKU belongs to one product.",
        "Give each product a SKU of its own in the shop, then update the products." if names else "",
        "records",
    )


def _mappings(subject: Subject) -> Iterator[Line]:
    """A value that orders were seen with must be mapped; one that only the shop's settings list should be."""
    rules, probe = subject.rulebook, subject.probe
    seen = go_live.seen(subject.unit, subject.integration.id)
    held = {
        name: {
            cause.removeprefix(f"unmapped:{name}:")
            for cause in go_live.held_causes(subject.unit, subject.integration.id, prefix=f"unmapped:{name}:")
        }
        for name in ("status", "shipping_method", "payment_method")
    }
    yield _mapping(
        "statuses",
        "Order statuses are ruled on",
        rules.statuses,
        probe.statuses if probe is not None else (),
        seen.statuses | held["status"],
    )
    yield _mapping(
        "shipping_methods",
        "Shipping methods are mapped",
        rules.shipping_methods,
        probe.shipping_methods if probe is not None else (),
        seen.shipping_methods | held["shipping_method"],
    )
    yield _mapping(
        "payment_methods",
        "Payment methods are ruled on",
        rules.payment_methods,
        probe.payment_methods if probe is not None else (),
        seen.payment_methods | held["payment_method"],
        has_default=True,
    )


def _mapping(
    name: str,
    title: str,
    table: Mapping[str, object],
    listed: tuple[Choice, ...],
    seen: Iterable[str],
    *,
    has_default: bool = False,
) -> Line:
    labels = {choice.value: choice.label for choice in listed}
    defaults = {choice.value for choice in listed if choice.advice}

    def unmapped(values: Iterable[str], *, without: Iterable[str] = ()) -> list[str]:
        if WILDCARD in table:
            return []
        return sorted(labels.get(value, value) for value in values if value not in table and value not in without)

    missing = unmapped(seen, without=defaults if name == "statuses" else ())
    idle = unmapped(labels.keys() - set(seen), without=defaults)
    if missing and not has_default:
        verdict, evidence = Verdict.FAIL, f"Seen in orders and not mapped: {_some(missing)}."
    elif missing:
        verdict, evidence = Verdict.WARN, f"Imported only when paid, as no rule names them: {_some(missing)}."
    elif idle:
        verdict, evidence = Verdict.WARN, f"In the shop, in no order so far, and not mapped: {_some(idle)}."
    else:
        verdict, evidence = Verdict.PASS, f"{len(table)} mapped, none missing."
    return Line(name, title, verdict, evidence, "" if verdict is Verdict.PASS else "Map them.", "mappings")


def _errors(subject: Subject) -> Iterator[Line]:
    count = issues.open_errors(subject.unit, subject.integration.id)
    yield Line(
        "errors",
        "No error is open",
        Verdict.FAIL if count else Verdict.PASS,
        f"{count} open." if count else "None is open.",
        "Open the bell and settle them." if count else "",
        "issues",
    )


def _stock(subject: Subject) -> Iterator[Line]:
    title = "The stock check was run and its differences are accepted"
    checked = [feed for name, feed in subject.feeds.items() if isinstance(subject.flows[name].work, Check)]
    if not checked:
        return
    at = checked[0].succeeded_at
    if at is None or subject.unit.now - at > _FRESH:
        when = "It was never run." if at is None else f"It last ran on {at:%Y-%m-%d %H:%M} UTC."
        yield Line("stock", title, Verdict.FAIL, when, "Run the stock check.", "feeds")
        return
    counts = differences.counts(subject.unit, subject.integration.id)
    open_counts = {sort: count for (state, sort), count in counts.items() if state is DifferenceState.OPEN}
    serious = sum(open_counts.get(sort, 0) for sort in (Explanation.CHANGED_REMOTELY, Explanation.UNKNOWN))
    unlinked = open_counts.get(Explanation.UNLINKED, 0)
    passing = sum(open_counts.values()) - serious - unlinked
    evidence = f"{serious} unexplained, {unlinked} unlinked, {passing} that settle by themselves."
    verdict = Verdict.FAIL if serious else Verdict.WARN if unlinked else Verdict.PASS
    remedy = "" if verdict is Verdict.PASS else "Repair or accept the differences."
    yield Line("stock", title, verdict, evidence, remedy, "differences")


def _withheld(subject: Subject) -> Iterator[Line]:
    title = "Withheld changes were looked at"
    outbound = [feed for name, feed in subject.feeds.items() if subject.flows[name].direction is Direction.OUTBOUND]
    if not outbound:
        return
    if all(feed.succeeded_at is None for feed in outbound):
        evidence = "No outbound flow was tried yet."
        yield Line(
            "withheld", title, Verdict.FAIL, evidence, "Run one in test mode, and look at what it would send.", "feeds"
        )
        return
    found = go_live.withholding(subject.unit, subject.integration.id, action=LOOKED, subject=subject.integration.name)
    is_seen = found.newest_at is None or (found.looked_at is not None and found.looked_at >= found.newest_at)
    yield Line(
        "withheld",
        title,
        Verdict.PASS if is_seen else Verdict.FAIL,
        f"{found.count} withheld{'' if is_seen else ', some of them newer than the last look'}.",
        "" if is_seen else "Look at what would be sent, and confirm that you did.",
        "effects",
    )


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


_CHECKS: tuple[Callable[[Subject], Iterator[Line]], ...] = (
    _installation,
    _rights,
    _clock,
    _inbound,
    _linked,
    _ambiguous,
    _mappings,
    _errors,
    _stock,
    _withheld,
)
