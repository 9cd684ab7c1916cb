"""The sample shop: the ids and values of a real demo installation, with invented people and texts."""

import json
from pathlib import Path

from connectors.prestashop.simulator import states
from connectors.prestashop.simulator.keys import access_key
from connectors.prestashop.simulator.schema import Row, Value
from connectors.prestashop.simulator.shop import Shop

SAMPLE = Path(__file__).parent.parent / "samples" / "shop.json"
SAMPLE_KEY = "SIMULATEDSHOPKEY0000000000000001"
SETTINGS = (
    "languages",
    "currencies",
    "taxes",
    "tax_rule_groups",
    "tax_rules",
    "image_types",
    "shop_groups",
    "shops",
    "shop_urls",
    "countries",
    "states",
    "configurations",
    "order_states",
    "carriers",
    "product_options",
    "product_option_values",
    "categories",
)
NEXT_IDS = "@next"


def build_sample_shop(*, version: str = "8.2.1", timezone: str = "Europe/Paris") -> Shop:
    """The sample shop: 19 products, 16 orders, two languages; ``SAMPLE_KEY`` may do everything."""
    shop = Shop(version=version, timezone=timezone)
    load_rows(shop, names=None)
    return shop


def build_bare_shop(*, version: str = "8.2.1", timezone: str = "Europe/Paris") -> Shop:
    """A shop that is set up and sells nothing yet: the sample's states, carriers, taxes, languages and settings."""
    shop = Shop(version=version, timezone=timezone)
    load_rows(shop, names=SETTINGS)
    return shop


def load_rows(shop: Shop, *, names: tuple[str, ...] | None) -> None:
    """Put rows of the sample into an empty shop, of these resources or of all."""
    shop.recording = False
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    for name, rows in sample.items():
        if name == NEXT_IDS or (names is not None and name not in names):
            continue
        for row in rows:
            shop.tables[name].insert({field: _value(value) for field, value in row.items()})
    if names is None:
        for name, following in sample[NEXT_IDS].items():
            shop.tables[name].next_id = following
    for order in shop.tables["orders"].ids:
        states.show_tracking(shop, order)
    version_row = shop.tables["configurations"].related("name", "PS_VERSION_DB")[0]
    zone_row = shop.tables["configurations"].related("name", "PS_TIMEZONE")[0]
    version_row["value"] = shop.version_text
    zone_row["value"] = str(shop.zone)
    images = [one for row in shop.tables["products"] for one in _image_ids(row)]
    shop.next_image = max(images, default=0) + 1
    shop.keys[SAMPLE_KEY] = access_key(SAMPLE_KEY)
    shop.recording = True


def _image_ids(row: Row) -> list[int]:
    stored = row.get("@images", ())
    return [one for one in stored if isinstance(one, int)] if isinstance(stored, tuple) else []


def _value(value: object) -> Value:
    if isinstance(value, dict):
        return {int(language): str(text) for language, text in value.items()}
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, int | str) else None
