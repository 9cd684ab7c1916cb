"""An entity on its way into the tables."""

from dataclasses import dataclass

from connectors.prestashop.simulator.bodies import Posted
from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.reading import Question
from connectors.prestashop.simulator.schema import Resource, Row


@dataclass(frozen=True, slots=True)
class Wish:
    """An entity that passed every check and is to be saved. ``identity`` is 0 for a new one."""

    memory: Memory
    resource: Resource
    identity: int
    values: Row
    posted: Posted
    question: Question
    method: str

    @property
    def sends_mail(self) -> bool:
        """Whether the request asks for a mail to the customer."""
        return self.question.parameters.get("sendemail") == "1"

    def number(self, name: str) -> int:
        """A whole number as it will be after saving."""
        value = self.values.get(name)
        if value is None and self.identity:
            return self.memory.number(self.resource.name, self.identity, name)
        return value if isinstance(value, int) else 0
