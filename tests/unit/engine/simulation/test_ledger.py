"""What arrived, seen from inside and over HTTP."""

import httpx

from engine.simulation import ledger as ledgers
from engine.simulation.exchange import Change, Request
from engine.simulation.ledger import Ledger
from engine.simulation.server import serve
from tests.unit.engine.simulation.counting import Counter

WRITE = Request("POST", "/things", "a=1", body=b"7")
CHANGED = (Change("counter", "1", "updated", {"count": 7}),)


def test_reads_are_bounded_and_writes_are_all_kept() -> None:
    ledger = Ledger()
    ledger.enter(WRITE, 201, changes=CHANGED)
    for _ in range(ledgers.RECENT_KEPT + 5):
        ledger.enter(Request("GET", "/"), 200)

    assert ledger.count == ledgers.RECENT_KEPT + 6
    assert len(ledger.recent) == ledgers.RECENT_KEPT
    assert [(entry.sequence, entry.target, entry.body) for entry in ledger.writes] == [(1, "/things?a=1", b"7")]


def test_a_refused_write_is_seen_and_is_no_write() -> None:
    ledger = Ledger()
    entry = ledger.enter(WRITE, 400)

    assert (entry.body, len(entry.digest)) == (b"", 64)
    assert ledger.writes == ()


def test_waiting_ends_with_the_entry_waited_for_or_with_the_time() -> None:
    with serve(Counter()) as server:
        httpx.post(server.url)
        assert server.ledger.wait(lambda ledger: len(ledger.writes) == 1)
        assert not server.ledger.wait(lambda ledger: len(ledger.writes) == 2, timeout_seconds=0.01)


def test_clearing_forgets_everything() -> None:
    ledger = Ledger()
    ledger.enter(WRITE, 201, changes=CHANGED)
    ledger.clear()

    assert (ledger.count, ledger.recent, ledger.writes) == (0, (), ())


def test_the_control_address_shows_and_forgets_the_ledger() -> None:
    with serve(Counter()) as server, httpx.Client(base_url=server.url) as client:
        client.post("/", content=b"3")
        client.post("/", content=b"4")
        client.get("/")
        shown = client.get("/_simulator/ledger?after=1&recent=2").json()
        client.delete("/_simulator/ledger")

        assert (shown["requests"], shown["write_count"]) == (3, 2)
        assert [(entry["sequence"], entry["body"]) for entry in shown["writes"]] == [(2, "4")]
        assert shown["writes"][0]["changes"][0]["fields"] == {"count": 7}
        assert [entry["method"] for entry in shown["recent"]] == ["POST", "GET"]
        assert client.get("/_simulator/ledger").json()["requests"] == 0


def test_the_control_address_plans_and_clears_faults() -> None:
    with serve(Counter()) as server, httpx.Client(base_url=server.url) as client:
        planned = client.post("/_simulator/faults", json={"name": "unavailable", "times": None, "path": "/x"}).json()
        assert (planned["name"], planned["left"], planned["setting"]) == ("unavailable", None, "5")
        assert client.get("/x").status_code == 503
        assert client.get("/_simulator/faults").json()["planned"][0]["met"] == 1
        client.delete("/_simulator/faults")
        assert client.get("/x").status_code == 200


def test_wrong_use_of_the_control_address_is_explained() -> None:
    with serve(Counter()) as server, httpx.Client(base_url=server.url) as client:
        for body in ({"name": "nope"}, {"name": "latency", "wrong": 1}, {"times": 1}):
            answer = client.post("/_simulator/faults", json=body)
            assert answer.status_code == 400
            assert answer.json()["error"]
        assert client.post("/_simulator/life", json=[1]).status_code == 400
        assert client.get("/_simulator/ledger?after=x").status_code == 400
        assert client.get("/_simulator/nothing").status_code == 404


def test_the_control_address_tells_what_is_there_and_lets_life_go_on() -> None:
    with serve(Counter()) as server, httpx.Client(base_url=server.url) as client:
        about = client.get("/_simulator/").json()
        lived = client.post("/_simulator/life", json={"steps": 2, "events_per_minute": 0}).json()

        assert about["system"] == "counter"
        assert about["settings"] == {"url": server.url}
        assert {"shrug", "latency"} <= {fault["name"] for fault in about["faults"]}
        assert lived == {"events": ["day 1", "day 2"], "events_per_minute": 0.0, "happened": 2}
        assert server.ledger.count == 0
