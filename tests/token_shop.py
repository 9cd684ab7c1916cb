"""A small shop whose access tokens expire and whose refresh tokens rotate, and its connector."""

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, SecretStr

from domain.records import Order, Product, StockLevel
from engine.connector import Check, Connector, Door, Format, Limits, Probe, SignIn, reads, writes
from engine.connector import Request as Ask
from engine.flow import Direction, Export, Flow, Import
from engine.http.decoding import decode_json
from engine.registry import Registry
from engine.runtime import opening
from engine.runtime.platform import Platform
from engine.runtime.run import Run
from engine.security.secrets import KeyRing
from engine.settings import Settings
from engine.simulation.exchange import Change, Request, Response
from storage.database import Database, Unit
from storage.queries import feeds, integrations
from storage.rows import Feed, Mode
from storage.tables import installation

KEYS = KeyRing([bytes(32)])
ITEM = reads("read_item", answers=Format.JSON)
SET = writes("set_stock", "PUT")
TOKEN = reads("renew_sign_in", "POST", answers=Format.JSON)
ITEMS, ORDERS, LEVELS = "import_items", "import_orders", "export_levels"
CANARY = "canary-7f3a"


class TokenSettings(BaseModel):
    """``items`` is how many requests a run makes; ``dies`` kills the process that holds the shop's new tokens unstored."""

    base_url: str
    items: int = 3
    token_url: str = ""
    dies: bool = False
    access_token: SecretStr
    refresh_token: SecretStr
    client_secret: SecretStr = SecretStr(f"{CANARY}-client")


@dataclass
class TokenShop:
    """``asked`` are the answers its token address gave, ``used`` the access tokens it was shown.

    ``accepts_former``: a refresh token is good for once more after it was used.
    """

    accepts_former: bool = False
    refuses_everything: bool = False
    refuses_renewal: bool = False
    forbids_renewal: bool = False
    number: int = 1
    is_expired: bool = False
    asked: list[int] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    token_body: Callable[[bytes], bytes] = lambda body: body
    on_use: Callable[[str], None] = lambda _token: None

    name = "token_shop"
    faults = ()
    life = None

    @property
    def access_token(self) -> str:
        """The one that is good now."""
        return f"{CANARY}-access-{self.number}"

    @property
    def refresh_token(self) -> str:
        """The one that is good now."""
        return f"{CANARY}-refresh-{self.number}"

    def started(self, url: str) -> None:
        """Nothing depends on the address."""

    def describe(self) -> dict[str, object]:
        """Nothing."""
        return {}

    def empty(self, request: Request) -> Response:
        """Nothing."""
        return Response(200, b"{}", (("Content-Type", "application/json"),))

    def respond(self, request: Request) -> Response:
        """The token address, or anything else for those signed in."""
        if request.path == "/token":
            response = self._token(dict(parse_qsl(request.body.decode())))
            self.asked.append(response.status)
            return response
        token = request.header("authorization").removeprefix("Bearer ")
        self.used.append(token)
        if token != self.access_token or self.is_expired or self.refuses_everything:
            return Response(401, json.dumps({"error": f"expired: {token}"}).encode())
        self.on_use(token)
        changes = (Change("stock", request.path, "updated"),) if request.method == "PUT" else ()
        return Response(200, b'{"id":1}', (("Content-Type", "application/json"),), changes=changes)

    def _token(self, form: Mapping[str, str]) -> Response:
        if self.forbids_renewal:
            return Response(403, " ".join(form.values()).encode())
        good = {self.refresh_token} | ({f"{CANARY}-refresh-{self.number - 1}"} if self.accepts_former else set())
        if self.refuses_renewal or form["refresh_token"] not in good:
            return Response(400, b'{"error":"invalid_grant"}')
        self.number += 1
        self.is_expired = False
        body = json.dumps({"access_token": self.access_token, "refresh_token": self.refresh_token}).encode()
        return Response(200, self.token_body(body), (("Content-Type", "application/json"),))


