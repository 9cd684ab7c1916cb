"""GET: lists and single entities."""

from dataclasses import dataclass

from connectors.prestashop.simulator import json_writer, schemas, xml_writer
from connectors.prestashop.simulator.display import Display, full, read_display
from connectors.prestashop.simulator.memory import DEFAULT_SHOP, Memory
from connectors.prestashop.simulator.parameters import Languages, Parameters
from connectors.prestashop.simulator.refusals import Missing, Refused
from connectors.prestashop.simulator.rendering import Rendering
from connectors.prestashop.simulator.schema import Resource, Row
from connectors.prestashop.simulator.selection import Context, Selections


@dataclass(frozen=True, slots=True)
class Question:
    """A request that has passed every check."""

    resource: Resource
    parameters: Parameters
    context: Context
    languages: Languages
    base: str
    is_json: bool

    def rendering(self, memory: Memory, *, written_id: bool = False) -> Rendering:
        """How its answer is written."""
        return Rendering(memory, self.base, self.languages, self.parameters.prices, written_id)


def read_list(memory: Memory, selections: Selections, question: Question) -> bytes:
    """A list, or a schema; Refused or Fatal as the parameters deserve."""
    resource, parameters = question.resource, question.parameters
    rendering = question.rendering(memory)
    if "schema" in parameters:
        return schemas.schema(resource, parameters.get("schema"), question.is_json, rendering=rendering)
    display = read_display(resource, parameters.plain.get("display"), default=Display(only_ids=True))
    ids = selections.ids(resource, parameters, context=question.context, languages=question.languages)
    if display.only_ids:
        if question.is_json:
            return json_writer.id_list(resource, ids)
        return xml_writer.id_list(resource, ids, rendering)
    rows = (in_context(memory, resource, one, question.context) for one in ids)
    if question.is_json:
        return json_writer.entity_list(resource, rows, display, rendering)
    return xml_writer.entity_list(resource, rows, display, rendering)


def read_one(memory: Memory, question: Question, text: str) -> bytes:
    """A single entity; Missing, or Refused with 131 and what its parameters deserve."""
    resource = question.resource
    row = memory.tables[resource.name].get(int(text)) if text.isdigit() else None
    if row is None:
        raise Missing
    check_membership(memory, resource, row, question.context)
    rendering = question.rendering(memory)
    shown_text = question.parameters.plain.get("display")
    try:
        display = read_display(resource, shown_text, default=full(resource))
    except Refused as refused:
        refused.is_list_error = False
        raise
    shown = in_context(memory, resource, int(text), question.context)
    if not question.is_json:
        return xml_writer.entities(resource, [shown], display, rendering)
    if shown_text is None:
        return json_writer.single(resource, shown, display, rendering, drops=memory.drops_falsy)
    return json_writer.entity_list(resource, [shown], display, rendering)


def in_context(memory: Memory, resource: Resource, identity: int, context: Context) -> Row:
    """The row with the values of the context's shop."""
    row = memory.tables[resource.name].rows[identity]
    if resource.name == "products" and identity in memory.own and context.single not in {None, DEFAULT_SHOP}:
        return {**row, **memory.own[identity].get(context.single or DEFAULT_SHOP, {})}
    return row


def check_membership(memory: Memory, resource: Resource, row: Row, context: Context) -> None:
    """Refused with 131 when the entity exists, and not in these shops."""
    identity = int(str(row["id"]))
    if resource.name == "products":
        belongs = bool(memory.product_shops(identity) & context.shops)
    elif resource.name == "stock_availables":
        belongs = row.get("id_shop", 0) in context.shops
    elif resource.shop_field:
        belongs = memory.value(resource.name, identity, resource.shop_field) in context.shops
    else:
        return
    if not belongs:
        raise Refused(404, 131, f"This {resource.model} ({identity}) does not exists on this shop")
