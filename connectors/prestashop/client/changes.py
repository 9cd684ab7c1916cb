"""Writes bodies of changes. Bodies are always XML, whatever format is read."""

import re
from collections.abc import Iterable, Mapping

from domain.errors import RequestRefused

_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def body(entity: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    """One or several entities, each with these fields."""
    parts = [f"<{entity}>{''.join(_element(name, value) for name, value in row.items())}</{entity}>" for row in rows]
    return f'<?xml version="1.0" encoding="UTF-8"?><prestashop>{"".join(parts)}</prestashop>'.encode()


def _element(name: str, value: str) -> str:
    if _REFUSED.search(value):
        raise RequestRefused(
            f"The field '{name}' holds a character XML cannot carry: correct it and try again.", status=400
        )
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{name}>{escaped}</{name}>"
