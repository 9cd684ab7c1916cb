"""One shop while it is worked with: how it is spoken to, what it is set to, and what was read of it so far."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.prestashop.client.dialect import CONFIGURATIONS, CURRENCIES, LANGUAGES, Speech, fields, one_of
from connectors.prestashop.client.marks import Outlook
from connectors.prestashop.client.rescue import rescue
from connectors.prestashop.client.rows import Broken, ConfigurationRow
from connectors.prestashop.client.tables import NotWellFormed, Table
from connectors.prestashop.settings import PrestaShopSettings
from domain import clock
from domain.errors import SettingsInvalid, UnexpectedFormat
from engine.connector import Answer, Door, Format, Request

Row = TypeVar("Row")
Value = TypeVar("Value")

CANCELLED = ("PS_OS_CANCELED", "PS_OS_REFUND")
"""The states that mean an order is not to be sent any more."""

_STATES = {
    "PS_OS_CANCELED": "6",
    "PS_OS_REFUND": "7",
    "PS_OS_ERROR": "8",
    "PS_OS_SHIPPING": "4",
    "PS_OS_COD_VALIDATION": "13",
}
"""The states a fresh shop has, for shops whose configuration lost one."""

_NAMES = (
    "PS_TIMEZONE",
    "PS_LANG_DEFAULT",
    "PS_CURRENCY_DEFAULT",
    "PS_WEIGHT_UNIT",
    "PS_SHOP_NAME",
    "PS_SHOP_DEFAULT",
    *_STATES,
)


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What the shop is set to. ``version`` is (8, 2, 1); ``states`` are the ids of the states PrestaShop itself knows."""

    version: tuple[int, ...]
    time_zone: str
    zone: tzinfo
    language_id: str
    currency_id: str
    weight_unit: str
    name: str
    default_shop_id: int
    states: Mapping[str, str]
    seen_at: datetime

    @property
    def cancelled_states(self) -> frozenset[str]:
        """Canceled and Refunded."""
        return frozenset(self.states[name] for name in CANCELLED)


@dataclass(eq=False)
class Account:
    """The door, the settings and the facts, read when needed; ``once`` keeps what was read until the execution ends."""

    door: Door
    settings: PrestaShopSettings
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def facts(self) -> ShopFacts:
        """What the shop is set to: one request, two where the language is given by its code."""
        return self.once("facts", lambda: _read_facts(self.door, self.settings))

    @property
    def outlook(self) -> Outlook:
        """What questions depend on: as assumed, else by the facts."""
        return self.once("outlook", lambda: _outlook(self.facts))

    @property
    def speech(self) -> Speech:
        """How requests are put."""
        return self.once("speech", lambda: _speech(self.settings, self.outlook.language_id))

    def assume(self, outlook: Outlook) -> None:
        """Ask by this until the facts are needed, unless they are known already."""
        with self._lock:
            if "outlook" not in self._kept:
                self._kept["outlook"] = outlook

    def is_as_assumed(self) -> bool:
        """Look whether the shop is set as it was assumed to be; what is asked from now on is asked by the facts."""
        with self._lock:
            assumed, found = self.outlook, _outlook(self.facts)
            self._kept["outlook"] = found
            if assumed.agrees(found):
                return True
            self._kept.pop("speech", None)
            return False

    @property
    def shop_id(self) -> int:
        """The shop worked with: the one chosen, or the shop's only one."""
        return self.settings.shop_id or self.facts.default_shop_id

    @property
    def currency(self) -> str:
        """The ISO code of the currency prices are in."""
        return self.once("currency", self._read_currency)

    def once(self, name: str, make: Callable[[], Value]) -> Value:
        """What ``make`` gave the first time."""
        kept = self._kept.get(name)  # without the lock: asked for with every record
        if kept is None:
            with self._lock:
                kept = self._kept[name] = self._kept[name] if name in self._kept else make()
        return cast(Value, kept)

    def rows(self, table: Table[Row], request: Request, answer: Answer) -> list[Row | Broken]:
        """The rows of an answer, read another way where its XML is broken."""
        try:
            return table.rows(answer.body, answers=request.operation.answers, language=self.speech.language)
        except NotWellFormed:
            return rescue(self.door, self.speech, table, request)

    def read(self, table: Table[Row], request: Request) -> list[Row | Broken]:
        """Send a list request, and its rows."""
        return self.rows(table, request, self.door.send(request))

    def read_sound(self, table: Table[Row], request: Request) -> list[Row]:
        """As ``read``, for lists that are no use with a row missing."""
        return table.sound(self.read(table, request))

    def _read_currency(self) -> str:
        wanted = self.facts.currency_id
        request = self.speech.listing("currencies", display=fields("id", "iso_code"), filters={"id": one_of([wanted])})
        codes = [str(row.iso_code or "").upper() for row in self.read_sound(CURRENCIES, request)]
        if not codes or len(codes[0]) != 3:
            raise UnexpectedFormat(f"The shop's own currency, number {wanted}, is not among its currencies.")
        return codes[0]


