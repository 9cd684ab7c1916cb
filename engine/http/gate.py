"""The gate: asked right before a writing request leaves. It lets it pass by returning, and stops it by raising."""

from collections.abc import Callable
from typing import TypeAlias

from domain.errors import Withheld
from engine.connector import Operation

Gate: TypeAlias = Callable[[Operation], None]
"""Raises ``Withheld`` (test mode) or ``LeaseLost`` (another worker goes on); never asked for a reading operation."""


def shut(operation: Operation) -> None:
    """The gate of a door that is only read through: nothing that writes passes. It is what a door has unless told otherwise."""
    raise Withheld(f"'{operation.name}' was not sent: this connection may only read.")
