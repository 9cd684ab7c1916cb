"""The simulators' web server."""

import socket
import threading

import httpx
import pytest

from domain.errors import Unavailable
from engine.simulation.process import serve_apart
from engine.simulation.server import HOST, serve
from tests.unit.engine.simulation.counting import Counter, Days, build, fail

# Making a client costs more than everything a test asks of it.
CLIENT = httpx.Client(timeout=10)


def exchange(url: str, raw: bytes) -> bytes:
    """Send bytes as they are, and read until the server ends the connection."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


def test_one_connection_carries_many_requests() -> None:
    with serve(Counter()) as server, httpx.Client(base_url=server.url) as client:
        for _ in range(3):
            client.post("/", content=b"2")
        assert client.get("/").json()["count"] == 6
        assert client.get("/").extensions["network_stream"].get_extra_info("server_addr") == (
            HOST,
            int(server.url.rpartition(":")[2]),
        )


def test_the_app_is_told_where_it_listens_and_it_is_this_machine_only() -> None:
    app = Counter()
    with serve(app) as server:
        assert app.url == server.url
        assert server.url.startswith("http://127.0.0.1:")


def test_a_taken_port_is_an_error_of_the_one_who_asked_for_it() -> None:
    with serve(Counter()) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), serve(Counter(), port=port):
            pass


def test_a_slow_answer_does_not_hold_up_others() -> None:
    with serve(Counter()) as server:
        server.faults.add("silent", path="/slow")
        waiting = threading.Thread(target=lambda: _ignore(server.url + "/slow"), daemon=True)
        waiting.start()
        assert server.ledger.wait(lambda ledger: ledger.count == 1)

        assert CLIENT.get(server.url + "/fast").status_code == 200
    waiting.join()


def _ignore(url: str) -> None:
    try:
        httpx.get(url, timeout=30)
    except httpx.HTTPError:
        return


def test_chunked_answers_and_closing_ones_are_framed_honestly() -> None:
    with serve(Counter()) as server:
        chunked = CLIENT.get(server.url + "/chunks")
        nothing = CLIENT.get(server.url + "/chunks?none")
        closing = CLIENT.get(server.url + "/closing")

    assert (chunked.text, chunked.headers["Transfer-Encoding"]) == ("in pieces", "chunked")
    assert nothing.content == b""
    assert (closing.text, closing.http_version, closing.headers["Connection"]) == ("bye", "HTTP/1.0", "close")


def test_answers_are_compressed_only_when_asked_for_and_accepted() -> None:
    with serve(Counter(), compress=True) as server:
        zipped = CLIENT.get(server.url)
        plain = CLIENT.get(server.url, headers={"Accept-Encoding": "identity"})
    with serve(Counter()) as server:
        off = CLIENT.get(server.url)

    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.json() == plain.json() == off.json()
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in off.headers


def test_head_has_no_body_and_unknown_statuses_have_a_phrase() -> None:
    with serve(Counter()) as server:
        assert CLIENT.head(server.url).content == b""
        assert b"HTTP/1.1 599 Unknown" in exchange(server.url, b"GET /odd HTTP/1.1\r\nHost: x\r\n\r\n")


def test_bodies_arrive_whole_however_they_are_framed() -> None:
    with serve(Counter()) as server:
        large = b"x" * 500_000
        assert CLIENT.post(server.url + "/echo", content=large).content == large
        assert CLIENT.post(server.url + "/echo", content=iter([b"one ", b"two"])).content == b"one two"


def test_a_client_that_asks_before_sending_is_told_to_go_on() -> None:
    raw = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi"
    with serve(Counter()) as server:
        answer = exchange(server.url, raw)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.endswith(b"hi")


@pytest.mark.parametrize("ending", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"])
def test_a_client_that_wants_to_end_the_connection_gets_its_wish(ending: bytes) -> None:
    with serve(Counter()) as server:
        assert exchange(server.url, ending + b"GET / HTTP/1.1\r\n\r\n").count(b"HTTP/1.") == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / FTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nunfinished",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    ],
)
def test_what_is_no_request_is_answered_400_and_changes_nothing(raw: bytes) -> None:
    with serve(Counter()) as server:
        answer = exchange(server.url, raw)

        assert answer.startswith(b"HTTP/1.0 400 ")
        assert server.ledger.count == 0


def test_a_client_that_leaves_without_a_word_is_no_matter() -> None:
    with serve(Counter()) as server:
        assert exchange(server.url, b"") == b""
        assert CLIENT.get(server.url).status_code == 200


def test_the_apps_life_beats_at_the_rate_asked_for() -> None:
    days = Days()
    with serve(Counter(life=days), events_per_minute=6000) as server:
        server.ledger.wait(lambda _: days.gone >= 3)

    assert days.gone >= 3


def test_a_system_without_a_life_rests() -> None:
    with serve(Counter(life=None), events_per_minute=6000) as server:
        answer = CLIENT.post(server.url + "/_simulator/life", json={"steps": 2}).json()

    assert answer["events"] == ["", ""]
    assert answer["happened"] == 0


def test_a_simulator_can_be_served_in_a_process_of_its_own() -> None:
    with serve_apart(build) as url:
        CLIENT.post(url, content=b"2")
        assert CLIENT.get(url).json()["count"] == 7
        assert CLIENT.get(url + "/_simulator/ledger").json()["write_count"] == 1
    with pytest.raises(httpx.ConnectError):
        CLIENT.get(url)


def test_a_process_that_does_not_start_is_unavailable() -> None:
    with pytest.raises(Unavailable), serve_apart(fail):
        pass
