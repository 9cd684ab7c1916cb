"""Secrets are masked by value, in every spelling they travel in, and by the name before them."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.redaction import SECRET_NAME, Redactor, header_secrets, redact_named

SECRET = 'K3y/+&"é <ñ>=='


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        SECRET.lower(),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET).lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        html.escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"{SECRET}:".encode()).decode(),
        SECRET.encode().hex(),
        SECRET.encode().decode("latin-1"),
    ],
)
def test_a_secret_is_masked_in_every_spelling(spelling):
    masked = Redactor([SECRET])(f"before {spelling} after")
    assert masked.startswith("before ***")
    assert masked.endswith("after")
    assert spelling.rstrip("=") not in masked


@given(st.text(min_size=4).filter(lambda text: len(text.strip()) > 3), st.text(), st.text())
def test_no_secret_survives_between_any_texts(secret, before, after):
    redact = Redactor([secret])
    for spelling in (secret, quote(secret.encode("utf-8", "surrogatepass"))):
        assert spelling not in redact(before + spelling + after).replace("***", "\0")


def test_the_parts_of_secret_headers_are_secrets():
    basic = base64.b64encode(b"canary-user:canary-password").decode()
    assert header_secrets([f"Basic {basic}", "shpat_123", "Bearer abc.def", "YWJj"]) == {
        "YWJj",
        f"Basic {basic}",
        basic,
        "canary-user",
        "canary-password",
        "shpat_123",
        "Bearer abc.def",
        "abc.def",
    }


def test_a_secret_too_short_to_hide_does_not_mask_the_message():
    assert Redactor(["", " ", "a"])("a message") == "a message"


@pytest.mark.parametrize(
    "text",
    [
        "https://shop/api?ws_key=canary&output=JSON",
        "ws_key%3Dcanary",
        "password=canary",
        "user_password: 'can ary'",
        '{"access_token": "canary\\"canary", "a": 1}',
        "{'secure_key': 'canary'}",
        "Authorization: Basic canary==",
        "authorization: Bearer canary.canary",
        "X-Shopify-Access-Token: canary",
        "X-Api-Key: canary",
        "consumer_key=canary consumer_secret=canary",
        "Set-Cookie: canary; Path=/",
        "<secure_key><![CDATA[canary]]></secure_key>",
        "<passwd xlink:href='x'>canary</passwd>",
        "<password>canary",
        "https://canary:canary@shop.example/api",
        "redis://:canary@host",
        "postgresql://navette:canary@host/db",
        "PASSWORD=canary\nclient_secret=canary",
    ],
)
def test_what_is_named_like_a_secret_is_masked(text):
    assert "canary" not in redact_named(text)
    assert "***" in redact_named(text)


@pytest.mark.parametrize(
    "text",
    [
        "The key was refused.",
        "https://shop.example/api/orders?display=full&date=1",
        "monkey=7 keyboard: us",
        "tokens are fine",
        "passed=12 bypass: no",
        "The name 'token' is not allowed here",
        "contact me@shop.example",
    ],
)
def test_plain_talk_stays_as_it_is(text):
    assert redact_named(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_password",
        "api_key",
        "X-Api-Key",
        "access_token",
        "authorization",
        "ws_key",
        "client_secret",
        "cookie",
    ],
)
def test_secret_names_are_known(name):
    assert SECRET_NAME.match(name)


@pytest.mark.parametrize("name", ["event", "key", "feed", "record", "passed", "tokens_left", "secretary"])
def test_other_names_are_not(name):
    assert not SECRET_NAME.match(name)


def test_a_redactor_does_not_show_what_it_hides():
    assert "canary" not in repr(Redactor(["canary"]))