def open_account(door: Door, settings: PrestaShopSettings) -> Account:
    """Asks for nothing yet."""
    return Account(door, settings)


def _speech(settings: PrestaShopSettings, language_id: str = "") -> Speech:
    return Speech(answers=Format(settings.format.value), language=language_id, shop_id=settings.shop_id)


def _outlook(facts: ShopFacts) -> Outlook:
    return Outlook(facts.time_zone, facts.language_id, facts.version, facts.seen_at)


def _read_facts(door: Door, settings: PrestaShopSettings) -> ShopFacts:
    speech = _speech(settings)
    request = speech.listing(
        "configurations",
        display=fields("id", "name", "value", "id_shop", "id_shop_group"),
        filters={"name": one_of(_NAMES)},
    )
    answer = door.send(request)
    rows = CONFIGURATIONS.sound(CONFIGURATIONS.rows(answer.body, answers=speech.answers))
    values = _values(rows, settings.shop_id)
    if "PS_TIMEZONE" not in values:  # every shop has one: an answer without is not the shop's true answer
        raise UnexpectedFormat("The shop told none of its settings, not even its time zone.")
    zone_name = values["PS_TIMEZONE"]
    return ShopFacts(
        version=parse_version(answer.headers.get("psws-version", "")),
        time_zone=zone_name,
        zone=_zone(zone_name),
        language_id=_language(door, settings, speech, values.get("PS_LANG_DEFAULT", "")),
        currency_id=values.get("PS_CURRENCY_DEFAULT", "1"),
        weight_unit=values.get("PS_WEIGHT_UNIT", "kg").strip().lower(),
        name=values.get("PS_SHOP_NAME", ""),
        default_shop_id=int(values["PS_SHOP_DEFAULT"]) if values.get("PS_SHOP_DEFAULT", "").isdecimal() else 1,
        states={name: values.get(name) or default for name, default in _STATES.items()},
        seen_at=clock.now(),
    )


def parse_version(text: str) -> tuple[int, ...]:
    """``8.2.1`` as numbers; empty where the shop does not tell (``0`` before the key was accepted)."""
    parts = text.split(".")
    return tuple(int(part) for part in parts) if len(parts) > 1 and all(part.isdecimal() for part in parts) else ()


def server_time(answer: Answer) -> datetime | None:
    """The shop's own clock when it began to answer; None where something on the way took the header off."""
    text = answer.headers.get("access-time", "").partition(".")[0]
    return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() and len(text) <= 11 else None


def _values(rows: list[ConfigurationRow], shop_id: int | None) -> dict[str, str]:
    """A setting may be given for all, for a group or for one shop; the closest counts."""
    ranked: dict[str, tuple[int, str]] = {}
    for row in rows:
        shop, group = str(row.id_shop or "0"), str(row.id_shop_group or "0")
        if shop not in {"0", str(shop_id)}:
            continue
        rank = 3 if shop != "0" else 2 if group == "0" else 1
        name = str(row.name or "")
        if rank > ranked.get(name, (0, ""))[0]:
            ranked[name] = (rank, str(row.value if row.value is not None else ""))
    return {name: value for name, (_, value) in ranked.items()}


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsInvalid(
            f"The shop's time zone, '{name[:60]}', is not known, so its dates cannot be understood.",
            remedy="Choose the time zone in the shop under International > Localization.",
        ) from None


def _language(door: Door, settings: PrestaShopSettings, speech: Speech, default: str) -> str:
    wanted = settings.language
    if not wanted or wanted.isdecimal():
        return wanted or default
    request = speech.listing("languages", display=fields("id", "iso_code"))
    for row in LANGUAGES.sound(LANGUAGES.rows(door.send(request).body, answers=speech.answers)):
        if str(row.iso_code or "").lower() == wanted:
            return str(row.id)
    raise SettingsInvalid(
        f"The shop has no language '{wanted}'.",
        remedy="Choose one of the shop's active languages, or leave the language empty.",
    )
