"""One at a time: what happens in a shop outside the webservice, while a server may be answering in another thread."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from connectors.prestashop.simulator.memory import Memory

M = TypeVar("M", bound=Memory)
P = ParamSpec("P")
R = TypeVar("R")


def alone(method: Callable[Concatenate[M, P], R]) -> Callable[Concatenate[M, P], R]:
    """While nobody else reads or changes the shop."""

    @wraps(method)
    def locked(memory: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with memory.lock:
            return method(memory, *args, **kwargs)

    return locked
