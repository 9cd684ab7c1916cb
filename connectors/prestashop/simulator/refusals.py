"""How a shop says no: lists of errors with codes, empty bodies, redirects."""

from dataclasses import dataclass

SOURCE = "/var/www/html/classes/webservice/WebserviceRequest.php"
UNSET_OFFSETS = (1333, 1334, 1335, 1336)


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of an error list."""

    code: int
    message: str


class Refused(Exception):
    """The answer is a list of errors. ``is_list_error`` marks those a PHP warning follows on newer shops."""

    def __init__(self, status: int, code: int, message: str, *, is_list_error: bool = False) -> None:
        """A list with one entry; ``and_then`` adds more."""
        super().__init__(message)
        self.status = status
        self.entries = [ErrorEntry(code, message)]
        self.is_list_error = is_list_error

    def and_then(self, status: int, code: int, message: str) -> "Refused":
        """One more entry; the status is that of the last one."""
        self.status = status
        self.entries.append(ErrorEntry(code, message))
        return self


class Fatal(Exception):
    """PHP gave up: 500, HTML, no body, HTTP/1.0."""


class Missing(Exception):
    """404 with an empty body."""


class Redirected(Exception):
    """302 to the shop's home page, HTTP/1.0."""


class Unauthenticated(Exception):
    """401 as plain text: no credentials at all."""


def warning(message: str, line: int) -> str:
    """A PHP warning as it appears in an error list."""
    return f"[PHP Warning #2] {message} ({SOURCE}, line {line})"


def warned(refused: Refused) -> Refused:
    """The list error with the PHP warnings that follow it in the same answer, which make it a 500."""
    for line in UNSET_OFFSETS:
        refused.and_then(500, 3, warning("Trying to access array offset on value of type bool", line))
    return refused


def bad_list(code: int, message: str) -> Refused:
    """An error in the parameters of a list."""
    return Refused(400, code, message, is_list_error=True)


def did_you_mean(code: int, label: str, wanted: str, known: list[str], *, is_list_error: bool = False) -> Refused:
    """An unknown name, the closest known one, and all of them."""
    message = f'{label}. Did you mean: "{_closest(wanted, known)}"?'
    if len(known) > 1:
        listed = '", "'.join(known)
        message += f' The full list is: "{listed}"'
    return Refused(400, code, message, is_list_error=is_list_error)


def _closest(wanted: str, known: list[str]) -> str:
    """The last one among the nearest, as PrestaShop picks it."""
    return min(reversed(known), key=lambda word: _distance(wanted, word), default="")


def _distance(one: str, other: str) -> int:
    """How many letters to add, drop or exchange (Levenshtein)."""
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (letter != against)))
        previous = current
    return previous[-1]
