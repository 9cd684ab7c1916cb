"""A key nobody else has goes through every flow and every fault; then it is looked for everywhere."""

import base64
import contextlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from connectors.prestashop.simulator import PrestashopSimulator, build_sample_shop
from domain import clock as clocks
from domain.errors import UserError
from engine.actions import backups, feeds, integrations
from engine.actions import keys as key_actions
from engine.actions.platform import WORKS, open_platform
from engine.flow import Import
from engine.logging import set_up_logging
from engine.runtime import executions, opening
from engine.runtime.platform import Platform
from engine.runtime.run import Run
from engine.runtime.worker import run_execution
from engine.settings import Settings
from engine.simulation.server import Server, serve
from storage.database import Unit
from storage.queries import feeds as stored_feeds
from storage.queries import integrations as stored
from storage.rows import Trigger
from storage.tables import metadata
from tests.faults.parrots import parrots
from tests.faults.processes import ROOT
from tests.faults.production import count, imported, live, ship
from tests.installation import ADMINISTRATOR, Installation, settings_for
from tests.moving import MovableClock
from tests.servers import Redis

KEY = "CANARY-7f3a/q+Z9=%20xW-0123456&9"
SPELLINGS = {
    KEY,
    quote(KEY),
    quote(KEY, safe=""),
    json.dumps(KEY)[1:-1],
    base64.b64encode(KEY.encode()).decode().rstrip("="),
    base64.b64encode(f"{KEY}:".encode()).decode().rstrip("="),
    KEY[:16],
}
SHOPS = 8
EVERYWHERE = (
    "update_products",
    "import_new_orders",
    "import_new_products",
    "update_orders",
    "import_suppliers",
    "import_product_suppliers",
    "import_product_images",
    "check_stock",
)
OTHER_KEY = base64.b64encode(bytes(range(32))).decode()


def found_in(text: str | bytes) -> list[str]:
    """The spellings of the key that a text holds."""
    plain = text if isinstance(text, bytes) else text.encode()
    return [spelling for spelling in SPELLINGS if spelling.encode().lower() in plain.lower()]


@dataclass
class Aftermath:
    """What everything left behind."""

    settings: Settings
    platform: Platform
    server: Server
    log: str = ""


@contextlib.contextmanager
def serving() -> Iterator[list[Server]]:
    """Shops that know the key, and can repeat it."""
    with contextlib.ExitStack() as stack:
        servers = []
        for _ in range(SHOPS):
            sample = build_sample_shop()
            sample.add_key(KEY)
            server = stack.enter_context(serve(PrestashopSimulator(sample)))
            server.faults.known |= {fault.name: fault for fault in parrots(KEY)}
            servers.append(server)
        yield servers


@contextlib.contextmanager
def logging_to(stream: io.StringIO) -> Iterator[None]:
    """Every event of every level, as the programs of an installation write them."""
    root, structure = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    set_up_logging(log_format="json", log_level="debug", stream=stream)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**structure)


@pytest.fixture(scope="module")
def aftermath(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, redis_server: Redis
) -> Iterator[Aftermath]:
    """Every flow in production, then reading and writing under every fault there is, in several shops at once."""
    folder = tmp_path_factory.mktemp("canaries")
    path = shutil.copyfile(sqlite_template, folder / "navette.db")
    with redis_server.client as client:
        client.flushall()
    settings = settings_for(folder, f"sqlite:///{path}").model_copy(
        update={
            "redis_url": redis_server.url,
            "read_timeout_seconds": 0.2,
            "total_timeout_seconds": 0.4,
            "body_cap_megabytes": 1,
        }
    )
    clock, stream = MovableClock(), io.StringIO()
    clock.moment = clocks.now() - timedelta(
        days=6
    )  # hours go by between faults; commands come afterwards, in real time
    with serving() as servers, open_platform(settings, now=clock) as platform:
        left = Aftermath(settings, platform, servers[0])
        with logging_to(stream):
            shops = [connected(platform, server, number) for number, server in enumerate(servers)]
            ship(live(imported(shops[0])))
            for flow in (*EVERYWHERE, "retry", "confirm_shipments", "export_stock"):
                shops[0].run(flow)
            read_under_every_fault(shops, clock)
            write_under_faults(shops[0], clock)
            break_down(left, shops[0])
        left.log = stream.getvalue()
        yield left


def connected(platform: Platform, server: Server, number: int) -> Installation:
    name = f"shop{number or ''}"
    values = {"url": server.url, "key": KEY}
    integrations.add(platform, "prestashop", name=name, values=values, person=ADMINISTRATOR)
    return Installation(platform, server, name)


