"""Reads a page whose XML one text has broken: as JSON, which stays valid, or else by halving it down to the bad record."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.prestashop.client.dialect import LISTS, Speech, one_of
from connectors.prestashop.client.rows import Broken, IdRow
from connectors.prestashop.client.tables import NotWellFormed, Table, ids
from domain.errors import RemoteContractError, RequestRefused
from engine.connector import Door, Format, Request

Row = TypeVar("Row")


def rescue(door: Door, speech: Speech, table: Table[Row], request: Request) -> list[Row | Broken]:
    """The rows of a list whose XML is not well-formed; a record that cannot be read either way comes as ``Broken``."""
    as_json = replace(request, operation=LISTS[Format.JSON], query=(*request.query, ("output_format", "JSON")))
    try:
        return table.rows(door.send(as_json).body, answers=Format.JSON)
    except (RemoteContractError, RequestRefused):
        listed = door.send(_with(request, display="[id]")).body
        id_table = Table(table.resource, IdRow, node=table.node)
        remote_ids = ids(id_table.sound(id_table.rows(listed, answers=Format.XML)))
        return _halve(door, speech, table, request, remote_ids)


def _halve(
    door: Door, speech: Speech, table: Table[Row], request: Request, remote_ids: Sequence[str]
) -> list[Row | Broken]:
    if not remote_ids:
        return []
    part = _with(request, **{"filter[id]": one_of(remote_ids)}, limit=str(len(remote_ids)))
    try:
        return table.rows(door.send(part).body, answers=Format.XML, language=speech.language)
    except NotWellFormed as error:
        if len(remote_ids) == 1:
            text = "A text of it holds characters that break the shop's XML, and the shop's JSON cannot be read either."
            return [Broken(id=remote_ids[0], message=f"{text} {error.detail}"[:300])]
    middle = len(remote_ids) // 2
    halves = (remote_ids[:middle], remote_ids[middle:])
    return [row for half in halves for row in _halve(door, speech, table, request, half)]


def _with(request: Request, **changed: str) -> Request:
    kept = tuple(pair for pair in request.query if pair[0] not in changed)
    return replace(request, query=(*kept, *changed.items()))
