"""Made-up shops of any size: the same numbers and seed give the same shop."""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.prestashop.simulator import oddities, orders
from connectors.prestashop.simulator.life import CITIES, FIRST_NAMES, LAST_NAMES
from connectors.prestashop.simulator.orders import Sale
from connectors.prestashop.simulator.pricing import Line
from connectors.prestashop.simulator.sample import build_bare_shop
from connectors.prestashop.simulator.schema import Row, Value
from connectors.prestashop.simulator.shop import Shop
from connectors.prestashop.simulator.text import slug
from domain import clock

THINGS = (
    ("Mug", "Mug"), ("Notebook", "Carnet"), ("Cushion", "Coussin"), ("Lamp", "Lampe"), ("Scarf", "Écharpe"),
    ("T-shirt", "T-shirt"), ("Candle", "Bougie"), ("Basket", "Panier"), ("Poster", "Affiche"), ("Teapot", "Théière"),
    ("Backpack", "Sac à dos"), ("Blanket", "Plaid"), ("Vase", "Vase"), ("Apron", "Tablier"), ("Clock", "Horloge"),
)  # fmt: skip
LOOKS = (
    ("blue", "bleu"), ("oak", "chêne"), ("linen", "lin"), ("striped", "rayé"), ("Nordic", "nordique"),
    ("ceramic", "céramique"), ("woollen", "laine"), ("recycled", "recyclé"), ("glass", "verre"), ("copper", "cuivre"),
)  # fmt: skip
PLACES = ("Brest", "Lyon", "Porto", "Kyoto", "Oslo", "Turin", "Ghent", "Riga", "Malmö", "Sète", "Cork", "Graz")
SUPPLIERS = ("Atelier du Port", "Northwind Wholesale", "Casa Lusa", "Baltic Goods", "Maison Verte", "Fjord & Co")
SIZES = (1, 2, 3, 4)
COLOURS = (5, 8, 10, 11, 14, 15)
PRODUCT_DAYS = 400
ORDER_DAYS = 10
IMAGE_SHARE = 0.4
TRANSLATED_SHARE = 0.3
SUPPLIED_SHARE = 0.7
STATES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
FREQUENT_STATES = (2, 2, 2, 3, 10, 1, 4, 5)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a generated shop is made of. ``until`` is the moment its past ends."""

    products: int
    orders: int
    customers: int
    combinations_share: float
    until: datetime


def build_generated_shop(
    *,
    products: int,
    seed: int = 0,
    combinations_share: float = 0.1,
    odd: bool = False,
    orders: int | None = None,
    customers: int | None = None,
    version: str = "8.2.1",
    timezone: str = "Europe/Paris",
    until: datetime | None = None,
) -> Shop:
    """A shop with this many products, about a tenth of them with two to six combinations.

    ``odd`` adds the records that break careless readers. ``orders`` and ``customers`` follow the number of products
    when not given, within bounds. Nothing is noted as a change. ``SAMPLE_KEY`` may do everything.
    """
    shop = build_bare_shop(version=version, timezone=timezone)
    shop.random = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
    plan = Plan(
        products,
        orders if orders is not None else min(max(products // 20, 30), 2000),
        customers if customers is not None else min(max(products // 20, 20), 2000),
        combinations_share,
        until or clock.now(),
    )
    shop.recording = False
    with _without_collector():
        _fill(shop, plan, odd=odd)
    shop.fixed_now = ""
    shop.recording = True
    return shop


@contextmanager
def _without_collector() -> Iterator[None]:
    """Half a million rows without one cycle: looking for cycles among them doubles the time it takes to make them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fill(shop: Shop, plan: Plan, *, odd: bool) -> None:
    _add_suppliers(shop)
    for number in range(1, plan.products + 1):
        _add_product(shop, plan, number)
    for _ in range(plan.customers):
        _add_customer(shop)
    for number in range(plan.orders if plan.products and plan.customers else 0):
        _add_order(shop, plan, number)
    if odd:
        shop.fixed_now = shop.local(plan.until)
        oddities.add(shop)


def barcode(number: int) -> str:
    """A valid EAN-13 of the range for own use, from a number."""
    digits = f"20{number:010d}"[:12]
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _add_suppliers(shop: Shop) -> None:
    for name in SUPPLIERS:
        shop.insert("suppliers", {"name": name, "link_rewrite": slug(name), "active": 1})


