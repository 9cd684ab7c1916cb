"""Addresses that must not be reached: refused before the first byte, by the address that is really connected to."""

import ipaddress
import socket
import ssl
import threading
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from domain import clock
from domain.errors import AddressRefused, OutcomeUnknown, TimedOut, Unavailable
from engine.connector import SignIn
from engine.http.addresses import check, parse_base, resolve
from engine.http.door import GuardedDoor
from engine.http.rules import Rules, Timeouts, public_trust
from tests.hostile import HostileShop, answer
from tests.unit.engine.http.doors import get, put

NEVER = [
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "http://100.100.100.200",
    "http://168.63.129.16",
    "http://0.0.0.0",
    "http://0.1.2.3",
    "http://[::]",
    "http://224.0.0.1",
    "http://239.255.255.250",
    "http://255.255.255.255",
    "http://240.0.0.1",
    "http://[ff02::1]",
    "http://192.0.2.1",
    "http://198.18.0.1",
    "http://[2001:db8::1]",
    "http://[2002:7f00:1::]",
    "http://[2001:0:4136:e378::1]",
    "http://[::ffff:169.254.169.254]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[64:ff9b:1::1]",
    # numbers in disguise
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.1",
    "http://127.1",
    "http://0177.0.0.1",
    "http://017700000001",
    "http://127.0.0.1.",
    "http://1.2.3.4.5",
    "http://１２７.0.0.1",
    "http://①②⑦.0.0.1",
    "http://127。0。0。1",
    "http://[fe80::1%25eth0]",
    "http://[::1",
    "http://[v1.x]",
    # other doors
    "file:///etc/passwd",
    "ftp://shop.example",
    "gopher://shop.example",
    "javascript:alert(1)",
    "//shop.example",
    "shop.example",
    "",
    "http://",
    "http://:80",
    "https:///path",
    "http://shop.example:22",
    "http://shop.example:25",
    "http://shop.example:1023",
    "http://shop.example:0",
    "http://shop.example:99999",
    "http://shop.example:http",
    # who is asked
    "http://shop.example@127.0.0.1",
    "https://key@shop.example",
    "https://key:secret@shop.example",
    "https://shop.example\\@evil.example",
    "https://shop.example\\evil",
    "https://shop.example/?ws_key=1",
    "https://shop.example/#x",
    "https://shop example",
    "https://shop.example\tevil.example@x",
    "https://shop%2eexample",
    "https://" + "a" * 300,
    "https://shop.example/\r\nX: y@z",
    "https://shop..example/",
    "https://.example/",
]
PRIVATE = [
    "http://127.0.0.1",
    "http://127.9.9.9:8080",
    "http://[::1]",
    "http://10.0.0.1",
    "http://172.16.0.1",
    "http://172.31.255.255",
    "http://192.168.1.1",
    "http://100.64.0.1",
    "http://[fc00::1]",
    "http://[fd12:3456::1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::7f00:1]",
    "http://[64:ff9b::7f00:1]",
    "http://[64:ff9b::10.0.0.1]",
]
PUBLIC = [
    ("https://shop.example", ("https", "shop.example", 443, "")),
    ("HTTPS://Shop.Example:443/Base/", ("https", "shop.example", 443, "/Base")),
    ("http://shop.example:8080/a b/", ("http", "shop.example", 8080, "/a%20b")),
    ("https://93.184.216.34/", ("https", "93.184.216.34", 443, "")),
    ("https://[2606:2800:220:1:248:1893:25c8:1946]/", ("https", "2606:2800:220:1:248:1893:25c8:1946", 443, "")),
    ("https://bücher.example", ("https", "xn--bcher-kva.example", 443, "")),
    ("http://shop_2.local:5000", ("http", "shop_2.local", 5000, "")),
    ("https://1shop.example", ("https", "1shop.example", 443, "")),
]


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_refused_whatever_the_operator_allows(address, allow_private):
    with pytest.raises(AddressRefused) as caught:
        GuardedDoor(SignIn(address), rules=Rules(allow_private=allow_private))
    assert caught.value.remedy
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_operator(address):
    with pytest.raises(AddressRefused, match="private"):
        parse_base(address, allow_private=False)
    assert parse_base(address, allow_private=True).scheme == "http"


@pytest.mark.parametrize(("address", "parts"), PUBLIC)
def test_public_addresses_are_taken_apart_once(address, parts):
    got = parse_base(address, allow_private=False)
    assert (got.scheme, got.host, got.port, got.path) == parts


@given(st.ip_addresses())
def test_no_address_that_is_not_global_passes(ip):
    """Whatever the standard library knows not to be reachable from everywhere is refused here too."""
    try:
        check(ip, allow_private=False)
    except AddressRefused:
        return
    assert ip.is_global
    assert not ip.is_multicast