def read_under_every_fault(shops: list[Installation], clock: MovableClock) -> None:
    """Each shop meets a fault of its own, and all of them run at the same time; then hours go by."""
    names = sorted(shops[0].server.faults.known)
    with ThreadPoolExecutor(SHOPS) as workers:
        for start in range(0, len(names), SHOPS):
            chosen = list(zip(names[start : start + SHOPS], shops, strict=False))
            flow = EVERYWHERE[start // SHOPS % len(EVERYWHERE)]
            for sufferer in [workers.submit(suffer, shop, name, flow=flow) for name, shop in chosen]:
                sufferer.result()
            clock.advance(hours=3)
            for _, shop in chosen:
                forgive(shop)


def write_under_faults(shop: Installation, clock: MovableClock) -> None:
    writing = [name for name in shop.server.faults.known if name.startswith("parrot") or name.endswith("after_write")]
    for number, name in enumerate(writing):
        shop.run("import_new_orders")  # which the export stays behind
        count(shop, "demo_11", 400 + number)
        suffer(shop, name, flow="export_stock", method="PATCH")
        clock.advance(hours=3)
        forgive(shop)


def suffer(shop: Installation, fault: str, *, flow: str, method: str = "") -> None:
    shop.server.faults.add(fault, times=None, method=method)
    shop.run(flow)
    shop.server.faults.clear()


def forgive(shop: Installation) -> None:
    """A person looked at it."""
    if shop.integration.paused_at is not None:
        integrations.resume(shop.platform, shop.name, person=ADMINISTRATOR)
    for feed in shop.platform.database.read(lambda unit: stored_feeds.listed(unit, integration_id=shop.integration.id)):
        if feed.paused_at is not None:
            feeds.resume(shop.platform, f"{shop.name}/{feed.flow}", person=ADMINISTRATOR)


def break_down(left: Aftermath, shop: Installation) -> None:
    """And a mistake of our own, in a process of its own."""
    platform = left.platform
    careless = Platform.of(
        platform.database,
        registry=platform.registry,
        settings=left.settings,
        keys=platform.keys,
        works={**WORKS, Import: broken},
    )
    asked = executions.request(careless, shop.feed("update_products").id, trigger=Trigger.MANUAL)
    run_execution(careless, asked.execution_id)
    careless.dispatcher.close()


def broken(run: Run) -> None:
    """Holds the key in a variable, and its sign-in."""
    held, sign_in = run.settings.key.get_secret_value(), run.connector.sign_in(run.settings)
    raise ValueError(f"Something else broke: {len(held)}, {sign_in}")


# --- where it is looked for


def test_the_key_really_went_through_every_kind_of_failure(aftermath: Aftermath) -> None:
    codes = {json.loads(line).get("code") for line in aftermath.log.splitlines()}
    assert codes >= {
        "broken_invariant",
        "credentials_rejected",
        "permission_missing",
        "rate_limited",
        "settings_invalid",
        "timed_out",
        "too_large",
        "truncated",
        "unavailable",
        "unexpected_format",
    }
    entries = aftermath.server.ledger.recent
    assert len({entry.fault for entry in entries if entry.method == "PATCH"}) > 15, "also while writing"
    assert found_in(json.dumps([entry.target for entry in entries])) == [], "the shop's own log never gets it"


def test_the_log_holds_no_key(aftermath: Aftermath) -> None:
    events = [json.loads(line)["event"] for line in aftermath.log.splitlines()]
    assert {"execution_started", "execution_failed", "execution_broke", "bell_rang"} <= set(events)
    assert "Something else broke" in aftermath.log
    assert found_in(aftermath.log) == []


def test_no_row_of_any_table_holds_it_and_what_is_stored_is_bound_to_its_place(aftermath: Aftermath) -> None:
    """Issues, outcomes, executions, effects, audit, settings, probes: all of them."""

    def read(unit: Unit) -> dict[str, str]:
        return {
            table.name: "\n".join(repr(tuple(row)) for row in unit.connection.execute(sa.select(table)))
            for table in metadata.sorted_tables
        }

    tables = aftermath.platform.database.read(read)
    assert all(tables[name] for name in ("issues", "outcomes", "executions", "effects", "audit", "integrations"))
    assert {name: found_in(text) for name, text in tables.items() if found_in(text)} == {}
    secrets = aftermath.platform.database.read(stored.all_secrets)
    assert len(secrets) == SHOPS
    keys = aftermath.platform.keys
    for integration_id, name, ciphertext in secrets:
        place = opening.secret_place(integration_id, name)
        assert keys.decrypt(ciphertext, place=place) == KEY
        with pytest.raises(UserError) as refused:
            keys.decrypt(ciphertext, place=opening.secret_place(integration_id + 1, name))
        assert found_in(refused.value.message) == []


def test_the_files_and_a_backup_hold_only_what_is_encrypted(aftermath: Aftermath, tmp_path: Path) -> None:
    backups.backup(aftermath.platform, tmp_path / "backup.db")
    # in a process of its own: to open a database's file and close it gives up the locks this process holds on it
    subprocess.run(["cp", "-r", str(aftermath.settings.data_folder), str(tmp_path / "copy")], check=True)
    files = [*(tmp_path / "copy").iterdir(), tmp_path / "backup.db"]
    assert {file.name for file in files} >= {"navette.db", "backup.db"}
    assert {file.name: found_in(file.read_bytes()) for file in files if found_in(file.read_bytes())} == {}


def test_redis_holds_ids_and_nothing_else(aftermath: Aftermath, redis_server: Redis) -> None:
    with redis_server.client as client:
        held = {bytes(name): _content(client, bytes(name)) for name in client.scan_iter()}
    assert held, "bells wait there"
    assert re.search(r"\b\d+\b", repr(list(held.values()))), "numbers of executions"
    assert found_in(repr(held)) == []


def _content(client: Any, name: bytes) -> object:
    """A value in full; Redis' own dumps are packed."""
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    return read[client.type(name)](name)


COMMANDS = [
    ["integrations", "list", "--json"],
    ["integrations", "show", "shop"],
    ["integrations", "show", "shop", "--json"],
    ["--debug", "integrations", "test", "shop"],
    ["feeds", "list"],
    ["executions", "list", "--json", "-n", "1000"],
    ["issues", "list", "--json"],
    *(["issues", "show", str(number)] for number in range(1, 12)),
    ["records", "held", "--json"],
    ["effects", "list", "--json", "-n", "1000"],
    ["settings", "list"],
    ["db", "status"],
    ["--debug", "integrations", "add", "prestashop", "--name", "x", "--url", "http://127.0.0.1:9", "--key", KEY],
    ["--debug", "feeds", "run", "shop/update_products", "--wait"],
    ["go-live", "check", "shop"],
]
IN_TURN = """
import json, sys
from console.terminal.app import app
for line in json.loads(sys.stdin.read()):
    print("$", *line[:4])
    try:
        app(line, prog_name="navette")
    except SystemExit as end:
        print("exit", end.code)
"""


def environment(aftermath: Aftermath) -> dict[str, str]:
    """As an administrator sets it."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "NAVETTE_DATA_FOLDER": str(aftermath.settings.data_folder),
        "NAVETTE_DATABASE_URL": aftermath.settings.database_url,
        "NAVETTE_ALLOW_PRIVATE_ADDRESSES": "true",
        "NAVETTE_PERSON": ADMINISTRATOR,
    }


def test_no_command_shows_it_not_even_with_every_detail_of_a_failure(aftermath: Aftermath) -> None:
    aftermath.server.faults.add("parrot 400 json", times=None)
    try:
        done = subprocess.run(
            [sys.executable, "-c", IN_TURN],
            input=json.dumps(COMMANDS),
            env=environment(aftermath),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    finally:
        aftermath.server.faults.clear()
    said = done.stdout + done.stderr
    assert said.count("exit 0") >= len(COMMANDS) - 6
    assert "A key written on the command line can be read by everybody" in said
    assert "Traceback" not in said
    assert found_in(said.replace(" ".join(COMMANDS[-3][:4]), "")) == []


def test_no_process_shows_it_among_its_arguments(aftermath: Aftermath, tmp_path: Path) -> None:
    """Looked at while the connection test of a new shop waits for an answer."""
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    waits = aftermath.server.faults.add("latency", times=None, setting="600")
    command = [sys.executable, "-c", "import cli; cli.main()", "integrations", "add", "prestashop", "--name", "further"]
    with subprocess.Popen(
        [*command, "--url", aftermath.server.url, "--key-file", str(key_file)],
        env=environment(aftermath),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert aftermath.server.ledger.wait(lambda _: waits.met > 0, timeout_seconds=60)
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        aftermath.server.faults.clear()
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert b"further" in arguments
    assert found_in(arguments) == []
    assert found_in(output) == []


def test_a_wrong_key_ring_refuses_to_start_and_keys_rotate(aftermath: Aftermath, tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    backups.backup(aftermath.platform, path)
    own = aftermath.settings.key_file.read_text().strip()

    def settings(keys: str) -> Settings:
        return settings_for(tmp_path, f"sqlite:///{path}").model_copy(update={"secret_keys": SecretStr(keys)})

    with pytest.raises(UserError) as refused, open_platform(settings(OTHER_KEY)):
        pass
    assert found_in(refused.value.message) == []
    with open_platform(settings(f"{OTHER_KEY},{own}")) as platform:
        held = len(platform.database.read(stored.all_secrets))
        assert key_actions.rotate(platform.database, platform.keys, person=ADMINISTRATOR) == held
    with open_platform(settings(OTHER_KEY)) as platform:
        (first, *_) = platform.database.read(stored.all_secrets)
        assert platform.keys.decrypt(first[2], place=opening.secret_place(first[0], first[1])) == KEY
    with pytest.raises(UserError), open_platform(settings(own)):
        pass
    assert found_in(path.read_bytes()) == []
