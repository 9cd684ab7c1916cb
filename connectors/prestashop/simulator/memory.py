"""What a simulated installation remembers, and the three ways to change it."""

import random
import threading
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.prestashop.simulator.keys import AccessKey
from connectors.prestashop.simulator.resources import resources_at
from connectors.prestashop.simulator.schema import Resource, Row, Value
from connectors.prestashop.simulator.table import Table
from domain import clock
from engine.simulation.exchange import Change

DEFAULT_SHOP = 1
FIRST_WITH_PATCH = (8, 0)
DROPS_FALSY = (8, 0)
SLOW_WARNINGS = (1, 7, 8)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail the shop sent to a customer."""

    to: str
    template: str
    order: int
    text: str = ""


class Memory:
    """Tables, keys, mails and the clock of one installation. Every change is noted in ``changes`` while ``recording``."""

    def __init__(
        self, *, version: str = "8.2.1", timezone: str = "Europe/Paris", name: str = "Demo Shop", seed: int = 0
    ) -> None:
        """An installation without any data. ``timezone`` is PS_TIMEZONE; ``seed`` decides what is made up."""
        self.version_text = version
        self.version = tuple(int(part) for part in version.split("."))
        self.name = name
        self.zone = ZoneInfo(timezone)
        self.resources: dict[str, Resource] = resources_at(self.version)
        self.tables: dict[str, Table] = {one.name: Table(one) for one in self.resources.values()}
        self.keys: dict[str, AccessKey] = {}
        self.is_enabled = True
        self.own: dict[int, dict[int, Row]] = {}
        self.image_files: dict[tuple[int, int], bytes] = {}
        self.next_image = 1
        self.mails: list[Mail] = []
        self.changes: list[Change] = []
        self.recording = True
        self.fixed_now = ""
        self._last_numbers: dict[str, int] = {}
        self.extra_revision = 0
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
        self.lock = threading.RLock()

    @property
    def revision(self) -> int:
        """Grows with every change of anything that answers are made of."""
        return self.extra_revision + sum(table.revision for table in self.tables.values())

    @property
    def has_patch(self) -> bool:
        """PATCH exists since 8.0."""
        return self.version >= FIRST_WITH_PATCH

    @property
    def drops_falsy(self) -> bool:
        """Single entities lose their falsy fields in JSON since 8.0."""
        return self.version >= DROPS_FALSY

    @property
    def adds_warnings(self) -> bool:
        """List errors end in a PHP warning, and therefore a 500, on the PHP versions newer shops run on."""
        return self.version >= SLOW_WARNINGS

    def now(self) -> str:
        """The shop's local time, as PrestaShop writes it: without an offset. ``fixed_now`` stands in while a past is made up."""
        return self.fixed_now or self.local(clock.now())

    def next_number(self, name: str, field: str) -> int:
        """The number after the highest a field ever had; numbers are not given twice."""
        counter = f"{name}.{field}"
        if counter not in self._last_numbers:
            taken = (row.get(field, 0) for row in self.tables[name].rows.values())
            self._last_numbers[counter] = max((one for one in taken if isinstance(one, int)), default=0)
        self._last_numbers[counter] += 1
        return self._last_numbers[counter]

    def local(self, instant: datetime) -> str:
        """An instant as the shop writes it."""
        return instant.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def table(self, name: str) -> Table:
        """The rows of a resource."""
        return self.tables[name]

    def row(self, name: str, identity: int) -> Row:
        """An existing row; KeyError when there is none."""
        return self.tables[name].rows[identity]

    def value(self, name: str, identity: int, field: str) -> Value:
        """A field of an existing row."""
        table = self.tables[name]
        return table.value(table.rows[identity], field)

    def number(self, name: str, identity: int, field: str) -> int:
        """A field of an existing row, as a whole number."""
        value = self.value(name, identity, field)
        return int(value) if isinstance(value, int | str) and value != "" else 0

    def insert(self, name: str, row: Row) -> int:
        """Add a row, and note it."""
        identity = self.tables[name].insert(row)
        self._note(name, identity, "created", row)
        return identity

    def update(self, name: str, identity: int, changes: Row) -> None:
        """Change fields of a row, and note them."""
        self.tables[name].update(identity, changes)
        self._note(name, identity, "updated", changes)

    def delete(self, name: str, identity: int) -> None:
        """Remove a row, and note it."""
        self.tables[name].delete(identity)
        self._note(name, identity, "deleted", {})

    def send(self, mail: Mail) -> None:
        """Send a mail to a customer, and note it."""
        self.mails.append(mail)
        if self.recording:
            self.changes.append(
                Change("mails", str(mail.order), "sent", {"to": mail.to, "template": mail.template, "text": mail.text})
            )

    def shops(self) -> tuple[int, ...]:
        """The ids of all shops."""
        return tuple(self.tables["shops"].ids)

    def languages(self) -> tuple[int, ...]:
        """The ids of the active languages."""
        table = self.tables["languages"]
        return tuple(identity for identity in table.ids if table.value(table.rows[identity], "active"))

    def configuration(self, name: str) -> str:
        """A setting of the shop, or nothing."""
        rows = self.tables["configurations"].related("name", name)
        return str(rows[0].get("value", "")) if rows else ""

    def product_shops(self, product: int) -> frozenset[int]:
        """The shops a product is sold in."""
        return frozenset(self.own[product]) if product in self.own else frozenset({DEFAULT_SHOP})

    def set_own(self, product: int, shop: int, values: Row) -> None:
        """Set a shop's own values of a product, and put the product into that shop."""
        own = self.own.setdefault(product, {DEFAULT_SHOP: {}})
        own.setdefault(shop, {}).update(values)
        self.extra_revision += 1
        self._note("products", product, "updated", {"id_shop": shop, **values})

    def _note(self, name: str, identity: int, action: str, fields: Row) -> None:
        if self.recording:
            self.changes.append(Change(name, str(identity), action, dict(fields)))

    def take_changes(self) -> tuple[Change, ...]:
        """The changes noted since the last time, and forget them."""
        taken = tuple(self.changes)
        self.changes.clear()
        return taken