@given(st.ip_addresses(v=4, network="0.0.0.0/0"))
def test_an_ipv4_address_is_judged_alike_in_all_its_ipv6_clothes(ip):
    def verdict(address):
        try:
            check(address, allow_private=False)
        except AddressRefused:
            return False
        return True

    clothes = [int(ip) | 0xFFFF << 32, int(ip) | 0x64FF9B << 96]
    assert {verdict(ipaddress.IPv6Address(number)) for number in clothes} == {verdict(ip)}


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["fe80::1%2"]]
)
def test_a_name_that_leads_to_an_address_not_allowed_is_refused_before_the_first_byte(found):
    with HostileShop((answer(),)) as shop:
        where = Rules(resolve=lambda *_: found)
        with GuardedDoor(SignIn(f"http://shop.example:{shop.port}"), rules=where, gate=lambda _: None) as door:
            for request in (get(), put()):
                with pytest.raises(AddressRefused):
                    door.send(request)
        assert shop.connections == 0


def test_the_real_resolver_is_checked_too():
    with HostileShop((answer(),)) as shop:
        with (
            GuardedDoor(SignIn(f"http://localhost:{shop.port}")) as door,
            pytest.raises(AddressRefused, match="private"),
        ):
            door.send(get())
        assert shop.connections == 0


def test_a_name_is_resolved_once_for_a_connection_and_connected_to_what_was_checked():
    asked: list[str] = []

    def rebinding(host, port, timeout):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    hang_up_after = answer(Connection="close")
    with HostileShop((hang_up_after,)) as shop:
        where = Rules(allow_private=True, resolve=rebinding)
        with GuardedDoor(SignIn(f"http://shop.example:{shop.port}"), rules=where) as door:
            assert door.send(get()).status == 200
            with pytest.raises(AddressRefused):
                door.send(get())
        assert asked == ["shop.example", "shop.example"]
        assert [one.headers["host"] for one in shop.asked] == [f"shop.example:{shop.port}"]


def test_the_next_address_is_tried_when_the_first_does_not_answer():
    with HostileShop((answer(),)) as shop:
        where = Rules(allow_private=True, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])
        with GuardedDoor(SignIn(f"http://shop.example:{shop.port}"), rules=where) as door:
            assert door.send(get()).status == 200


def test_a_resolver_that_never_answers_is_a_timeout():
    for_ever = threading.Event()

    def asleep(host, port, timeout):
        return resolve(host, port, timeout, look_up=lambda *_, **__: for_ever.wait() and [])

    where = Rules(resolve=asleep, timeouts=Timeouts(connect=0.05), first_pause=0.0)
    with GuardedDoor(SignIn("http://shop.example"), rules=where) as door, pytest.raises(TimedOut) as caught:
        door.send(get())
    for_ever.set()
    assert "did not accept a connection in time" in caught.value.message


def test_a_name_that_does_not_exist_is_unavailable():
    where = Rules(first_pause=0.0)
    with GuardedDoor(SignIn("http://no-such-shop.invalid"), rules=where) as door, pytest.raises(Unavailable):
        door.send(get())


def test_the_system_resolver_gives_literal_addresses():
    assert set(resolve("localhost", 80, 5.0)) <= {"127.0.0.1", "::1"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for shop.example only, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


class TlsShop:
    """Answers one request at a time over TLS, and notes the name it was asked for."""

    def __init__(self, certificate):
        self.names: list[str | None] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with plain, self._context.wrap_socket(plain, server_side=True) as connection:
                    while b"\r\n\r\n" in connection.recv(65536):
                        connection.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                        )
            except OSError:
                continue


def test_tls_is_spoken_under_the_name_though_connected_to_the_checked_address(certificate):
    with TlsShop(certificate) as shop:
        where = Rules(allow_private=True, resolve=lambda *_: ["127.0.0.1"], trust=public_trust(certificate))
        with GuardedDoor(SignIn(f"https://shop.example:{shop.port}"), rules=where) as door:
            assert len(list(door.stream([get()] * 4))) == 4
        assert set(shop.names) == {"shop.example"}


@pytest.mark.parametrize(
    ("host", "reason"), [("other.example", "not valid for 'other.example'"), ("shop.example", "self-signed")]
)
def test_a_certificate_that_does_not_hold_refuses_the_address_before_anything_is_sent(certificate, host, reason):
    trust = public_trust(certificate) if host == "other.example" else public_trust()
    with TlsShop(certificate) as shop:
        where = Rules(allow_private=True, resolve=lambda *_: ["127.0.0.1"], trust=trust)
        with GuardedDoor(SignIn(f"https://{host}:{shop.port}"), rules=where, gate=lambda _: None) as door:
            for request in (get(), put()):
                with pytest.raises(AddressRefused) as caught:
                    door.send(request)
                assert not isinstance(caught.value, OutcomeUnknown)
                assert reason in caught.value.message
