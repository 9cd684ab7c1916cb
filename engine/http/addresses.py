"""Which addresses may be connected to: public ones, and private ones only where the operator said so."""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias
from urllib.parse import SplitResult, quote, urlsplit

import httpcore
import httpx

from domain.errors import AddressRefused

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int, float], Sequence[str]]

_REMEDY = "Enter the shop's public web address, such as https://www.example.com."

_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "::1/128", "fc00::/7")
)
# Not even with private addresses allowed: link-local holds the clouds' metadata services (and fd00:ec2::254,
# 100.100.100.200 and 168.63.129.16 are those of AWS, Alibaba and Azure); the rest cannot be a shop (IANA special registries).
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fd00:ec2::254/128",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?"
)  # some real shops have an underscore in theirs
_NUMBER_LIKE = re.compile(r"^(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A checked base address, in the parts that go on the wire. ``host`` is ASCII; ``path`` has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"

    def target(self, path: str, query: Sequence[tuple[str, str]]) -> str:
        """What is asked for: the path below this address, and the query, percent-encoded."""
        below = quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=-._~")
        pairs = "&".join(f"{quote(name, safe=_QUERY_SAFE)}={quote(value, safe=_QUERY_SAFE)}" for name, value in query)
        whole = f"{self.path}/{below}" if below else self.path or "/"
        return f"{whole}?{pairs}" if pairs else whole

    def url(self, target: str) -> httpcore.URL:
        """The address for the connection pool, in parts, so that nothing is parsed twice."""
        return httpcore.URL(scheme=self.scheme, host=self.host, port=self.port, target=target)


_QUERY_SAFE = "[]:,|-._~"  # PrestaShop documents its filters with bare brackets; all of these are harmless in a query


def parse_base(base_url: str, *, allow_private: bool) -> Address:
    """Check the form of an integration's address.

    Raises ``AddressRefused`` for another scheme than http and https, credentials in the address, a query or fragment, a port
    below 1024 other than 80 and 443, numbers written so that they hide an address, and literal addresses that are not allowed.
    """
    try:
        parts = urlsplit(base_url.strip())
        port = parts.port
    except ValueError:
        raise AddressRefused("The address of the integration is not a web address.", remedy=_REMEDY) from None
    if parts.scheme not in {"http", "https"}:
        raise AddressRefused("The address of the integration must begin with https:// or http://.", remedy=_REMEDY)
    if "@" in base_url or "\\" in base_url or not base_url.isprintable():
        raise AddressRefused(
            "The address of the integration must not hold a user name, a password, '@' or hidden signs.", remedy=_REMEDY
        )
    if parts.query or parts.fragment:
        raise AddressRefused("The address of the integration must not hold '?' or '#'.", remedy=_REMEDY)
    port = port if port is not None else _default_port(parts.scheme)
    if port not in {80, 443} and port < 1024:
        raise AddressRefused(
            f"Port {port} is not a web server's: allowed are 80, 443 and from 1024 on.", remedy=_REMEDY
        )
    host = _host(parts)
    literal = as_ip(host)
    if literal is not None:
        check(literal, allow_private=allow_private)
    return Address(scheme=parts.scheme, host=host, port=port, path=quote(parts.path.rstrip("/"), safe="/%:@-._~"))


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if as_ip(host) is not None:
        return host
    if not host or _NUMBER_LIKE.match(host) or "%" in host or "[" in parts.netloc:
        raise AddressRefused("The address of the integration does not name a host in the usual form.", remedy=_REMEDY)
    try:
        name = httpx.URL(scheme=parts.scheme, host=host).raw_host.decode("ascii")
    except httpx.InvalidURL:
        name = ""
    if not _NAME.fullmatch(name) or _NUMBER_LIKE.match(name):
        raise AddressRefused("The address of the integration holds characters that no host name has.", remedy=_REMEDY)
    return name


def as_ip(host: str) -> IpAddress | None:
    """The address a literal stands for, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def check(ip: IpAddress, *, allow_private: bool) -> None:
    """Raise ``AddressRefused`` unless this very address may be connected to."""
    inner = _unwrapped(ip)
    if any(inner in network for network in _NEVER if network.version == inner.version):
        raise AddressRefused(f"The address leads to {ip}, which cannot be a shop.", remedy=_REMEDY)
    if not allow_private and any(inner in network for network in _PRIVATE if network.version == inner.version):
        raise AddressRefused(
            f"The address leads to {ip}, which is inside a private network.",
            remedy="Enter the shop's public address, or let the operator set NAVETTE_ALLOW_PRIVATE_ADDRESSES=true.",
        )


def _unwrapped(ip: IpAddress) -> IpAddress:
    """The IPv4 address inside the IPv6 forms that carry one."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64 or (int(ip) >> 32 == 0 and int(ip) > 1):  # ::a.b.c.d is the old, deprecated spelling
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def resolve(
    host: str, port: int, timeout: float, *, look_up: Callable[..., Sequence[Any]] = socket.getaddrinfo
) -> Sequence[str]:
    """All addresses of a name. Raises ``httpcore.ConnectError``, or ``ConnectTimeout`` after ``timeout`` seconds."""
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()  # in a thread: the system's resolver knows no time limit

    def ask() -> None:
        try:
            found = look_up(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(OSError(f"name lookup failed: {error}"))
        else:
            answers.put([str(entry[4][0]) for entry in found])

    threading.Thread(target=ask, name="name-lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except Empty:
        raise httpcore.ConnectTimeout("name lookup timed out") from None
    if isinstance(answer, OSError):
        raise httpcore.ConnectError(str(answer))
    return list(dict.fromkeys(answer))
