"""Talking to a served simulator the way a careful client would, and a careless one where a test needs it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from lxml import etree

from connectors.prestashop.simulator import SAMPLE_KEY, PrestashopSimulator, Shop
from engine.simulation.server import Server, serve

DATA = Path(__file__).parent / "data"
ERROR = re.compile(r"<code><!\[CDATA\[(\d+)\]\]></code>\n<message><!\[CDATA\[(.*?)\]\]></message>", re.DOTALL)


def facts(name: str) -> list[dict]:
    """Observed exchanges, trimmed."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def errors(response: httpx.Response) -> list[tuple[int, str]]:
    """The entries of an error list in either format."""
    if response.text.startswith("{"):
        return [(one["code"], one["message"]) for one in response.json()["errors"]]
    return [(int(code), message) for code, message in ERROR.findall(response.text)]


def codes(response: httpx.Response) -> list[int]:
    """The error codes of an answer."""
    return [code for code, _ in errors(response)]


@dataclass
class Talk:
    """A served shop and a client with a key."""

    server: Server
    simulator: PrestashopSimulator
    shop: Shop
    client: httpx.Client

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.client.get(f"/api/{path}", params=parameters or None)

    def rows(self, path: str, **parameters: str) -> list[dict]:
        """A list as JSON, with every field unless told otherwise."""
        shown = {"display": "full", "output_format": "JSON", **parameters}
        answer = self.client.get(f"/api/{path}", params=shown)
        assert answer.status_code == 200, answer.text
        content = answer.json()
        return next(iter(content.values())) if content else []

    def row(self, path: str, **parameters: str) -> dict:
        """The only row of a list."""
        (row,) = self.rows(path, **parameters)
        return row

    def send(self, method: str, path: str, inner: str, **parameters: str) -> httpx.Response:
        """A write; ``inner`` goes between the root's tags."""
        body = f'<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">{inner}</prestashop>'.encode()
        return self.client.request(method, f"/api/{path}", content=body, params=parameters or None)

    def node(self, response: httpx.Response) -> etree._Element:
        """The first entity of an XML answer."""
        return etree.fromstring(response.content)[0]


@contextmanager
def talking(shop: Shop, *, key: str = SAMPLE_KEY, domain: str = "", seed: int = 0) -> Iterator[Talk]:
    """Serve a shop and connect to it."""
    simulator = PrestashopSimulator(shop, domain=domain, seed=seed)
    headers = {"Host": domain} if domain else {}
    with (
        serve(simulator) as server,
        httpx.Client(base_url=server.url, auth=(key, ""), headers=headers, timeout=20) as client,
    ):
        yield Talk(server, simulator, shop, client)
