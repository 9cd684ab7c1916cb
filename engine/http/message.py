"""The request as it goes on the wire, and the headers as they come back."""

from collections.abc import Iterable, Mapping

import httpcore

from domain.errors import BrokenInvariant, SettingsInvalid
from engine.connector import Format, Request, SignIn
from engine.http.addresses import Address
from engine.http.body import ACCEPT_ENCODING

_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade", "expect"}
_ACCEPT = {
    Format.JSON: "application/json",
    Format.XML: "application/xml, text/xml",
    Format.IMAGE: "image/*",
    Format.ANY: "*/*",
}


def build(request: Request, *, address: Address, sign_in: SignIn, timeouts: Mapping[str, float]) -> httpcore.Request:
    """The request in full. Raises ``SettingsInvalid`` where a secret header cannot be sent as it is."""
    if ".." in request.path.split("/"):
        raise BrokenInvariant(f"The path of '{request.operation.name}' leads upwards.")
    headers = {
        "Host": address.authority,
        "User-Agent": "Navette",
        "Accept": _ACCEPT[request.operation.answers],
        "Accept-Encoding": ACCEPT_ENCODING,
    }
    if request.body or request.operation.method.upper() in {"POST", "PUT", "PATCH"}:
        headers["Content-Length"] = str(len(request.body))
    given = _given(request)
    kept = {name: value for name, value in headers.items() if name.lower() not in given}
    wire = [(name.encode("ascii"), value.encode("ascii")) for name, value in kept.items()]
    wire += [_line(name, value) for name, value in (*sign_in.headers.items(), *request.headers)]
    return httpcore.Request(
        method=request.operation.method.upper(),
        url=address.url(address.target(request.path, request.query)),
        headers=wire,
        content=request.body,
        extensions={"timeout": timeouts},
    )


def _given(request: Request) -> set[str]:
    names = {name.lower() for name, _ in request.headers}
    if names & _OURS:
        raise BrokenInvariant(f"'{request.operation.name}' sets a header that belongs to the door.")
    return names


def _line(name: str, value: str) -> tuple[bytes, bytes]:
    try:
        return name.encode("ascii"), value.encode("ascii")
    except UnicodeEncodeError:
        raise SettingsInvalid(
            f"The value for the header {name!r} holds characters that cannot be sent.",
            remedy="Enter the key or password again; only plain letters, digits and signs are possible.",
        ) from None


def headers_of(wire: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name, repeated ones joined. Cookies stay outside: no integration keeps a session by them."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in wire:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name != "set-cookie":
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
