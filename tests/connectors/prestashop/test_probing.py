"""The connection test says what works, which box to tick, and what there is to map."""

from collections.abc import Iterable, Iterator

import pytest

from connectors.prestashop.connector import CONNECTOR
from connectors.prestashop.settings import PrestaShopSettings
from connectors.prestashop.simulator import SAMPLE_KEY, build_sample_shop
from engine.connector import Answer, Check, Choice, Door, Probe, Request
from tests.connectors.prestashop.opened import Opened, door_to, opened


def probe(shop: Opened, **settings: object) -> Probe:
    """A connection test with these settings."""
    chosen = PrestaShopSettings(**{"url": shop.server.url, "key": SAMPLE_KEY, **settings})  # type: ignore[arg-type]
    with door_to(chosen) as door:
        return CONNECTOR.probe(door, chosen)


def failing(found: Probe) -> list[Check]:
    """The checks that do not pass."""
    return [check for check in found.checks if not check.passed]


@pytest.mark.parametrize("chosen", ["json", "xml"])
@pytest.mark.parametrize("version", ["1.6.1.24", "8.2.1"])
def test_a_shop_that_is_well_passes_and_tells_what_it_has(version: str, chosen: str) -> None:
    """Nothing is missing."""
    with opened(build_sample_shop(version=version)) as shop:
        found = probe(shop, format=chosen)
    assert failing(found) == []
    assert (found.title, found.version, found.time_zone) == ("Demo Shop", version, "Europe/Paris")
    assert found.clock_offset is not None
    assert abs(found.clock_offset.total_seconds()) < 60
    assert found.shipping_methods[:3] == (
        Choice("1", "Click and collect"),
        Choice("2", "My carrier"),
        Choice("3", "My cheap carrier (switched off)"),
    )
    assert Choice("ps_wirepayment", "Bank wire") in found.payment_methods


def test_every_status_comes_with_advice_from_its_flags_and_from_the_shop_s_configuration() -> None:
    """Import what is paid, wait for what may be paid, leave alone what is over."""
    with opened(build_sample_shop()) as shop:
        found = {choice.label: choice.advice for choice in probe(shop).statuses}
    assert found == {
        "Awaiting check payment": "wait",
        "Payment accepted": "import",
        "Processing in progress": "import",
        "Shipped": "shipped",
        "Delivered": "shipped",
        "Canceled": "cancel",
        "Refunded": "cancel",
        "Payment error": "wait",
        "On backorder (paid)": "import",
        "Awaiting bank wire payment": "wait",
        "Remote payment accepted": "import",
        "On backorder (not paid)": "wait",
        "Awaiting Cash On Delivery validation": "import",
    }


def test_each_missing_right_names_the_box_to_tick() -> None:
    """One line each, in plain words; the rest of the test goes on."""
    sample = build_sample_shop()
    with opened(sample) as shop:
        rights = {name: ("GET",) for name in sample.resources if name not in {"orders", "suppliers"}}
        sample.add_key(SAMPLE_KEY, rights={**rights, "order_histories": ("GET", "POST"), "order_carriers": ("GET",)})
        found = probe(shop)
    missing = {check.name: check for check in failing(found)}
    assert list(missing) == [
        "Right: orders GET",
        "Right: suppliers GET",
        "Right: stock_availables PUT",
        "Right: order_carriers PUT",
        "Right: order_carriers POST",
    ]
    assert missing["Right: orders GET"].message == "Orders cannot be read: the key lacks a right on 'orders'."
    assert "tick 'View (GET)' in the line 'orders'" in missing["Right: orders GET"].remedy
    assert "'Modify (PUT)'" in missing["Right: stock_availables PUT"].remedy
    assert found.statuses
    assert found.payment_methods == ()


