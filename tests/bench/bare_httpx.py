"""The floor of everything that mostly waits: bare httpx, sending the very requests the engine sent, as many at once."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy

import httpx


def send_all(*, url: str, key: str, requests: Sequence[Mapping[str, str]], at_once: int) -> dict[str, float]:
    """Send each request (``method``, ``target``, ``body``) and read its answer; the seconds it took."""
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    with (
        httpx.Client(base_url=url, auth=(key, ""), timeout=60, limits=limits, trust_env=False) as client,
        ThreadPoolExecutor(at_once) as threads,
    ):
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))  # the shop gives one with each answer

        def send(request: Mapping[str, str]) -> int:
            content = request.get("body", "").encode() or None
            headers = {"Content-Type": "text/xml; charset=utf-8"} if content else {}
            answer = client.request(request["method"], request["target"], content=content, headers=headers)
            return len(answer.raise_for_status().content)

        started = time.perf_counter()
        received = sum(threads.map(send, requests))
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "bytes": received}
