"""What an administrator enters to connect a PrestaShop."""

import base64
import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from engine.connector import Limits, SignIn

_LANGUAGE = re.compile(r"[1-9][0-9]{0,9}|[A-Za-z]{2}")


class Dialect(StrEnum):
    """The format lists are read in. JSON is three times faster; XML is for shops whose JSON is broken by a module."""

    JSON = "json"
    XML = "xml"


class PrestaShopSettings(BaseModel):
    """One shop, and the webservice key that opens it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[
        str,
        Field(
            title="Address of the shop",
            description="Exactly the main address of the shop, with https:// or http://, such as https://www.example.com",
        ),
    ]
    key: Annotated[
        SecretStr,
        Field(title="Webservice key", description="The 32 characters shown in Advanced Parameters > Webservice"),
    ]
    shop_id: Annotated[
        int | None,
        Field(title="Shop number", description="Only where one PrestaShop holds several shops", gt=0, le=2_147_483_647),
    ] = None
    language: Annotated[
        str,
        Field(title="Language", description="Code or number of the language of names; empty: the shop's own"),
    ] = ""
    format: Annotated[Dialect, Field(title="Format")] = Dialect.JSON
    page_size: Annotated[int, Field(title="Records per request", ge=5, le=1000)] = 200
    concurrent_reads: Annotated[int, Field(title="Requests at once", ge=1, le=16)] = 4
    requests_per_second: Annotated[
        float | None, Field(title="Requests per second", description="Empty: no limit", gt=0, le=100)
    ] = None
    reads_descriptions: Annotated[
        bool, Field(title="Read product descriptions", description="Long texts that make every reading slower")
    ] = False
    sends_customer_mails: Annotated[
        bool,
        Field(
            title="Shop mails its customers", description="The shop sends its own mail when an order becomes shipped"
        ),
    ] = True
    shipped_status: Annotated[
        int | None,
        Field(title="Status of a shipped order", description="Empty: the shop's own 'Shipped' status", gt=0),
    ] = None

    @field_validator("url")
    @classmethod
    def _normalise_url(cls, value: str) -> str:
        text = value.strip()
        parts = urlsplit(text)
        if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
            raise ValueError("Enter the whole address, beginning with https:// or http://.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("Enter the address only: nothing before an @, nothing after a ? or #.")
        path = parts.path.rstrip("/")
        path = path.removesuffix("/api").rstrip("/")
        return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}"

    @field_validator("key")
    @classmethod
    def _check_key(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value().strip()
        if len(key) != 32 or not key.isascii() or not key.isprintable() or ":" in key:
            raise ValueError("A webservice key has exactly 32 characters.")
        return SecretStr(key)

    @field_validator("language")
    @classmethod
    def _check_language(cls, value: str) -> str:
        text = value.strip().lower()
        if text and not _LANGUAGE.fullmatch(text):
            raise ValueError("Enter the code of a language, such as fr, or its number in the shop.")
        return text


def sign_in(settings: PrestaShopSettings) -> SignIn:
    """HTTP Basic with the key as user and no password; ``ws_key`` in the query would end up in the shop's logs."""
    key = settings.key.get_secret_value()
    token = base64.b64encode(f"{key}:".encode()).decode()
    return SignIn(base_url=settings.url, headers={"Authorization": f"Basic {token}"}, secrets=(key, token))


def limits(settings: PrestaShopSettings) -> Limits:
    """PrestaShop itself has no limit; its host may. Four requests at once suit a small host."""
    return Limits(
        concurrent=settings.concurrent_reads,
        per_second=settings.requests_per_second,
        page_size=settings.page_size,
    )
