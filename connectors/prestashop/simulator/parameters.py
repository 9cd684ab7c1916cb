"""The query of a request, as PHP reads it: ``filter[name]=x`` is a map, the last of equal names wins."""

import re
from dataclasses import dataclass, field

from connectors.prestashop.simulator.refusals import Refused

NAME = re.compile(r"^([^\[\]]+)((?:\[[^\]]*\])*)")
INDEX = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Plain parameters, filters by field, and price definitions by alias."""

    plain: dict[str, str] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    prices: dict[str, dict[str, str]] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """A plain parameter."""
        return self.plain.get(name, default)

    def __contains__(self, name: object) -> bool:
        """Whether a plain parameter was sent."""
        return name in self.plain


def read_parameters(pairs: list[tuple[str, str]]) -> Parameters:
    """Sort the pairs of a query; unknown ones are kept and ignored later."""
    parameters = Parameters()
    for name, value in pairs:
        match = NAME.match(name)
        if match is None:
            continue
        stem, indexes = match.group(1), INDEX.findall(match.group(2))
        if stem == "filter" and len(indexes) == 1:
            parameters.filters[indexes[0]] = value
        elif stem == "price" and len(indexes) == 2:
            parameters.prices.setdefault(indexes[0], {})[indexes[1]] = value
        elif not indexes:
            parameters.plain[stem] = value
    return parameters


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages of an answer. ``is_single`` makes translated fields plain texts in JSON."""

    ids: tuple[int, ...]
    is_single: bool
    is_range: bool = False


def read_languages(text: str | None, active: tuple[int, ...]) -> Languages:
    """The ``language`` parameter, or all active languages; Refused with 78, 79, 80 or 81."""
    if text is None:
        return Languages(active, len(active) == 1)
    inner = text
    is_range = False
    if text.startswith("[") or text.endswith("]"):
        if not (text.startswith("[") and text.endswith("]")):
            raise Refused(
                400,
                79,
                'The \'language\' value has to be formed as this example: "[2|3]" or "[2,4]" or "2"',
            )
        inner = text[1:-1]
        is_range = "," in inner
    words = inner.split(",") if is_range else inner.split("|")
    if is_range and len(words) != 2:
        raise Refused(400, 78, 'The language range has to be formed as this example: "[2,4]"')
    if not all(word.strip().isdigit() for word in words):
        refused = Refused(400, 80, "A language id has to be a number")
        raise refused.and_then(400, 81, "language is not available")
    wanted = [int(word) for word in words]
    if is_range:
        wanted = list(range(min(wanted), max(wanted) + 1))
    chosen = tuple(language for language in wanted if language in active)
    if not chosen:
        raise Refused(400, 81, "language is not available")
    return Languages(chosen, len(chosen) == 1, is_range)
