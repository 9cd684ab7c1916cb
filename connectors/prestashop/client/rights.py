"""What the key may do, as the shop tells it."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.prestashop.client.account import Account
from connectors.prestashop.client.dialect import Speech, rights
from connectors.prestashop.client.tables import read_xml
from domain.errors import UnexpectedFormat
from engine.connector import Answer, Door


@dataclass(frozen=True, slots=True)
class Rights:
    """Methods (``get``, ``patch`` …) by resource; resources that may not be used at all are not listed."""

    shop_name: str
    methods: Mapping[str, frozenset[str]]
    answer: Answer

    def allows(self, resource: str, method: str) -> bool:
        """Whether a request of this kind is allowed."""
        return method in self.methods.get(resource, frozenset())


def read_rights(door: Door, speech: Speech) -> Rights:
    """The list of resources; always XML."""
    answer = door.send(rights(speech))
    api = read_xml(answer.body).find("api")
    if api is None:
        raise UnexpectedFormat("The shop's answer is not its list of resources.")
    methods = {
        str(node.tag): frozenset(str(name) for name, value in node.attrib.items() if value == "true")
        for node in api.iterchildren("*")
    }
    return Rights(shop_name=str(api.get("shopName", "")), methods=methods, answer=answer)


def can_patch(account: Account, resource: str) -> bool:
    """Whether single fields can be changed: since PrestaShop 8, and with the right to. Else the whole row is written back."""
    if account.facts.version < (8,):
        return False
    found = account.once("rights", lambda: read_rights(account.door, account.speech))
    return found.allows(resource, "patch")
