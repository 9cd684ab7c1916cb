"""A corner shop that sends webhooks, signed in either of two ways, and a hub that takes them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
from pydantic import BaseModel, SecretStr

from domain.rulebook import Rulebook
from engine.connector import Connector
from engine.flow import Import
from engine.http.decoding import decode_json
from engine.registry import Registry
from engine.runtime import opening
from engine.runtime.inbound import importer
from engine.runtime.platform import Platform
from engine.runtime.webhooks import Received, receive
from engine.security.secrets import KeyRing
from engine.security.signatures import Spelling, demand_signed, sign
from engine.settings import Settings
from engine.simulation.exchange import Request, Response
from engine.webhook import Delivery, NotGenuine, Webhook
from storage.database import Database, Unit
from storage.queries import feeds, integrations
from tests.builders import NOON
from tests.corner_shop import CornerShop

KEY, NEXT_KEY = "canary-key-51c9", "canary-next-51c9"
KEYS = KeyRing([bytes(32)])
CREATED, UPDATED, UNHEARD = "product/created", "product/updated", "gift/unwrapped"
TOPICS = {CREATED: ("import_new_products",), UPDATED: ("update_products", "dance"), "suppliers": ("import_suppliers",)}


class RingSettings(BaseModel):
    """``next_key`` is there while the key is being replaced."""

    webhook_key: SecretStr
    next_key: SecretStr = SecretStr("")


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a delivery."""

    id: str
    topic: str
    ids: list[str]
    state: str = ""


def verify_stamped(body: bytes, headers: Mapping[str, str], settings: RingSettings) -> Delivery:
    """Moment and body are signed; several signatures while the sender replaces its key. The id is in the body."""
    parts = [part.partition("=") for part in headers.get("x-signature", "").split(",")]
    moment = next((value for name, _, value in parts if name == "t"), "")
    demand_signed(
        f"{moment}.".encode() + body,
        signatures=[value for name, _, value in parts if name == "v1"],
        keys=_keys(settings),
    )
    note = decode_json(body, Note)
    return Delivery(note.id, note.topic, tuple(note.ids), sent_at=datetime.fromtimestamp(int(moment), UTC))


def verify_bare(body: bytes, headers: Mapping[str, str], settings: RingSettings) -> Delivery:
    """Only the body is signed: neither the moment nor the id and topic, which are headers."""
    demand_signed(body, signatures=[headers.get("x-signature", "")], keys=_keys(settings), spelling=Spelling.BASE64)
    note = decode_json(body, Note)
    return Delivery(headers.get("x-id", ""), headers.get("x-topic", ""), tuple(note.ids), signed=body)


def verify_carelessly(body: bytes, headers: Mapping[str, str], settings: RingSettings) -> Delivery:
    """Looks at what was sent before it is known to be genuine."""
    raise NotGenuine(str(int(headers["x-signature"])))


def _keys(settings: RingSettings) -> list[str]:
    return [settings.webhook_key.get_secret_value(), settings.next_key.get_secret_value()]


STAMPED, BARE = Webhook(verify_stamped, TOPICS), Webhook(verify_bare, TOPICS)


def connector(shop: CornerShop, webhook: Webhook | None = STAMPED) -> Connector:
    """The corner shop's, with webhooks."""
    return replace(shop.connector(), settings=RingSettings, webhook=webhook)


def a_platform(database: Database, shop: CornerShop, webhook: Webhook | None = STAMPED) -> Platform:
    """A process that works on the real importer."""
    return Platform.of(
        database,
        registry=Registry.of(connectors=[connector(shop, webhook)]),
        settings=Settings(allow_private_addresses=True),
        keys=KEYS,
        works={Import: importer.run},
    )


def an_integration(database: Database, *, name: str = "corner", **secrets: str) -> int:
    """The shop, connected, every flow switched on, in test mode."""

    def connect(unit: Unit) -> int:
        integration_id = integrations.insert(
            unit,
            name=name,
            connector="corner_shop",
            time_zone="UTC",
            settings={},
            rulebook=msgspec.to_builtins(Rulebook(integration=name)),
        )
        for secret, text in ({"webhook_key": KEY} | secrets).items():
            place = opening.secret_place(integration_id, secret)
            integrations.keep_secret(unit, integration_id, name=secret, ciphertext=KEYS.encrypt(text, place=place))
        flows = ("import_new_products", "update_products")
        feeds.insert(unit, integration_id, flows=dict.fromkeys(flows, True))
        return integration_id

    return database.write(connect)


def a_note(delivery_id: str = "evt-1", *ids: str, topic: str = CREATED, state: str = "") -> bytes:
    """The body of a delivery, about product 1 unless told otherwise."""
    return json.dumps({"id": delivery_id, "topic": topic, "ids": list(ids or ("1",)), "state": state}).encode()


def stamped(body: bytes, *, keys: tuple[str, ...] = (KEY,), at: datetime = NOON) -> dict[str, str]:
    """The headers of a delivery signed with its moment."""
    moment = str(int(at.timestamp()))
    signatures = [f"v1={sign(f'{moment}.'.encode() + body, key=key)}" for key in keys]
    return {"X-Signature": ",".join([f"t={moment}", *signatures]), "Content-Type": "application/json"}


def bare(body: bytes, *, delivery_id: str = "hook-1", topic: str = CREATED) -> dict[str, str]:
    """The headers of a delivery whose body alone is signed."""
    return {"X-Signature": sign(body, key=KEY, spelling=Spelling.BASE64), "X-Id": delivery_id, "X-Topic": topic}


class Frame:
    """An HTTP frame around ``receive``: POST /webhooks/<integration>."""

    name = "frame"
    faults = ()
    life = None

    def __init__(self, platform: Platform) -> None:
        """Of this process."""
        self.platform = platform
        self.received: list[Received] = []

    def started(self, url: str) -> None:
        """Nothing depends on the address."""

    def describe(self) -> dict[str, object]:
        """Nothing."""
        return {}

    def empty(self, request: Request) -> Response:
        """Nothing."""
        return Response(200)

    def respond(self, request: Request) -> Response:
        """As the console answers."""
        received = receive(self.platform, request.path.rpartition("/")[2], request.headers, request.body)
        self.received.append(received)
        return Response(received.status, b"", tuple(received.headers.items()))
