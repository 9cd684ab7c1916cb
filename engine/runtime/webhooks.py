"""Takes webhooks: verifies, stores, requests an execution – nothing more.

A delivery is a hint that something changed. What it says of it is not used: deliveries come late, twice and in any order.
The execution fetches the current state.

Whoever cannot prove to be the system learns nothing: an unknown integration, one without webhooks, a wrong signature and an
old one are answered alike, after the same reading and the same hashing.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import structlog

from domain.errors import PlatformError, RecordProblem, RemoteContractError, TransientError, UserError
from engine.connector import Connector
from engine.runtime import executions, opening
from engine.runtime.platform import Platform
from engine.security import signatures
from engine.webhook import Delivery, NotGenuine, Webhook
from storage.database import Conflict, Unit
from storage.queries import feeds, integrations, webhooks
from storage.queries.webhooks import Kept
from storage.rows import Integration, Trigger

log = structlog.get_logger()

LARGEST_BODY = 1_000_000
"""Bytes. Whoever speaks HTTP should stop reading a body just beyond it."""

_NAME = re.compile(r"[a-z0-9_-]{1,60}")
_LONGEST_TEXT = 200
_MOST_IDS = 100
_KEEP_FOR = timedelta(days=90)
"""Systems repeat a delivery for days; one that has no signed moment could be replayed once it is forgotten."""
_COME_BACK_SECONDS = 5
_ROUNDING = 1e-6
_NOBODY = 0
"""No integration has this id: what is read for it is nothing, and refusals are counted under it."""
_DECOY = secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many deliveries are let in: ``burst`` at once, and one more every ``seconds``."""

    seconds: float
    burst: int


DELIVERIES = Rate(seconds=0.1, burst=600)
"""Of one integration."""
REFUSALS = Rate(seconds=1.0, burst=60)
"""Of all integrations together, known and unknown: a flood aimed at one tells nothing of it, and never keeps out the genuine."""


