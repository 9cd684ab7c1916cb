"""Signatures over raw bytes: the vectors of those who publish some, and nothing that is nearly one."""

import pytest

from engine.security.signatures import Spelling, demand_signed, fingerprint, sign
from engine.webhook import NotGenuine

# Published by Sendcloud in its webhook documentation.
BODY, KEY = b'{"key": "value"}', "secretkey"
RIGHT = "1eed4b3d41f4653ac64fd56f1bf1cbfd349e4482cbc11dff7134bd93e5da4b0a"


def test_a_published_vector_is_met():
    assert sign(BODY, key=KEY) == RIGHT


def test_base64_and_other_digests_are_spelt_as_asked():
    # RFC 2202, test case 2 of HMAC-SHA-1
    mac = bytes.fromhex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    signed, key = b"what do ya want for nothing?", "Jefe"
    assert sign(signed, key=key, digest="sha1") == mac.hex()
    assert sign(signed, key=key, digest="sha1", spelling=Spelling.BASE64) == "7/zfauXrL6LSdBbV8YTfnCWafHk="
    demand_signed(
        signed, signatures=["7/zfauXrL6LSdBbV8YTfnCWafHk="], keys=[key], spelling=Spelling.BASE64, digest="sha1"
    )


@pytest.mark.parametrize("signature", [RIGHT, RIGHT.upper(), f" {RIGHT}\n"])
def test_hexadecimal_digits_may_be_of_either_case(signature):
    demand_signed(BODY, signatures=[signature], keys=[KEY])


@pytest.mark.parametrize(
    ("signatures", "keys"),
    [(["old", RIGHT], [KEY]), ([RIGHT], ["old", KEY]), ([RIGHT, "x"], [KEY, "x"])],
    ids=["several signatures", "several keys", "both"],
)
def test_one_right_pair_is_enough(signatures, keys):
    demand_signed(BODY, signatures=signatures, keys=keys)


@pytest.mark.parametrize(
    ("body", "signatures", "keys"),
    [
        (BODY, [], [KEY]),
        (BODY, [""], [KEY]),
        (BODY, [RIGHT[:-1]], [KEY]),
        (BODY, [RIGHT + "0"], [KEY]),
        (BODY, ["é" * 64, "\udc80"], [KEY]),
        (BODY + b"\n", [RIGHT], [KEY]),
        (b'{"key":"value"}', [RIGHT], [KEY]),
        (BODY, [RIGHT], []),
        (BODY, [RIGHT], ["other"]),
        (BODY, [sign(BODY, key="")], [""]),
    ],
)
def test_nothing_else_passes(body, signatures, keys):
    with pytest.raises(NotGenuine):
        demand_signed(body, signatures=signatures, keys=keys)


def test_base64_is_compared_as_written():
    right = sign(BODY, key=KEY, spelling=Spelling.BASE64)
    with pytest.raises(NotGenuine):
        demand_signed(BODY, signatures=[right.swapcase()], keys=[KEY], spelling=Spelling.BASE64)


def test_a_fingerprint_names_bytes_and_is_short():
    assert len(fingerprint(b"x" * 1_000_000)) == 32
    assert fingerprint(b"a") != fingerprint(b"b")
