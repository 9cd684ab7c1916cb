"""What PrestaShop means by an answer that is not a success. The code counts; statuses are often wrong.

On PHP 7.4 and later a wrong question comes as 500, because a PHP warning (code 3) follows its error: the first code decides.
"""

import html
import re

import msgspec

from domain.errors import (
    CredentialsRejected,
    NotFound,
    PermissionMissing,
    PlatformError,
    RequestRefused,
    SettingsInvalid,
    Unavailable,
)
from engine.connector import Answer

_XML_ERROR = re.compile(
    rb"<error>\s*<code>(?:<!\[CDATA\[)?\s*(\d{1,6})\s*(?:\]\]>)?</code>\s*<message>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</message>",
    re.DOTALL,
)
_KEY_PAGE = "Advanced Parameters > Webservice in the back office of the shop"
_QUESTION = range(28, 40)
_LANGUAGE = {78, 79, 80, 81}
_PHP_WARNING = 3


class _Error(msgspec.Struct):
    code: int | str = 0
    message: str = ""


class _Errors(msgspec.Struct):
    errors: list[_Error]


def interpret(answer: Answer) -> PlatformError | None:
    """The error an answer stands for, or None where it carries no word of PrestaShop's own."""
    if 300 <= answer.status < 400:
        return SettingsInvalid(
            "The shop sends us to another address.",
            remedy=(
                "Enter exactly the main address of the shop, with https or http and with or without www as its own pages "
                "show it; in an installation of several shops, check the shop number too."
            ),
        )
    found = errors_in(answer.body)
    codes = [code for code, _ in found]
    if not found:
        return _without_code(answer)
    told = "; ".join(message for code, message in found if code != _PHP_WARNING) or found[0][1]
    return _access(answer.status, codes, told) or _request(answer.status, codes, told)


def errors_in(body: bytes) -> list[tuple[int, str]]:
    """The codes and messages of an error list, XML or JSON; empty where the body is none."""
    if body.lstrip()[:1] == b"{":
        try:
            errors = msgspec.json.decode(body, type=_Errors).errors
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        found = [(str(error.code), error.message) for error in errors]
    else:
        found = [
            (code.decode(), message.decode("utf-8", "replace")) for code, message in _XML_ERROR.findall(body[:200_000])
        ]
    return [(int(code), _plain(message)) for code, message in found if code.isdecimal() and len(code) < 7]


def _without_code(answer: Answer) -> PlatformError | None:
    body = answer.body.strip()
    is_page = "html" in answer.headers.get("content-type", "") and body[:1] == b"<"
    match answer.status:
        case 401:
            return CredentialsRejected(
                "The shop did not see our key: its web server holds back the sign-in of every request.",
                remedy=(
                    "Ask the host of the shop to pass the Authorization header on to PHP: 'CGIPassAuth On', or "
                    "'SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1' in the file .htaccess."
                ),
            )
        case 404 if is_page:
            return SettingsInvalid(
                "There is no PrestaShop webservice at this address.",
                remedy=f"Check the address, and that friendly URLs and the webservice are switched on ({_KEY_PAGE}).",
            )
        case 404 if not body:
            return NotFound("The shop has no such record.", status=404)
        case 500 if not body:
            return Unavailable("The shop broke off with a fatal error of PHP (500 without a word).")
        case _:
            return None


def _access(status: int, codes: list[int], told: str) -> PlatformError | None:
    """Everything a person has to set right before anything can go on."""
    first = codes[0]
    if status == 503 and 22 in codes:
        return SettingsInvalid(
            "The webservice of the shop is switched off.",
            remedy=f"Switch it on: {_KEY_PAGE}, 'Enable PrestaShop's webservice'.",
        )
    if status == 401 and first in {17, 18, 20}:
        what = (
            "is unknown to the shop, or switched off" if first == 20 else "does not have the form of a webservice key"
        )
        return CredentialsRejected(
            f"The key {what}.", remedy=f"Copy the key from {_KEY_PAGE}, and see that it is enabled."
        )
    if status == 401 and first == 21:
        return PermissionMissing("The key has no rights at all.", remedy=f"Tick the rights of the key: {_KEY_PAGE}.")
    if (status, first) in {(401, 26), (405, 25)}:
        return PermissionMissing(f"The key lacks a right: {told}", remedy=f"Tick this right of the key: {_KEY_PAGE}.")
    if 132 in codes:
        return PermissionMissing(
            "The key may not be used for this shop.",
            remedy=f"Add the shop to the key: {_KEY_PAGE}, 'Shop association'.",
        )
    if 999 in codes:
        return SettingsInvalid("The shop's group holds no shop.", remedy="Check the shop number.")
    if first in _LANGUAGE:
        return SettingsInvalid(
            f"The shop has no such language: {told}",
            remedy="Choose one of the shop's active languages, or leave it empty.",
        )
    return None


def _request(status: int, codes: list[int], told: str) -> PlatformError:
    first = codes[0]
    if set(codes) == {_PHP_WARNING}:
        # may pass, and may even follow a change that was made: the door looks before it sends a change again
        return Unavailable(f"The shop stumbled over a fault in its own program: {told[:200]}")
    if {46, 133} <= set(codes):
        return RequestRefused(
            "This stock is kept by PrestaShop's advanced stock management, which refuses changes from outside. Switch it off "
            "for the product in the back office of the shop.",
            status=status,
            remote_code="133",
        )
    if status == 404 or {87, 92, 131} & set(codes):
        return NotFound(f"The shop has no such record: {told}", status=status, remote_code=str(first))
    code = next((code for code in codes if code in _QUESTION), first)
    return RequestRefused(f"The shop refused: {told[:500]}", status=status, remote_code=str(code))


def _plain(message: str) -> str:
    """Messages are escaped for a web page."""
    return " ".join(html.unescape(message).replace("\0", "").split())[:1000]
