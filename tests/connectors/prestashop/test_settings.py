"""What an administrator enters: forgiving where the meaning is clear, strict where it is not."""

import base64

import pytest
from pydantic import ValidationError

from connectors.prestashop.connector import CONNECTOR
from connectors.prestashop.settings import PrestaShopSettings, limits, sign_in
from connectors.prestashop.simulator import build_sample_shop
from domain.errors import SettingsInvalid
from tests.connectors.prestashop.opened import opened

KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456"


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://www.example.com", "https://www.example.com"),
        (" https://www.example.com/ ", "https://www.example.com"),
        ("HTTPS://WWW.Example.com/api", "https://www.example.com"),
        ("https://www.example.com/Shop/api/", "https://www.example.com/Shop"),
        ("http://example.com:8080/shop/", "http://example.com:8080/shop"),
    ],
)
def test_an_address_is_normalised(entered: str, kept: str) -> None:
    """Slashes and the webservice's own path do not matter, the case of folders does."""
    assert PrestaShopSettings(url=entered, key=KEY).url == kept


@pytest.mark.parametrize(
    "entered",
    [
        *("www.example.com", "ftp://example.com", "https://", "https://KEY:@example.com"),
        *("https://example.com/?ws_key=1", "https://example.com/#x"),
    ],
)
def test_an_address_that_is_none_is_refused(entered: str) -> None:
    """A key in the address would end up in logs."""
    with pytest.raises(ValidationError, match=r"whole address|address only"):
        PrestaShopSettings(url=entered, key=KEY)


@pytest.mark.parametrize("entered", ["", "SHORT", KEY + "7", "É" * 32, ":" * 32, "A" * 31 + "\n"])
def test_a_key_has_thirty_two_characters(entered: str) -> None:
    """As PrestaShop demands."""
    with pytest.raises(ValidationError, match="exactly 32 characters"):
        PrestaShopSettings(url="https://example.com", key=entered)


def test_the_key_is_sent_as_the_user_and_never_shown() -> None:
    """Neither in the address nor in any text."""
    settings = PrestaShopSettings(url="https://example.com", key=f" {KEY} ")
    access = sign_in(settings)
    assert base64.b64decode(access.headers["Authorization"].removeprefix("Basic ")) == f"{KEY}:".encode()
    assert KEY not in repr(settings) + repr(access) + access.base_url
    assert KEY in access.secrets


@pytest.mark.parametrize(("entered", "kept"), [("", ""), (" FR ", "fr"), ("12", "12")])
def test_a_language_is_a_code_or_a_number(entered: str, kept: str) -> None:
    """Or empty: the shop's own."""
    assert PrestaShopSettings(url="https://example.com", key=KEY, language=entered).language == kept


def test_a_language_that_is_neither_is_refused() -> None:
    """As a word would be."""
    with pytest.raises(ValidationError, match="code of a language"):
        PrestaShopSettings(url="https://example.com", key=KEY, language="français")


def test_limits_are_those_entered() -> None:
    """Four requests at once unless told otherwise."""
    settings = PrestaShopSettings(url="https://example.com", key=KEY, page_size=50, requests_per_second=2)
    assert (limits(settings).concurrent, limits(settings).per_second, limits(settings).page_size) == (4, 2, 50)


def test_a_language_the_shop_lacks_is_told_along_with_how_the_shop_is_set() -> None:
    """Before the first product is read."""
    with pytest.raises(SettingsInvalid, match="no language 'xx'"), opened(build_sample_shop(), language="xx"):
        pass


def test_a_shop_whose_own_currency_is_missing_cannot_be_read() -> None:
    """Prices without a currency are no prices."""
    sample = build_sample_shop()
    sample.configure("PS_CURRENCY_DEFAULT", "77")
    with opened(sample) as shop, pytest.raises(Exception, match="own currency, number 77"):
        list(shop.pages(next(iter(CONNECTOR.reads))))
