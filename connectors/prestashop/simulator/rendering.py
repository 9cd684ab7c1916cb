"""What both writers share: an answer's format, its languages and its addresses."""

from dataclasses import dataclass, field

from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.parameters import Languages
from connectors.prestashop.simulator.schema import Row, Value


@dataclass(frozen=True, slots=True)
class Rendering:
    """How to show entities: ``base`` is the address of the webservice, with ``/api/`` at its end."""

    memory: Memory
    base: str
    languages: Languages
    prices: dict[str, dict[str, str]] = field(default_factory=dict)
    written_id: bool = False


def link_of(form: str, value: Value, row: Row) -> str:
    """The address of a foreign key below the webservice's; nothing for none."""
    if value in (0, "", "0", None):
        return ""
    if "{" in form:
        return form.format(id=row.get("id", 0), value=value)
    return f"{form}/{value}"


def texts(value: Value, languages: Languages) -> list[tuple[int, str]]:
    """A translated text in each language."""
    if isinstance(value, dict):
        return [(language, value.get(language, "")) for language in languages.ids]
    return [(language, "" if value is None else str(value)) for language in languages.ids]
