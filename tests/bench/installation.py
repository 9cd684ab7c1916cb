"""A Navette to measure: a platform on a database, connected to a simulated shop, as its processes set it up."""

import base64
import time
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from pydantic import SecretStr

from domain.rulebook import Rulebook
from engine.actions.platform import open_platform
from engine.logging import set_up_logging
from engine.registry import Registry
from engine.runtime import executions, worker
from engine.runtime.opening import secret_place
from engine.runtime.platform import Platform
from engine.settings import Settings
from storage.database import Unit
from storage.queries import executions as execution_rows
from storage.queries import feeds, integrations
from storage.rows import State, Trigger

_KEY = base64.b64encode(b"a key for benchmarks, 32 bytes..").decode()


def opened(
    database_url: str, *, redis_url: str = "", registry: Registry | None = None
) -> AbstractContextManager[Platform]:
    """A process of Navette, until the block ends."""
    set_up_logging(log_level="warning")
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        allow_private_addresses=True,
        secret_keys=SecretStr(_KEY),
    )
    return open_platform(settings, registry=registry)


def connect(platform: Platform, *, url: str, key: str, **settings: Any) -> int:
    """Connect a PrestaShop with its feeds, all on; returns the integration's id."""
    connector = platform.registry.connector("prestashop")

    def work(unit: Unit) -> int:
        integration_id = integrations.insert(
            unit,
            name="shop",
            connector=connector.name,
            time_zone="Europe/Paris",
            settings={"url": url, **settings},
            rulebook=msgspec.to_builtins(Rulebook()),
        )
        sealed = platform.keys.encrypt(key, place=secret_place(integration_id, "key"))
        integrations.keep_secret(unit, integration_id, name="key", ciphertext=sealed)
        flows = {flow.name: True for flow in platform.registry.flows_of(connector)}
        feeds.insert(unit, integration_id, flows=flows)
        return integration_id

    return platform.database.write(work)


def prepare(*, database_url: str, url: str, key: str, settings: dict[str, Any]) -> dict[str, int]:
    """Connect the shop; by flow, the id of its feed."""
    with opened(database_url) as platform:
        integration_id = connect(platform, url=url, key=key, **settings)
        found = platform.database.read(lambda unit: feeds.listed(unit, integration_id=integration_id))
    return {feed.flow: feed.id for feed in found}


def execute(*, database_url: str, feed_id: int, registry: Registry | None = None) -> dict[str, Any]:
    """Request an execution and work on it in this process: seconds from request to end, and what the execution tells."""
    with opened(database_url, registry=registry) as platform:
        started, processor = time.perf_counter(), time.process_time()
        asked = executions.request(platform, feed_id, trigger=Trigger.MANUAL)
        worker.run_execution(platform, asked.execution_id)
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
        row = platform.database.read(lambda unit: execution_rows.get(unit, asked.execution_id))
    assert row is not None
    if row.state is not State.SUCCEEDED:
        raise AssertionError(f"The execution ended as {row.state}: {row.reason}")
    told = ("read", "created", "updated", "unchanged", "calls", "bytes")
    return {
        "seconds": seconds,
        "processor_seconds": processor,
        "phases": row.phases,
        **{name: getattr(row, name) for name in told},
    }
