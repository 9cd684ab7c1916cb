"""PrestaShop's checks of single values, by the names its schemas give them."""

import re
from collections.abc import Callable

from connectors.prestashop.simulator.compare import as_number
from connectors.prestashop.simulator.refusals import Refused
from connectors.prestashop.simulator.schema import Field, Resource

LARGEST_INT = 2_147_483_647
NAME_FORBIDS_DIGITS = r"[^0-9!<>,;?=+()@#\"°{}_$%:¤|]*"


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def _is_clean_html(text: str) -> bool:
    return not re.search(r"<\s*/?\s*(script|iframe|form|input|embed|object)|\son[a-z]+\s*=", text, re.IGNORECASE)


CHECKS: dict[str, Callable[[str], bool]] = {
    "isUnsignedId": _matches(r"\d+"),
    "isUnsignedInt": _matches(r"\d+"),
    "isPositiveInt": _matches(r"\d+"),
    "isInt": _matches(r"-?\d+"),
    "isBool": _matches(r"[01]"),
    "isFloat": _matches(r"-?\d+(\.\d+)?"),
    "isUnsignedFloat": _matches(r"\d+(\.\d+)?"),
    "isPrice": _matches(r"\d{1,10}(\.\d{1,9})?"),
    "isNegativePrice": _matches(r"-?\d{1,10}(\.\d{1,9})?"),
    "isReference": _matches(r"[^<>;={}]*"),
    "isEan13": _matches(r"\d{0,13}"),
    "isUpc": _matches(r"\d{0,12}"),
    "isIsbn": _matches(r"[\d-]{0,32}"),
    "isMpn": _matches(r"[\w .\-/]{0,40}"),
    "isCatalogName": _matches(r"[^<>;=#{}]*"),
    "isGenericName": _matches(r"[^<>={}]*"),
    "isLinkRewrite": _matches(r"[_a-zA-Z0-9\-]+"),
    "isCleanHtml": _is_clean_html,
    "isName": _matches(NAME_FORBIDS_DIGITS),
    "isCustomerName": _matches(NAME_FORBIDS_DIGITS),
    "isEmail": _matches(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]+"),
    "isPasswd": _matches(r".{5,255}"),
    "isAddress": _matches(r"[^!<>?=+@{}_$%]*"),
    "isCityName": _matches(r"[^!<>;?=+@#\"°{}_$%]*"),
    "isPostCode": _matches(r"[a-zA-Z 0-9\-]*"),
    "isPhoneNumber": _matches(r"[+0-9. ()/\-]*"),
    "isMessage": _matches(r"[^<>{}]*"),
    "isTrackingNumber": _matches(r"[~:#,%&_=()\[\].? +\-@/a-zA-Z0-9]+"),
    "isModuleName": _matches(r"[a-zA-Z0-9_\-]+"),
    "isMd5": _matches(r"[a-f0-9A-F]{32}"),
    "isProductVisibility": _matches(r"both|catalog|search|none"),
    "isDate": _matches(r"\d{4}-\d\d?-\d\d?( \d\d?:\d\d?:\d\d?)?"),
    "isDateFormat": _matches(r"\d{4}-\d\d?-\d\d?( \d\d?:\d\d?:\d\d?)?"),
}


def check_value(resource: Resource, field: Field, text: str) -> None:
    """Refused with 84 (translated fields) or 85. Empty values pass unless the field is required."""
    code = 84 if field.translated else 85
    if field.size and len(text) > field.size:
        raise _invalid(
            code,
            f"The length of property {resource.model}-&gt;{field.name} is currently {len(text)} chars. "
            f"It must be between 0 and {field.size} chars.",
        )
    if (resource.name, field.name) == ("stock_availables", "quantity"):
        _check_range(resource, field, text)
    check = CHECKS.get(field.check)
    if check is None or (text == "" and not field.required):
        return
    if not check(text):
        raise _invalid(code, f"Property {resource.model}-&gt;{field.name} is not valid")


def _check_range(resource: Resource, field: Field, text: str) -> None:
    """A text that is no number is out of range rather than invalid, as seen on a real shop."""
    number = int(as_number(text))
    is_text = text != "" and not re.match(r"\s*[-+]?\.?\d", text)
    if is_text or not -LARGEST_INT - 1 <= number <= LARGEST_INT:
        raise _invalid(
            85,
            f"The range of property {resource.model}-&gt;{field.name} is currently {number}. "
            f"It must be between {-LARGEST_INT - 1} and {LARGEST_INT}.",
        )


def _invalid(code: int, message: str) -> Refused:
    return Refused(400, code, f'Validation error: "{message}"')
