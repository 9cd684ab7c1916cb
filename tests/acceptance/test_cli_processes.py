"""Commands that go on: run, scheduler, worker, simulate, demo; at a real terminal and without one."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

from engine.connector import Request, SignIn, reads
from engine.http.door import GuardedDoor
from engine.http.rules import Rules
from tests.acceptance.conftest import Shop
from tests.acceptance.terminal import Terminal


@contextmanager
def ended(process: Popen[str]) -> Iterator[Popen[str]]:
    """Nothing is left running, whatever the test finds."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: Popen[str], words: str) -> str:
    """Read lines until one holds the words; the test's own time limit is the end of that."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return line
    raise AssertionError("".join(lines))


def test_run_demo_shows_a_shop_at_work_line_by_line_and_stops_in_order(terminal: Terminal) -> None:
    with ended(terminal.start("run", "--demo", "--products", "30", "--life", "0")) as process:
        until(process, "is running")
        assert "30 created" in until(process, "demo/import_new_products")
        assert "4 created + 1 waiting + 1 failed" in until(process, "demo/import_new_orders")
        until(process, "demo/import_stock succeeded")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    [issue] = terminal.list("issues", "list")
    assert issue["integration"] == "demo"


def test_run_demo_starts_anew_and_not_beside_another(terminal: Terminal) -> None:
    terminal.variables["NAVETTE_LEASE_SECONDS"] = "3600"
    with ended(terminal.start("run", "--demo", "--products", "10", "--life", "0")) as process:
        until(process, "import_new_products")
        beside = terminal("run", "--demo")
        assert beside.status == 1
        assert "is running on this database already" in beside.err
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    with ended(terminal.start("run", "--demo", "--products", "12", "--life", "0")) as process:
        until(process, "import_new_products")
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert [row["name"] for row in terminal.list("integrations", "list")] == ["demo"]


def test_at_a_terminal_run_shows_what_goes_on(terminal: Terminal) -> None:
    with terminal.typing("run", "--demo", "--products", "20", "--life", "600") as screen:
        screen.until("1 open error")
        screen.until("Unknown shipping method")
        screen.until("import_stock")
        screen.type("\x03")
        assert screen.end() == 0
    assert "Ctrl-C stops" in screen.shown
    assert "Stopping" in screen.shown
    log = (terminal.folder / "navette.log").read_text()
    assert '"event": "process_stopped"' in log


def test_run_without_a_shop_says_how_to_connect_one(terminal: Terminal) -> None:
    with terminal.typing("run") as screen:
        screen.until("No shop is connected yet")
        screen.type("\x03")
        assert screen.end() == 0


def test_a_key_is_asked_for_at_a_terminal_and_not_shown(terminal: Terminal, shop: Shop) -> None:
    words = ("integrations", "add", shop.connector, "--name", "shop", "--url", shop.server.url)
    with terminal.typing(*words) as screen:
        screen.until("key: ")  # the last blank is written once nothing typed is shown any more
        screen.type(f"{shop.key}\n")
        assert screen.end() == 0
    assert "in test mode" in screen.shown
    assert shop.key not in screen.shown


def test_a_bar_shows_how_far_an_execution_is(connected: Terminal, shop: Shop) -> None:
    shop.server.faults.add("latency", times=None, setting="0.3")
    with connected.typing("feeds", "run", "shop/update_products", "--wait") as screen:
        screen.until("read,")
        assert screen.end() == 0
    assert "read 25 = 25 created" in screen.shown


def test_a_worker_elsewhere_does_the_work_and_the_command_only_watches(
    connected: Terminal, shop: Shop, redis_url: str
) -> None:
    connected.variables["NAVETTE_REDIS_URL"] = redis_url
    with (
        ended(connected.start("--debug", "worker")) as worker,
        ended(connected.start("--debug", "scheduler")) as scheduler,
    ):
        for process in (worker, scheduler):
            assert process.stderr is not None
            for line in process.stderr:
                if "process_started" in line:
                    break
        told = connected.ok("feeds", "run", "shop/import_new_products", "--wait")
        assert "read 25 = 25 created" in told
        [row] = connected.list("executions", "list", "shop/import_new_products")
        name = connected.list("executions", "show", row["id"])["execution"]["worker"]
        assert f":{worker.pid}:" in name
        said = connected("mappings", "set", "shop", "shipping_method", "*", "any")
        assert said.err == ""
        for process in (worker, scheduler):
            process.send_signal(signal.SIGTERM)
            process.communicate()
            assert process.returncode == 0


def test_a_simulated_shop_answers_until_it_is_stopped_and_misbehaves_on_request(terminal: Terminal) -> None:
    words = ("simulate", "prestashop", "--port", "0", "--products", "10", "--life", "600", "--fault", "latency")
    with ended(terminal.start(*words)) as process:
        line = until(process, "listens at")
        url = next(word for word in line.split() if word.startswith("http://"))
        with GuardedDoor(SignIn(url), rules=Rules(allow_private=True)) as door:
            shown = json.loads(door.send(Request(reads("look"), "/_simulator/faults")).body)
        assert shown["planned"][0]["name"] == "latency"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


def test_a_fault_nobody_knows_is_told_with_the_nearest(terminal: Terminal) -> None:
    said = terminal.fails("simulate", "prestashop", "--port", "0", "--fault", "latencies")
    assert "Did you mean “latency”?" in said
    assert "no connector called" in terminal.fails("simulate", "nothing")


def test_the_demonstration_tells_its_story_and_cleans_up(terminal: Terminal) -> None:
    told = terminal.ok("demo")
    for words in (
        "read 6 = 4 created + 1 waiting + 1 failed",
        "shipping_method 3 express",
        "the bell is silent",
        "3 withheld",
        "In production: confirm_shipments, export_stock",
        "3 updated",
        "tracking_number 1Z999AA10123456784",
        "10. The proof",
    ):
        assert words in told
    assert not terminal.folder.exists()


def test_the_demonstration_can_be_kept_to_look_around_in(terminal: Terminal) -> None:
    assert "Look around" in terminal.ok("demo", "--keep", terminal.folder)
    [integration] = terminal.list("integrations", "list")
    assert (integration["name"], integration["mode"]) == ("boutique", "production")
