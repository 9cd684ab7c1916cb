"""POST, PUT, PATCH and DELETE."""

from connectors.prestashop.simulator import json_writer, rules, xml_writer
from connectors.prestashop.simulator.access import Place
from connectors.prestashop.simulator.bodies import Posted, Words, read_entities
from connectors.prestashop.simulator.display import full
from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.reading import Question, in_context
from connectors.prestashop.simulator.refusals import Refused
from connectors.prestashop.simulator.schema import Field, Resource, Row, Value
from connectors.prestashop.simulator.storing import blank, echoed, stored_associations, stored_value
from connectors.prestashop.simulator.validation import check_value
from connectors.prestashop.simulator.wish import Wish


class Writer:
    """Carries out writes on one installation, entity by entity, without taking anything back."""

    def __init__(self, memory: Memory) -> None:
        """For one installation."""
        self._memory = memory

    def write(self, method: str, body: bytes, *, place: Place, question: Question) -> tuple[int, bytes]:
        """Status and body of the answer; Refused or Fatal, with what was saved before left saved."""
        if method == "DELETE":
            return self._delete(place, question)
        posted = read_entities(question.resource, body)
        _check_ids(method, posted)
        shown = [self._save(method, one, question) for one in posted]
        rendering = question.rendering(self._memory, written_id=method != "POST")
        display = full(question.resource)
        if question.is_json:
            if not shown:
                return 200, json_writer.NOTHING
            drops = self._memory.drops_falsy
            body = json_writer.single(question.resource, shown[-1], display, rendering, drops=drops)
        else:
            body = xml_writer.entities(question.resource, shown, display, rendering)
        return (201 if method == "POST" and shown else 200), body

    def _save(self, method: str, posted: Posted, question: Question) -> Row:
        """Save one entity; the row to show for it."""
        resource = question.resource
        identity = 0
        if method != "POST":
            identity = int(posted.identity) if posted.identity.isdigit() else 0
            if identity not in self._memory.tables[resource.name]:
                raise Refused(404, 92, "Invalid ID")
        _check_fields(method, resource, posted)
        values = self._values(method, posted, question, identity=identity)
        wish = Wish(self._memory, resource, identity, values, posted, question, method)
        identity = rules.save(wish)
        kept = in_context(self._memory, resource, identity, question.context)
        return echoed(resource, kept, posted, is_patch=method == "PATCH")

    def _values(self, method: str, posted: Posted, question: Question, *, identity: int) -> Row:
        """What to store: everything for PUT and POST, what was sent for PATCH."""
        resource = question.resource
        languages = self._memory.languages()
        row = self._memory.tables[resource.name].get(identity) or {}
        values: Row = {}
        for field in resource.fields:
            if field.computed:
                continue
            sent = posted.fields.get(field.name)
            if sent is not None:
                values[field.name] = stored_value(field, sent, languages)
            elif method == "PUT":
                values[field.name] = blank(field)
        _keep_dates(method, resource, values, row, now=self._memory.now(), posted=posted)
        values.update(stored_associations(resource, posted))
        return values

    def _delete(self, place: Place, question: Question) -> tuple[int, bytes]:
        wanted = place.rest[0] if place.rest else question.parameters.get("id")
        ids = [word.strip() for word in wanted.strip("[]").split(",") if word.strip()]
        table = self._memory.tables[question.resource.name]
        unknown = [one for one in ids if not one.isdigit() or int(one) not in table]
        if unknown or not ids:
            raise Refused(404, 87, f"Id(s) not exists: {', '.join(unknown)}")
        for one in ids:
            rules.delete(self._memory, question.resource, int(one))
        return 200, b""


def _check_ids(method: str, posted: list[Posted]) -> None:
    """Before anything is saved: Refused with 91 for a POST, 90 and 89 for the others."""
    if method == "POST":
        if any(one.identity for one in posted):
            raise Refused(400, 91, "id is forbidden when adding a new resource")
        return
    if not all(one.identity for one in posted):
        raise Refused(400, 90, "id is required when modifying a resource")
    ids = [one.identity for one in posted]
    if len(set(ids)) < len(ids):
        raise Refused(400, 89, "id is duplicate in request")


def _check_fields(method: str, resource: Resource, posted: Posted) -> None:
    """The first thing wrong with an entity: Refused with 93, 41, 84 or 85."""
    for field in resource.fields:
        sent = posted.fields.get(field.name)
        if sent is not None and field.read_only:
            raise Refused(400, 93, f'parameter "{field.name}" not writable. Please remove this attribute of this XML')
        if sent is None and field.required and method != "PATCH":
            raise Refused(400, 41, f'parameter "{field.name}" required')
    for is_translated in (True, False):
        for field in resource.fields:
            if field.translated is is_translated and field.name in posted.fields:
                _check_words(resource, field, posted.fields[field.name])


def _check_words(resource: Resource, field: Field, sent: Words) -> None:
    for text in [sent] if isinstance(sent, str) else list(sent.values()):
        check_value(resource, field, text)


def _keep_dates(method: str, resource: Resource, values: Row, row: Row, *, now: str, posted: Posted) -> None:
    """``date_upd`` is now; ``date_add`` is now for new rows, and for a PUT that leaves it out."""
    names: set[str] = {field.name for field in resource.fields}
    if "date_upd" in names:
        values["date_upd"] = now
    if "date_add" not in names:
        return
    kept: Value = row.get("date_add", now)
    if method == "POST" or (method == "PUT" and not posted.text("date_add")):
        values["date_add"] = now
    elif method == "PATCH" and "date_add" not in posted.fields:
        values["date_add"] = kept