def test_the_right_to_patch_serves_as_well_as_the_right_to_put() -> None:
    """Since PrestaShop 8."""
    sample = build_sample_shop()
    with opened(sample) as shop:
        rights: dict[str, tuple[str, ...]] = dict.fromkeys(sample.resources, ("GET",))
        rights |= {"stock_availables": ("GET", "PATCH"), "order_histories": ("GET", "POST")}
        sample.add_key(SAMPLE_KEY, rights={**rights, "order_carriers": ("GET", "POST")})
        missing = failing(probe(shop))
    assert [check.name for check in missing] == ["Right: order_carriers PUT"]
    assert "'Patch (PATCH) or Modify (PUT)'" in missing[0].remedy


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("switched_off", "switched off"),
        ("key_disabled", "unknown to the shop, or switched off"),
        ("redirect", "another address"),
        ("rewriting_off", "no PrestaShop webservice"),
        ("html_page", "web page"),
        ("fatal", "fatal error of PHP"),
        ("list_warnings", "refused"),
    ],
)
def test_what_keeps_the_shop_from_answering_is_told_with_a_remedy(fault: str, told: str) -> None:
    """The test itself never fails."""
    with opened(build_sample_shop()) as shop:
        shop.server.faults.add(fault, times=None)
        checks = failing(probe(shop))
    assert [check.name for check in checks] == ["Connection"]
    assert told in checks[0].message
    assert checks[0].remedy


def test_a_wrong_key_is_told_and_where_to_find_the_right_one() -> None:
    """Not the key itself."""
    with opened(build_sample_shop()) as shop:
        checks = failing(probe(shop, key="W" * 32))
    assert "unknown to the shop" in checks[0].message
    assert "Advanced Parameters > Webservice" in checks[0].remedy
    assert "WWW" not in str(checks)


def test_settings_that_cannot_be_read_are_told_and_the_rights_still_shown() -> None:
    """A time zone that does not exist makes every date meaningless."""
    sample = build_sample_shop()
    with opened(sample) as shop:
        sample.configure("PS_TIMEZONE", "Mars/Olympus")
        found = probe(shop)
    assert [check.name for check in failing(found)] == ["Settings of the shop"]
    assert any(check.name == "Rights" for check in found.checks)


def test_a_list_that_fails_is_told_and_the_others_still_shown() -> None:
    """Only what depends on it is missing."""
    with opened(build_sample_shop()) as shop:
        shop.server.faults.add("html_page", path="api/carriers", times=None)
        found = probe(shop)
    assert [check.name for check in failing(found)] == ["Shipping methods"]
    assert found.statuses


def test_several_shops_ask_for_a_number() -> None:
    """Nothing else would tell them apart."""
    sample = build_sample_shop()
    sample.add_shop("Second shop", folder="second/")
    with opened(sample) as shop:
        checks = failing(probe(shop))
        assert [check.name for check in checks] == ["Shop"]
        assert "Second shop (2)" in checks[0].message
        assert failing(probe(shop, shop_id=1)) == []


@pytest.mark.parametrize(("text", "passed"), [("1700000000", False), ("4100000000", False), ("soon", True)])
def test_a_clock_that_is_wrong_is_told(text: str, passed: bool) -> None:
    """Far enough to matter; a shop that does not tell its time is not blamed for it."""
    with opened(build_sample_shop()) as shop:
        shop.door = Late(shop.door, text)  # type: ignore[assignment]
        found = CONNECTOR.probe(shop.door, shop.settings)
    clock = next(check for check in found.checks if check.name == "Clock")
    assert clock.passed is passed
    assert (found.clock_offset is None) is passed


class Late:
    """A door to a shop whose clock shows this."""

    def __init__(self, door: Door, text: str) -> None:
        """Seconds since 1970, or something else."""
        self._door, self._text = door, text

    def send(self, request: Request) -> Answer:
        """As it is, but for the clock."""
        found = self._door.send(request)
        return Answer(found.status, {**found.headers, "access-time": self._text}, found.body)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """As it is."""
        return self._door.stream(requests)
