"""The checks before anything is answered, in the order a shop makes them."""

import base64
import binascii
import re
from dataclasses import dataclass

from connectors.prestashop.simulator.keys import KEY_LENGTH, AccessKey
from connectors.prestashop.simulator.memory import DEFAULT_SHOP, Memory
from connectors.prestashop.simulator.parameters import Parameters
from connectors.prestashop.simulator.refusals import Redirected, Refused, Unauthenticated, did_you_mean
from connectors.prestashop.simulator.schema import Resource
from connectors.prestashop.simulator.selection import Context
from engine.simulation.exchange import Request

KNOWN_METHODS = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"})
READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, taken from its address: the shop's folder, the resource, and what follows it."""

    folder: str
    resource: str
    rest: tuple[str, ...]


PATH = re.compile(r"^/(?P<folder>(?:[^/]+/)?)api(?:/(?P<rest>.*))?$")


def read_place(path: str) -> Place | None:
    """The place of ``/api/…`` or ``/folder/api/…``; None for any other address."""
    match = PATH.match(path)
    if match is None:
        return None
    words = [word for word in (match.group("rest") or "").split("/") if word]
    return Place(match.group("folder"), words[0] if words else "", tuple(words[1:]))


def check_key(memory: Memory, request: Request, parameters: Parameters) -> AccessKey:
    """The key of the request; Unauthenticated, or Refused with 22, 17, 18, 20 and 21."""
    text = _sent_key(request, parameters)
    if not memory.is_enabled:
        raise Refused(
            503, 22, "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office"
        )
    if text is None:
        raise Unauthenticated
    if text == "":
        raise Refused(401, 17, "Authentication key is empty")
    if len(text) != KEY_LENGTH:
        raise Refused(401, 18, "Invalid authentication key format")
    known = memory.keys.get(text)
    if known is None or not known.is_active:
        refused = Refused(401, 20, "Authentification key is not active")
        raise refused.and_then(401, 21, "No permission for this authentication key")
    if not any(known.rights.values()):
        raise Refused(401, 21, "No permission for this authentication key")
    return known


def _sent_key(request: Request, parameters: Parameters) -> str | None:
    header = request.header("authorization")
    if header.lower().startswith("basic "):
        try:
            return base64.b64decode(header[6:], validate=True).decode("utf-8", "replace").partition(":")[0]
        except binascii.Error:
            return ""
    return parameters.plain.get("ws_key")


def check_host(request: Request, domain: str) -> None:
    """Redirected when the request was sent to another name than the shop's main domain."""
    if domain and request.header("host") != domain:
        raise Redirected


def check_shop(memory: Memory, place: Place, parameters: Parameters, *, key: AccessKey) -> Context:
    """The shops the request speaks about; Redirected, or Refused with 999 and 132."""
    group = parameters.plain.get("id_group_shop", parameters.plain.get("id_shop_group"))
    wanted = parameters.plain.get("id_shop")
    everywhere = frozenset(memory.shops())
    if wanted == "all":
        context = Context(everywhere, is_all=True)
    elif wanted is not None:
        if not wanted.isdigit() or int(wanted) not in everywhere:
            raise Redirected
        context = Context(frozenset({int(wanted)}))
    elif group is not None:
        table = memory.tables["shops"]
        members = [one for one in table.ids if str(table.value(table.rows[one], "id_shop_group")) == group]
        if not members:
            raise Refused(500, 999, "This shop group doesn't have shops")
        context = Context(frozenset(members))
    else:
        context = Context(frozenset({_shop_at(memory, place.folder)}))
    if key.shops is not None and not context.shops <= key.shops:
        raise Refused(403, 132, "No permission for this key on this shop")
    return context


def _shop_at(memory: Memory, folder: str) -> int:
    for row in memory.tables["shop_urls"]:
        if folder and row.get("virtual_uri") == folder:
            return int(str(row.get("id_shop", DEFAULT_SHOP)))
    return DEFAULT_SHOP


def folder_of(memory: Memory, context: Context, place: Place) -> str:
    """The folder that links of the answer carry."""
    for row in memory.tables["shop_urls"]:
        if context.single is not None and row.get("id_shop") == context.single:
            return str(row.get("virtual_uri", ""))
    return place.folder


def check_resource(memory: Memory, name: str, *, key: AccessKey) -> Resource:
    """The resource; Refused with 27 or 26."""
    resource = memory.resources.get(name)
    if resource is None:
        raise did_you_mean(27, f'Resource of type "{name}" does not exists', name, list(memory.resources))
    if not key.methods(name):
        raise Refused(401, 26, f'Resource of type "{name}" is not allowed with this authentication key')
    return resource


def check_method(memory: Memory, method: str, *, resource: Resource, key: AccessKey) -> None:
    """Refused with 23, 101 or 25."""
    if method not in KNOWN_METHODS or (method == "PATCH" and not memory.has_patch):
        raise Refused(405, 23, f"Method {method} is not valid")
    if method in resource.never:
        raise Refused(405, 101, f"Method {method} is not allowed for the resource {resource.name}")
    if method not in key.methods(resource.name):
        raise Refused(
            405, 25, f"Method {method} is not allowed for the resource {resource.name} with this authentication key"
        )