def _add_product(shop: Shop, plan: Plan, number: int) -> None:
    """Rows hold only what differs from the defaults: a hundred thousand of them have to fit."""
    chance = shop.random
    thing, look, place = chance.choice(THINGS), chance.choice(LOOKS), chance.choice(PLACES)
    english = f"{place} {look[0]} {thing[0].lower()} {number}"
    name: Value = english
    if chance.random() < TRANSLATED_SHARE:
        name = {1: english, 2: f"{thing[1]} {look[1]} {place} {number}"}
    added = plan.until - timedelta(minutes=chance.randrange(60 * 24 * PRODUCT_DAYS))
    edited = min(added + timedelta(minutes=chance.randrange(60 * 24 * 30)), plan.until)
    supplier = chance.randint(1, len(SUPPLIERS)) if chance.random() < SUPPLIED_SHARE else 0
    price = f"{chance.randint(100, 25_000) / 100:.6f}"
    row: Row = {
        "id": number,
        "id_supplier": supplier,
        "id_category_default": 2,
        "id_tax_rules_group": 1,
        "reference": f"{thing[0][:3].upper()}-{number:06d}",
        "ean13": barcode(number),
        "weight": f"{chance.randint(5, 4000) / 1000:.6f}",
        "price": price,
        "state": 1,
        "active": 1 if chance.random() > 0.05 else 0,
        "available_for_order": 1,
        "show_price": 1,
        "minimal_quantity": 1,
        "visibility": "both",
        "condition": "new",
        "product_type": "standard",
        "date_add": shop.local(added),
        "date_upd": shop.local(edited),
        "name": name,
        "link_rewrite": slug(english),
        "@categories": (2,),
    }
    if chance.random() < IMAGE_SHARE:
        count = chance.randint(1, 3)
        row["@images"] = tuple(range(shop.next_image, shop.next_image + count))
        row["id_default_image"] = shop.next_image
        shop.next_image += count
    has_combinations = chance.random() < plan.combinations_share
    quantity = 0 if has_combinations else max(chance.randint(-5, 120), 0)
    shop.tables["products"].insert(row)
    _add_stock(shop, number, 0, quantity)
    if has_combinations:
        _add_combinations(shop, number, row)
    if supplier:
        shop.tables["product_suppliers"].insert(
            {
                "id_product": number,
                "id_supplier": supplier,
                "id_currency": 1,
                "product_supplier_reference": f"S{supplier}-{number:05d}",
                "product_supplier_price_te": f"{float(price) / 2:.6f}",
            }
        )


def _add_stock(shop: Shop, product: int, attribute: int, quantity: int) -> None:
    row: Row = {"id_product": product, "id_shop": 1, "quantity": quantity, "out_of_stock": 2}
    if attribute:
        row["id_product_attribute"] = attribute
    shop.tables["stock_availables"].insert(row)


def _add_combinations(shop: Shop, product: int, row: Row) -> None:
    chance = shop.random
    pairs = chance.sample([(size, colour) for size in SIZES for colour in COLOURS], chance.randint(2, 6))
    table = shop.tables["combinations"]
    total = 0
    first = table.next_id
    for place, pair in enumerate(sorted(pairs)):
        combination: Row = {
            "id_product": product,
            "reference": f"{row['reference']}-{place + 1}",
            "ean13": barcode(5_000_000 + table.next_id),
            "@product_option_values": pair,
        }
        if place == 0:
            combination["default_on"] = "1"
        if chance.random() < 0.3:
            combination["price"] = f"{chance.randint(-200, 500) / 100:.6f}"
        identity = table.insert(combination)
        quantity = max(chance.randint(-3, 60), 0)
        total += quantity
        _add_stock(shop, product, identity, quantity)
    row.update({"product_type": "combinations", "id_default_combination": first, "cache_default_attribute": first})
    parent = shop.tables["stock_availables"].related("id_product", product)[0]
    parent["quantity"] = total


def _add_customer(shop: Shop) -> None:
    chance = shop.random
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    city, postcode, country = chance.choice(CITIES)
    number = shop.tables["customers"].next_id
    customer = shop.add_customer(
        firstname=first, lastname=last, email=f"buyer{number}@example.com", language=chance.choice((1, 2))
    )
    address1 = f"{chance.randint(1, 120)} rue du Port"
    shop.add_address(customer, city=city, country=country, postcode=postcode, address1=address1)


def _add_order(shop: Shop, plan: Plan, number: int) -> None:
    """Every state once, then the frequent ones; each an even step nearer to the end of the past."""
    chance = shop.random
    ago = timedelta(days=ORDER_DAYS) * (1 - number / plan.orders) + timedelta(seconds=chance.randrange(600))
    shop.fixed_now = shop.local(plan.until - ago)
    state = STATES[number] if number < len(STATES) else chance.choice(FREQUENT_STATES)
    customer = chance.choice(shop.tables["customers"].ids)
    address = int(str(shop.tables["addresses"].related("id_customer", customer)[0]["id"]))
    lines: list[Line] = []
    for _ in range(chance.randint(1, 4)):
        product = chance.randint(1, plan.products)
        combinations = shop.tables["combinations"].related("id_product", product)
        attribute = int(str(chance.choice(combinations)["id"])) if combinations else 0
        lines.append(Line(product, chance.randint(1, 3), attribute))
    carrier = chance.choice((1, 2, 2, 2))
    module = "ps_checkpayment" if state == 1 else "ps_cashondelivery" if state == 13 else "ps_wirepayment"
    orders.place(shop, Sale(customer, lines, state, address, address, carrier, module))
