"""What becomes of each raw item of a page, before anything is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.errors import RecordProblem, UnexpectedFormat
from domain.records import Record
from domain.rulebook import Rulebook
from engine.connector import Stream
from engine.flow import Rule
from storage.queries.records import encode, fingerprint

_BROKEN_SHARE = 0.5
_BROKEN_LEAST = 20


class Mapped(NamedTuple):
    """An item whose mapping worked. ``body`` and ``fingerprint`` are of the record as the shop tells it."""

    record: Any
    body: bytes
    fingerprint: bytes


class Refused(NamedTuple):
    """An item that does not pass. ``record`` is there when a rule refused it, not the mapping."""

    remote_id: str
    label: str
    problem: RecordProblem
    record: Record | None = None


@dataclass(slots=True)
class Verdicts:
    """The items of a page by fate. ``mapped`` is keyed by remote id: of two versions in one page the last one counts."""

    mapped: dict[str, Mapped] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    repeated: int = 0


def map_items(raws: Sequence[Any], stream: Stream, account: Any) -> Verdicts:  # noqa: ANN401 - the connector's own type
    """Map every raw item. Raises ``RemoteContractError`` when so many fail that the feed itself must be broken."""
    verdicts = Verdicts()
    mapped, refused = verdicts.mapped, verdicts.refused
    to_record = stream.record
    for raw in raws:
        try:
            record = to_record(raw, account)
        except RecordProblem as problem:
            remote_id, label = stream.identify(raw)
            refused[remote_id] = Refused(remote_id, label, problem)
        else:
            body = encode(record)
            mapped[record.remote_id] = Mapped(record, body, fingerprint(body))
    verdicts.repeated = len(raws) - len(mapped) - len(refused)
    _demand_plausible(verdicts)
    return verdicts


def apply_rules(mapped: Mapped, rules: Sequence[Rule], rulebook: Rulebook) -> Mapped | Refused:
    """Let a record pass the flow's rules, perhaps completed by them, or refuse it with a severity."""
    record = mapped.record
    try:
        for rule in rules:
            record = rule(record, rulebook)
    except RecordProblem as problem:
        return Refused(record.remote_id, record.label, problem, record)
    if record is mapped.record:
        return mapped
    return mapped._replace(record=record, body=encode(record))


def _demand_plausible(verdicts: Verdicts) -> None:
    broken = [item for item in verdicts.refused.values() if item.problem.severity == "error"]
    total = len(verdicts.mapped) + len(verdicts.refused)
    if len(broken) >= _BROKEN_LEAST and len(broken) > total * _BROKEN_SHARE:
        first = broken[0]
        raise UnexpectedFormat(
            f"{len(broken)} of {total} records of one page could not be read, so the page was not used. "
            f"The first was {first.label}: {first.problem.message}",
            detail=first.problem.detail,
        )
