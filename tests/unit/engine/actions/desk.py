"""Where a person sits: a platform with one connectable shop, whose executions are worked on at once, in this thread."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr, field_validator

from domain.errors import CredentialsRejected, PlatformError
from domain.records import Order, Product, StockLevel
from engine.actions import feeds, integrations
from engine.actions.platform import WORKS
from engine.connector import Check, Choice, Connector, Limits, Probe, SignIn
from engine.registry import Registry
from engine.runtime import worker
from engine.runtime.executions import Requested
from engine.runtime.platform import Platform
from engine.runtime.production import installation
from engine.security.secrets import KeyRing
from engine.settings import Settings
from storage.database import Database
from storage.queries import audit, executions
from storage.queries.audit import AuditRow
from storage.rows import Execution
from tests.telling_shop import TellingShop

KEY = "open sesame"
NAME = "corner"
PERSON = "ada"
SECRET = KeyRing([bytes(range(32))])
GOOD = Check("rights", passed=True, message="The key has every right.")


class KeyedSettings(BaseModel):
    """An address and a key."""

    url: str = Field(title="Address")
    key: SecretStr = Field(title="Key", description="Printed on the till")
    page_size: int = Field(default=10, ge=1)
    note: str = ""

    @field_validator("note")
    @classmethod
    def _is_polite(cls, value: str) -> str:
        if value == "rude":
            raise ValueError("Say it politely.")
        return value


@dataclass
class KeyedShop(TellingShop):
    """A telling shop that asks for a key, and tells in its probe what can be mapped."""

    found: Probe = field(
        default_factory=lambda: Probe(
            title="The Corner",
            version="2",
            checks=(GOOD,),
            time_zone="Europe/Paris",
            clock_offset=timedelta(0),
            statuses=(Choice("2", "Payment accepted", "import"), Choice("77", "Strange")),
            shipping_methods=(Choice("2", "My carrier"), Choice("9", "Pigeon")),
            payment_methods=(Choice("Bank wire", "Bank wire", "when_paid"),),
        )
    )
    is_down: PlatformError | None = None
    keys_seen: list[str] = field(default_factory=list)

    def connector(self) -> Connector:
        """Signs in with the key."""
        return replace(
            super().connector(),
            settings=KeyedSettings,
            sign_in=lambda settings: SignIn(base_url=settings.url, secrets=(settings.key.get_secret_value(),)),
            probe=self._probe,
            limits=lambda settings: Limits(page_size=settings.page_size),
        )

    def _probe(self, _door: object, settings: KeyedSettings) -> Probe:
        self.keys_seen.append(settings.key.get_secret_value())
        if self.is_down is not None:
            raise self.is_down
        return self.found


@dataclass
class Desk:
    """``run`` does what “run now” and a worker do together."""

    platform: Platform
    shop: KeyedShop

    @property
    def database(self) -> Database:
        """The hub's."""
        return self.platform.database

    def add(self, name: str = NAME, **more: Any) -> integrations.Added:
        """Connect the shop."""
        values = {"url": "http://127.0.0.1:9009", "key": KEY, **more.pop("values", {})}
        return integrations.add(self.platform, "corner_shop", name=name, values=values, person=PERSON, **more)

    def run(self, flow: str, **more: Any) -> Execution:
        """Run a flow of the shop to its end."""
        return self.work(feeds.run_now(self.platform, f"{NAME}/{flow}", person=PERSON, **more))

    def work(self, *requests: Requested) -> Execution:
        """Work on what was asked for; returns how the last of it ended."""
        for requested in requests:
            worker.run_execution(self.platform, requested.execution_id)
        found = self.database.read(lambda unit: executions.get(unit, requests[-1].execution_id))
        assert found is not None
        return found

    def fill(self, *records: Product | Order | StockLevel) -> None:
        """Put records on the shop's shelves."""
        self.shop.put(*records)

    @property
    def audit(self) -> list[AuditRow]:
        """What people did, newest first."""
        return self.database.read(audit.latest)

    @property
    def actions(self) -> Sequence[str]:
        """The names of what people did, oldest first."""
        return [row.action for row in reversed(self.audit)]


def refused() -> CredentialsRejected:
    """What a wrong key gives."""
    return CredentialsRejected("The shop refused the key.", remedy="Enter another key.")


@contextmanager
def open_desk(database: Database, folder: Path) -> Iterator[Desk]:
    """A desk on a database with empty tables."""
    shop = KeyedShop()
    settings = Settings(data_folder=folder, allow_private_addresses=True)
    registry = Registry.of(connectors=[shop.connector()])
    platform = Platform.of(database, registry=registry, settings=settings, keys=SECRET, works=WORKS)
    installation.recognise(database)
    try:
        yield Desk(platform, shop)
    finally:
        platform.dispatcher.close()
