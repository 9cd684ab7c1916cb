"""The simulator answers as the real shop did."""

import re
from collections.abc import Iterator

import pytest

from connectors.prestashop.simulator import build_sample_shop
from tests.connectors.prestashop.simulator.talking import Talk, errors, facts, talking

DOMAIN = "127.0.0.1:8085"
ALL_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")
READING = ("GET", "HEAD")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
PROBES = facts("probes.json")


@pytest.fixture(scope="module")
def sample() -> Iterator[Talk]:
    with talking(build_sample_shop()) as talk:
        yield talk


@pytest.mark.parametrize("probe", PROBES, ids=[probe["path"] for probe in PROBES])
def test_a_list_query_gives_the_ids_or_errors_a_real_shop_gave(sample: Talk, probe: dict) -> None:
    answer = sample.client.get(probe["path"])

    assert answer.status_code == probe["status"]
    if "ids" in probe:
        assert [int(one) for one in re.findall(r'<\w+ id="(\d+)"', answer.text)] == probe["ids"]
    else:
        assert [[code, text[:160]] for code, text in errors(answer)] == probe.get("errors", [])
        assert bool(answer.content) is ("errors" in probe)


def _timeless(text: str) -> str:
    return MOMENT.sub("T", text)


def test_a_whole_session_of_reads_and_writes_is_answered_as_on_a_real_shop() -> None:
    """In the order observed: later answers show what earlier writes did."""
    shop = build_sample_shop()
    shop.add_key("L" * 32, rights={"orders": READING, "products": READING})
    keys = {"short": "SHORT", "unknown": "X" * 32, "none": None, "limited": "L" * 32}
    with talking(shop, domain=DOMAIN) as talk:
        full = str(talk.simulator.describe()["keys"][0])  # type: ignore[index]
        for exchange in facts("exchanges.json"):
            key = keys.get(exchange.get("key", ""), full)
            answer = talk.client.request(
                exchange["method"],
                exchange["path"],
                auth=(key, "") if key else None,
                content=exchange.get("request_body", "").encode() or None,
            )
            what = f"{exchange['method']} {exchange['path']}"
            assert answer.status_code == exchange["status"], what
            if "errors" in exchange:
                assert [list(one) for one in errors(answer)] == exchange["errors"], what
            if "body" in exchange:
                assert _timeless(answer.text) == _timeless(exchange["body"]), what
            if "begins" in exchange:
                assert _timeless(answer.text).startswith(_timeless(exchange["begins"])), what
            for name, value in exchange.get("headers", {}).items():
                assert answer.headers.get(name) == value, f"{what}: {name}"


def test_a_second_shop_is_answered_as_on_a_real_shop() -> None:
    """The key is let into the second shop after the third call; somebody makes its stock row after the sixth."""
    shop = build_sample_shop()
    key = "S" * 32
    shop.add_key(key, shops=[1])
    with talking(shop, key=key, domain=DOMAIN) as talk:
        for place, exchange in enumerate(facts("several_shops.json")):
            if place == 3:
                shop.add_key(key, shops=[1, 2])
            if place == 6:
                shop.add_stock_row(6, shop=2, quantity=5)
            body = exchange.get("request_body", "")
            if body.startswith("("):
                whole = talk.client.get("/api/products/6").text
                body = re.sub(r"\t<(manufacturer_name|quantity) .*\n", "", whole)
            answer = talk.client.request(exchange["method"], exchange["path"], content=body.encode() or None)
            what = f"{place}: {exchange['method']} {exchange['path']}"
            assert answer.status_code == exchange["status"], what
            if "body" in exchange:
                assert answer.text == exchange["body"], what
            else:
                assert answer.text.startswith(exchange["begins"]), what