def refresh(door: Door, settings: TokenSettings) -> dict[str, SecretStr]:
    """Both tokens, anew."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": settings.refresh_token.get_secret_value(),
        "client_secret": settings.client_secret.get_secret_value(),
    }
    answer = door.send(Ask(TOKEN, "/token", body=urlencode(form).encode()))
    if settings.dies:
        os.kill(os.getpid(), signal.SIGKILL)
    tokens = decode_json(answer.body, dict[str, str])
    return {name: SecretStr(tokens.get(name, "")) for name in ("access_token", "refresh_token")}


def sign_in(settings: TokenSettings) -> SignIn:
    """By bearer token."""
    token = settings.access_token.get_secret_value()
    return SignIn(settings.base_url, {"Authorization": f"Bearer {token}"}, (token,))


def probe(door: Door, _settings: TokenSettings) -> Probe:
    """Read one item."""
    door.send(Ask(ITEM, "/items/1"))
    return Probe("Token shop", "1", (Check("answers", True, "It answers."),))


def connector(**changes: Any) -> Connector:
    """The shop's connector."""
    values: dict[str, Any] = {
        "name": "token_shop",
        "title": "Token shop",
        "settings": TokenSettings,
        "sign_in": sign_in,
        "open": lambda _door, _settings: None,
        "probe": probe,
        "interpret": lambda _answer: None,
        "reads": {},
        "limits": lambda _settings: Limits(concurrent=8),
        "refresh": refresh,
    }
    return Connector(**{**values, **changes})


def work(run: Run) -> None:
    """Read items ahead, in several threads."""
    requests = [Ask(ITEM, f"/items/{number}") for number in range(run.settings.items)]
    for _ in run.door.stream(requests):
        run.database.write(lambda unit: run.fence(unit, run.tally))
    run.tally = run.tally.plus(created=len(requests))


def write(run: Run) -> None:
    """Set one level."""
    run.door.send(Ask(SET, "/stock/1", body=b"{}"))


FLOWS = (
    Flow(name=ITEMS, title="Import items", direction=Direction.INBOUND, work=Import(kind=Product)),
    Flow(name=ORDERS, title="Import orders", direction=Direction.INBOUND, work=Import(kind=Order)),
    Flow(name=LEVELS, title="Export levels", direction=Direction.OUTBOUND, work=Export(kind=StockLevel)),
)


def a_platform(database: Database, given: Connector | None = None) -> Platform:
    """A process that knows the shop."""
    return Platform.of(
        database,
        registry=Registry.of(connectors=[given or connector()], flows=FLOWS),
        settings=Settings(allow_private_addresses=True),
        keys=KEYS,
        works={Import: work, Export: write},
    )


def an_integration(database: Database, shop: TokenShop, **settings: object) -> list[Feed]:
    """The shop, connected with the tokens that are good now, in production; its feeds in the order of ``FLOWS``."""

    def connect(unit: Unit) -> list[Feed]:
        integration_id = integrations.insert(
            unit, name="shop", connector="token_shop", time_zone="UTC", settings=settings, rulebook={}
        )
        integrations.change(unit, integration_id, mode=Mode.PRODUCTION)
        keep(unit, integration_id, access_token=shop.access_token, refresh_token=shop.refresh_token)
        unit.connection.execute(
            installation.insert().values(id=1, fingerprint="here", confirmed_at=unit.now, confirmed_by="ada")
        )
        feeds.insert(unit, integration_id, flows={flow.name: True for flow in FLOWS})
        found = [feeds.find(unit, integration_id, flow=flow.name) for flow in FLOWS]
        for feed in found:
            assert feed is not None
            feeds.change(unit, feed.id, is_live=True)
        return [feed for feed in found if feed is not None]

    return database.write(connect)


def keep(unit: Unit, integration_id: int, **tokens: str) -> None:
    """Store secrets, as a person's change of settings does."""
    for name, token in tokens.items():
        text = KEYS.encrypt(token, place=opening.secret_place(integration_id, name))
        integrations.keep_secret(unit, integration_id, name=name, ciphertext=text)


def stored(database: Database, integration_id: int) -> dict[str, str]:
    """The secrets as they are stored, decrypted."""
    found = database.read(lambda unit: integrations.secrets_of(unit, integration_id))
    return {name: KEYS.decrypt(text, place=opening.secret_place(integration_id, name)) for name, text in found.items()}


LEASE = timedelta(seconds=60)
