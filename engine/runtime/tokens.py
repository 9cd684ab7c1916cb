"""Renews an expired sign-in: once for all workers and processes, and stored before it is used.

The row ``renewals`` of an integration says who asks for new tokens. Whoever finds it taken waits, and takes what was stored.
A system that hands out a new refresh token forgets the old one: an answer that was lost is a sign-in that was lost, and only
a person can sign in again. That is tried once more all the same, since some systems keep the old one until the new is used.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from typing import Any

import structlog
from pydantic import SecretStr

from domain import clock
from domain.errors import (
    AttentionError,
    BrokenInvariant,
    CredentialsRejected,
    PlatformError,
    RateLimited,
    RemoteContractError,
    RequestRefused,
    TransientError,
    Unavailable,
    UnexpectedFormat,
)
from engine.connector import Connector, SignIn
from engine.http.budget import Budget
from engine.http.door import Traffic as Tried
from engine.runtime import opening
from engine.runtime.platform import Platform
from storage.database import Conflict, Unit
from storage.queries import integrations, renewals
from storage.queries.renewals import Renewal
from storage.rows import Integration

log = structlog.get_logger()

_LONGEST_TRY = 20.0
"""Seconds for one request for new tokens; the door repeats it until they are over."""
_LEASE = timedelta(seconds=60)
"""Longer than all tries of one asking, so that only a process that died loses it."""
_PATIENCE = 20.0
"""How long others wait in place, in seconds, before they let their execution go back to the queue."""
_LOOK_AGAIN = 0.1
_STORE_FOR = 30.0
_REFUSAL_HOLDS = timedelta(seconds=60)
"""How long a refusal stands for all who ask with the same secrets, so that many workers do not knock one after the other."""


class _Turn(Enum):
    """What a worker whose sign-in was refused finds."""

    OURS = auto()
    TAKEN = auto()
    NEWER = auto()
    REFUSED = auto()


@dataclass(slots=True)
class Tokens:
    """The sign-in of an integration as one door uses it. ``settings`` are those whose secrets were last in use."""

    platform: Platform
    integration: Integration
    connector: Connector
    settings: Any
    budget: Budget | None = None
    on_traffic: Callable[[Tried], None] | None = None

    def renew(self, _used: SignIn) -> SignIn:
        """Another sign-in than the one that was refused; called by the door, never twice at once.

        Raises ``CredentialsRejected`` when only a person can sign in again, and ``TransientError`` when it can be tried later.
        """
        holder = f"{self.platform.worker}:{secrets.token_hex(4)}"
        match self._take_turn(holder):
            case _Turn.OURS:
                self._ask(holder)
            case _Turn.REFUSED:
                raise self._refusal(is_interrupted=False)
            case _Turn.NEWER:
                log.info("sign_in_taken", integration=self.integration.name)
        self.settings = opening.read_settings(self.platform, self.integration, self.connector)
        return self.connector.sign_in(self.settings)

    def _take_turn(self, holder: str) -> _Turn:
        deadline = clock.monotonic() + _PATIENCE
        while (turn := self.platform.database.write(lambda unit: self._begin(unit, holder))) is _Turn.TAKEN:
            if clock.monotonic() >= deadline or self.platform.stopping.wait(_LOOK_AGAIN):
                raise Unavailable(
                    f"The sign-in of {self._title} is being renewed by another worker.",
                    retry_after=timedelta(seconds=10),
                )
        return turn

    def _begin(self, unit: Unit, holder: str) -> _Turn:
        found = renewals.lock(unit, self.integration.id)
        stored = integrations.secrets_of(unit, self.integration.id)
        if self._is_newer(stored):
            return _Turn.NEWER
        if found.holder and found.lease_until is not None and found.lease_until > unit.now:
            return _Turn.TAKEN
        digest = _digest(stored)
        if found.secrets_digest != digest:
            found = Renewal()  # somebody signed in since
        if found.refused_at is not None and unit.now - found.refused_at < _REFUSAL_HOLDS:
            return _Turn.REFUSED
        begun = Renewal(
            holder=holder,
            lease_until=unit.now + _LEASE,
            is_interrupted=found.is_interrupted or bool(found.holder),
            secrets_digest=digest,
        )
        renewals.save(unit, self.integration.id, begun)
        return _Turn.OURS

    def _ask(self, holder: str) -> None:
        try:
            fresh = self._refreshed()
        except (CredentialsRejected, RequestRefused) as error:
            self._give_up(holder, error)
        except (RateLimited, AttentionError):
            self._leave(holder, is_interrupted=False)
            raise
        except PlatformError:
            self._leave(holder, is_interrupted=True)
            raise
        else:
            self._keep(fresh, holder)
            log.info("sign_in_renewed", integration=self.integration.name)

    def _refreshed(self) -> Mapping[str, SecretStr]:
        """The new secrets. Of an answer that cannot be used, nothing is told: it may hold them."""
        refresh = self.connector.refresh
        assert refresh is not None  # see ``renewing``
        door = opening.open_door(
            self.platform,
            self.connector,
            self.settings,
            budget=self.budget,
            on_traffic=self.on_traffic,
            sign_in=self._where(),
            longest_seconds=_LONGEST_TRY,
        )
        try:
            with door:
                fresh = dict(refresh(door, self.settings))
        except RemoteContractError:
            fresh = {}
        except PlatformError:
            raise
        except Exception as error:  # noqa: BLE001 - its text may hold a token
            raise BrokenInvariant(
                f"Renewing the sign-in of {self._title} failed by a mistake of ours.", detail=type(error).__name__
            ) from None
        unknown = fresh.keys() - self.connector.settings.model_fields.keys()
        if unknown:
            raise BrokenInvariant(f"{self.connector.title} has no settings {', '.join(sorted(unknown))} to renew.")
        if not fresh or not all(secret.get_secret_value() for secret in fresh.values()):
            raise UnexpectedFormat(f"The answer of {self._title} to renewing the sign-in cannot be used.")
        return fresh

    def _where(self) -> SignIn:
        """Where tokens are asked for. The refused ones are not sent along."""
        given = self.connector.refresh_sign_in
        place = given(self.settings) if given else SignIn(self.connector.sign_in(self.settings).base_url)
        return replace(place, secrets=(*place.secrets, *_values(self.settings).values()))

    def _keep(self, fresh: Mapping[str, SecretStr], holder: str) -> None:
        """Store the new secrets, however long the database takes to let us: there is no other copy of them."""

        def work(unit: Unit) -> None:
            found = renewals.lock(unit, self.integration.id)
            if not self._is_newer(integrations.secrets_of(unit, self.integration.id)):
                for name, secret in fresh.items():
                    place = opening.secret_place(self.integration.id, name)
                    ciphertext = self.platform.keys.encrypt(secret.get_secret_value(), place=place)
                    integrations.keep_secret(unit, self.integration.id, name=name, ciphertext=ciphertext)
            if found.holder == holder:
                renewals.save(unit, self.integration.id, Renewal())

        deadline = clock.monotonic() + _STORE_FOR
        while True:
            try:
                return self.platform.database.write(work)
            except (TransientError, Conflict) as error:
                log.warning("sign_in_not_stored", integration=self.integration.name, code=error.code)
                if clock.monotonic() >= deadline:
                    raise
                clock.sleep(_LOOK_AGAIN)

    def _give_up(self, holder: str, error: PlatformError) -> None:
        """The other side refused. That is the end of it, unless newer secrets were stored meanwhile."""

        def work(unit: Unit) -> Renewal | None:
            found = renewals.lock(unit, self.integration.id)
            if self._is_newer(integrations.secrets_of(unit, self.integration.id)):
                return None
            if found.holder == holder:
                refused = replace(found, holder="", lease_until=None, refused_at=unit.now)
                renewals.save(unit, self.integration.id, refused)
            return found

        found = self.platform.database.write(work)
        if found is not None:
            log.warning("sign_in_not_renewed", integration=self.integration.name, code=error.code)
            raise self._refusal(is_interrupted=found.is_interrupted) from None

    def _leave(self, holder: str, *, is_interrupted: bool) -> None:
        """Let others have a try."""

        def work(unit: Unit) -> None:
            found = renewals.lock(unit, self.integration.id)
            if found.holder == holder:
                left = replace(
                    found, holder="", lease_until=None, is_interrupted=found.is_interrupted or is_interrupted
                )
                renewals.save(unit, self.integration.id, left)

        with suppress(TransientError, Conflict):  # else it is left when the lease runs out
            self.platform.database.write(work)

    def _refusal(self, *, is_interrupted: bool) -> CredentialsRejected:
        why = (
            "an earlier renewal was cut off, after the other side may have replaced it"
            if is_interrupted
            else "the other side refused to renew it"
        )
        return CredentialsRejected(
            f"The sign-in of {self._title} has expired, and {why}.",
            remedy=f"Sign in to {self._title} again in its settings.",
        )

    def _is_newer(self, stored: Mapping[str, str]) -> bool:
        """Whether other secrets are stored than those in use: another worker renewed them, or a person entered them."""
        used = _values(self.settings)
        return any(
            self.platform.keys.decrypt(text, place=opening.secret_place(self.integration.id, name)) != used.get(name)
            for name, text in stored.items()
            if name in used
        )

    @property
    def _title(self) -> str:
        return self.integration.title or self.integration.name


def renewing(
    platform: Platform,
    integration: Integration,
    connector: Connector,
    settings: Any,  # noqa: ANN401 - the connector's own model
    *,
    budget: Budget | None = None,
    on_traffic: Callable[[Tried], None] | None = None,
) -> Callable[[SignIn], SignIn] | None:
    """What a door of the integration calls when its sign-in is refused; None for connectors whose secrets do not expire."""
    if connector.refresh is None:
        return None
    return Tokens(platform, integration, connector, settings, budget, on_traffic).renew


def _values(settings: Any) -> dict[str, str]:  # noqa: ANN401 - the connector's own model
    """The secrets among settings."""
    return {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}


def _digest(stored: Mapping[str, str]) -> bytes:
    """Names stored secrets without telling anything of them: ciphertexts differ each time something is stored."""
    return hashlib.sha256("\n".join(f"{name} {text}" for name, text in sorted(stored.items())).encode()).digest()
