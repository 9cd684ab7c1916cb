"""Opens an integration: settings and secrets from the database, a signed-in door, the gate in it."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from pydantic import SecretStr, ValidationError

from domain.errors import LeaseLost, SettingsInvalid, UserError, Withheld
from engine.connector import Connector, Operation, SignIn
from engine.http.budget import Budget
from engine.http.door import GuardedDoor
from engine.http.door import Traffic as Tried
from engine.http.gate import Gate, shut
from engine.http.rules import Rules, Timeouts, public_trust
from engine.runtime.platform import Platform
from engine.runtime.run import Lease, Traffic
from storage.queries import executions, integrations
from storage.rows import Execution, Integration, Mode


def secret_place(integration_id: int, name: str) -> str:
    """Where a secret belongs; it opens nowhere else."""
    return f"integration:{integration_id}:{name}"


def read_settings(
    platform: Platform, integration: Integration, connector: Connector, *, secrets: Mapping[str, str] | None = None
) -> Any:  # noqa: ANN401 - the connector's own model
    """The connector's settings with their secrets. Raises ``SettingsInvalid`` when they do not fit the connector.

    ``secrets`` are the ciphertexts, where they have been read already.
    """
    stored = (
        platform.database.read(lambda unit: integrations.secrets_of(unit, integration.id))
        if secrets is None
        else secrets
    )
    remedy = f"Open the settings of {integration.title or integration.name} and enter what is missing."
    try:
        hidden = {
            name: SecretStr(platform.keys.decrypt(text, place=secret_place(integration.id, name)))
            for name, text in stored.items()
        }
        return connector.settings.model_validate({**integration.settings, **hidden})
    except ValidationError as error:
        fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}))
        raise SettingsInvalid(
            f"The settings of {integration.title or integration.name} are not complete or not right: {fields}.",
            remedy=remedy,
        ) from None
    except UserError as error:
        raise SettingsInvalid(error.message, remedy=remedy) from None


def open_door(
    platform: Platform,
    connector: Connector,
    settings: Any,  # noqa: ANN401 - the connector's own model
    *,
    budget: Budget | None = None,
    gate: Gate = shut,
    on_traffic: Callable[[Tried], None] | None = None,
    renew: Callable[[SignIn], SignIn] | None = None,
    sign_in: SignIn | None = None,
    longest_seconds: float = inf,
) -> GuardedDoor:
    """The integration's way to the network; close it after use. Without a gate, it is only read through.

    ``renew`` is that of ``tokens``. ``sign_in`` leads elsewhere than the settings say. ``longest_seconds`` shortens the time
    the operator allows a request.
    """
    operator = platform.settings
    timeouts = Timeouts(
        connect=operator.connect_timeout_seconds,
        read=operator.read_timeout_seconds,
        total=min(operator.total_timeout_seconds, longest_seconds),
    )
    rules = Rules(
        allow_private=operator.allow_private_addresses,
        timeouts=timeouts,
        body_cap=operator.body_cap_megabytes * 1_000_000,
        trust=public_trust(operator.ca_file),
    )
    more = {} if on_traffic is None else {"on_traffic": on_traffic}
    return GuardedDoor(
        sign_in or connector.sign_in(settings),
        connector.limits(settings),
        interpret=connector.interpret,
        gate=gate,
        budget=budget,
        rules=rules,
        renew=renew,
        **more,
    )


def gate_of(platform: Platform, execution: Execution, lease: Lease) -> Gate:
    """Asks the database right before each writing request: the lease, the mode, the feed, the installation."""

    def gate(operation: Operation) -> None:
        lease.demand()
        permission = platform.database.read(
            lambda unit: executions.permission(unit, execution.id, attempt=execution.attempt)
        )
        if permission is None or not permission.holds_lease:
            raise LeaseLost("This execution was taken over or is being cancelled; nothing more is sent for it.")
        name = operation.name
        if not permission.is_confirmed:
            raise Withheld(
                f"'{name}' was not sent: nobody confirmed yet that this installation is the real one and not a copy."
            )
        if permission.mode is not Mode.PRODUCTION:
            raise Withheld(f"'{name}' was not sent: the integration is in test mode.")
        if not permission.is_live:
            raise Withheld(f"'{name}' was not sent: this flow has not been put into production.")

    return gate


def count_into(traffic: Traffic) -> Callable[[Tried], None]:
    """Tells an execution's counters about each request."""

    def count(tried: Tried) -> None:
        traffic.count(received=tried.received, seconds=tried.seconds)

    return count