@dataclass(frozen=True, slots=True)
class Received:
    """What to answer: 202 stored, 200 stored before, 401 not genuine, 413 too large, 429 too many, 400 genuine but not
    readable, 503 not stored. The answer has no body, and a ``Retry-After`` where ``retry_after`` (seconds) is not 0.
    """

    status: int
    retry_after: int = 0
    executions: tuple[int, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


def receive(platform: Platform, integration_name: str, headers: Mapping[str, str], body: bytes) -> Received:
    """Take one delivery and say what to answer. ``headers`` and ``body`` are as they arrived: the body's very bytes.

    Nothing is stored or queued unless the status is 202.
    """
    if len(body) > LARGEST_BODY:
        return Received(413)
    try:
        return _receive(platform, integration_name, headers, body)
    except (TransientError, Conflict) as error:
        log.warning("webhook_not_stored", code=error.code, detail=error.detail)
        return Received(503, retry_after=_COME_BACK_SECONDS)


def _receive(platform: Platform, name: str, headers: Mapping[str, str], body: bytes) -> Received:
    known_name = name if _NAME.fullmatch(name) else ""
    integration, now = platform.database.read(lambda unit: (integrations.find(unit, known_name), unit.now))
    try:
        webhook, settings = _opened(platform, integration, body)
        delivery = _verified(webhook, settings, headers, body, now=now)
        assert integration is not None  # else it was refused
        return _take(platform, integration, webhook, delivery)
    except NotGenuine as error:
        return _refuse(platform, integration, error.message)
    except (RemoteContractError, RecordProblem) as error:
        assert integration is not None  # what cannot be read was signed for one
        log.warning("webhook_unreadable", integration=integration.name, code=error.code)
        return Received(400)


def _opened(platform: Platform, integration: Integration | None, body: bytes) -> tuple[Webhook, Any]:
    """How the integration's webhooks are verified, with its settings. Raises ``NotGenuine``, later rather than sooner."""
    connector: Connector | None = None
    try:
        if integration is not None:
            connector = platform.registry.connector(integration.connector)
        if integration is not None and connector is not None and connector.webhook is not None:
            return connector.webhook, opening.read_settings(platform, integration, connector)
        platform.database.read(lambda unit: integrations.secrets_of(unit, _NOBODY))
    except (TransientError, Conflict):
        raise
    except PlatformError as error:
        log.warning("webhook_without_settings", code=error.code)
    signatures.sign(body, key=_DECOY)
    raise NotGenuine("Nobody takes webhooks under this name.")


def _verified(
    webhook: Webhook,
    settings: Any,  # noqa: ANN401 - the connector's own model
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
) -> Delivery:
    try:
        delivery = webhook.verify(body, {name.lower(): value for name, value in headers.items()}, settings)
        is_old = delivery.sent_at is not None and abs(now - delivery.sent_at) > webhook.window
    except PlatformError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a hostile body does to a connector, it is answered as a forgery
        log.warning("webhook_verification_broke", kind=type(error).__name__)  # its text may hold what was sent
        raise NotGenuine("It could not be verified.") from None
    if not delivery.id:
        raise NotGenuine("It has no id.")
    if is_old:
        raise NotGenuine("It was signed too long ago, or in the future.")
    return delivery


def _take(platform: Platform, integration: Integration, webhook: Webhook, delivery: Delivery) -> Received:
    delivery_id = _stored_form(delivery.id)
    if platform.database.read(lambda unit: webhooks.is_known(unit, integration.id, delivery_id=delivery_id)):
        return Received(200)
    received = platform.database.write(
        lambda unit: _store(unit, integration, webhook, delivery, delivery_id=delivery_id)
    )
    platform.dispatcher.ring(received.executions)
    if received.status == 202:
        log.info("webhook_stored", integration=integration.name, executions=received.executions)
    return received


def _store(unit: Unit, integration: Integration, webhook: Webhook, delivery: Delivery, *, delivery_id: str) -> Received:
    """One transaction: the delivery, and the executions it asks for."""
    wait = _spend(unit, integration.id, DELIVERIES)
    if wait:
        return Received(429, retry_after=ceil(wait))
    kept = webhooks.keep(
        unit,
        integration.id,
        delivery_id=delivery_id,
        proof=signatures.fingerprint(delivery.signed) if delivery.signed else None,
        topic=_stored_form(delivery.topic),
        ids=delivery.ids[:_MOST_IDS],
        sent_at=delivery.sent_at,
    )
    if kept is Kept.REPLAYED:
        raise NotGenuine("It was delivered before under another id.")
    if kept is Kept.REPEATED:
        return Received(200)
    flows = webhook.topics.get(delivery.topic, ())
    execution_ids = tuple(
        execution_id for flow in flows for execution_id in _request(unit, integration, flow=flow, ids=delivery.ids)
    )
    webhooks.note_executions(unit, integration.id, delivery_id=delivery_id, execution_ids=execution_ids)
    webhooks.forget(unit, integration.id, older_than=_KEEP_FOR)
    return Received(202, executions=execution_ids)


def _request(unit: Unit, integration: Integration, *, flow: str, ids: tuple[str, ...]) -> list[int]:
    """Ask for what the delivery hints at. What is switched off or paused stays so; its next run finds the change itself."""
    feed = feeds.find(unit, integration.id, flow=flow)
    if feed is None:
        return []
    scope = {"ids": sorted(set(ids))} if 0 < len(ids) <= _MOST_IDS else None
    try:
        return [executions.place(unit, feed.id, trigger=Trigger.WEBHOOK, scope=scope).execution_id]
    except UserError:
        log.info("webhook_only_stored", integration=integration.name, flow=flow)
        return []


def _refuse(platform: Platform, integration: Integration | None, reason: str) -> Received:
    wait = platform.database.write(lambda unit: _spend(unit, _NOBODY, REFUSALS))
    if wait:
        return Received(429, retry_after=ceil(wait))
    log.warning("webhook_refused", integration=integration.name if integration is not None else "", reason=reason)
    return Received(401)


def _spend(unit: Unit, integration_id: int, rate: Rate) -> float:
    """Take a place in a budget: 0.0, or the seconds until there is one again."""
    now, room = unit.now.timestamp(), rate.seconds * rate.burst
    spent = webhooks.spent_until(unit, integration_id)
    is_plausible = (
        now < spent <= now + room + _ROUNDING
    )  # spent further ahead: the clock was set back, and it is no measure
    until = (spent if is_plausible else now) + rate.seconds
    wait = until - now - room
    if wait > _ROUNDING:
        return wait
    webhooks.spend(unit, integration_id, until=until)
    return 0.0


def _stored_form(text: str) -> str:
    """The text itself, or its fingerprint where it is none that a database can hold or people can read."""
    if len(text) <= _LONGEST_TEXT and text.isprintable():
        return text
    return signatures.fingerprint(text.encode("utf-8", "surrogatepass")).hex()
