"""Ties new records to ones already known from elsewhere: by SKU, then barcode, only one to one, never by guess."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from engine.runtime.inbound.verdicts import Mapped
from storage.database import Unit
from storage.queries import records, references


def find(unit: Unit, integration_id: int, *, kind: str, items: Sequence[Mapped]) -> dict[str, int]:
    """Remote id to the id of the one record it surely is. Ambiguous ones are left out and become records of their own."""
    if not items or not references.is_known_elsewhere(unit, integration_id, kind=kind):
        return {}
    wanted = Counter(key for item in items for key in item.record.link_keys)
    found = defaultdict(list)
    for candidate in records.candidates(unit, integration_id, kind=kind, keys=list(wanted)):
        found[candidate.key].append(candidate)
    if not found:
        return {}
    linked: dict[str, int] = {}
    for item in items:
        for key in item.record.link_keys:
            matches = found.get(key, [])
            if len(matches) == 1 and wanted[key] == 1 and matches[0].own_remote_id is None:
                linked[item.record.remote_id] = matches[0].record_id
            if matches:
                break
    taken = Counter(linked.values())
    return {remote_id: record_id for remote_id, record_id in linked.items() if taken[record_id] == 1}
