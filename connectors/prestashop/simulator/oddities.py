"""The records that break careless readers. All of them were seen in, or are possible in, real shops."""

from connectors.prestashop.simulator import orders, rules
from connectors.prestashop.simulator.orders import Sale
from connectors.prestashop.simulator.pricing import Line
from connectors.prestashop.simulator.shop import Shop


def add(shop: Shop) -> None:
    """Add one or more of every kind."""
    _add_products(shop)
    _add_combinations(shop)
    _add_orders(shop)


def _add_products(shop: Shop) -> None:
    shop.add_product("No reference at all", reference="", quantity=3)
    shop.add_product("No reference either", reference="", quantity=4)
    for reference in ("TWICE-1", "TWICE-1", "twice-1", "TWICE-1 "):
        shop.add_product(f"Shares its reference ({reference})", reference=reference, quantity=5)
    shop.add_product("Leading zeros", reference="000123", quantity=1)
    shop.add_product("For nothing", reference="ODD-FREE", price="0", quantity=9)
    shop.add_product("Draft never saved", reference="ODD-DRAFT", state=0, active=0, available_for_order=0)
    shop.add_product("", reference="ODD-NAMELESS", state=0, active=0)
    shop.add_product("Not sold", reference="ODD-INACTIVE", active=0, quantity=2)
    shop.add_product("Breaks XML ]]> here", reference="ODD-CDATA", quantity=2)
    shop.add_product("Vertical\x0btab", reference="ODD-CONTROL", quantity=2)
    shop.add_product("Tea for two 🍵👩‍👩‍👧", reference="ODD-EMOJI-☕", quantity=2)
    shop.add_product("Long " * 25 + "end", reference="L" * 64, quantity=2)
    shop.add_product("Below nothing", reference="ODD-NEGATIVE", quantity=-4)
    shop.add_product("Bad barcode", reference="ODD-EAN", ean13="1234567890", quantity=2)
    shop.add_product("Same barcode", reference="ODD-EAN-1", ean13="4006381333931", quantity=2)
    shop.add_product("Same barcode", reference="ODD-EAN-2", ean13="4006381333931", quantity=2)
    shop.add_product("A file", reference="ODD-VIRTUAL", is_virtual=1, product_type="virtual", weight="0.000000")
    shop.add_product("Tax group nobody knows", reference="ODD-TAX", id_tax_rules_group=999, quantity=2)
    shop.add_product({1: "Only English", 2: ""}, reference="ODD-ENGLISH", quantity=2)


def _add_combinations(shop: Shop) -> None:
    product = shop.add_product("Combinations without values", reference="ODD-BARE")
    shop.add_combination(product, reference="ODD-BARE-1", quantity=3)
    shop.add_combination(product, reference="", quantity=4)
    twin = shop.add_product("Combination named like its product", reference="ODD-TWIN")
    shop.add_combination(twin, reference="ODD-TWIN", values=(1, 8), quantity=1)
    missing = shop.add_product("Combination without a stock row", reference="ODD-NOSTOCK")
    combination = shop.add_combination(missing, reference="ODD-NOSTOCK-1", values=(2, 8), quantity=1)
    for row in shop.tables["stock_availables"].related("id_product_attribute", combination):
        shop.delete("stock_availables", int(str(row["id"])))
    emptied = shop.add_product("All combinations deleted", reference="ODD-EMPTIED")
    only = shop.add_combination(emptied, reference="ODD-EMPTIED-1", values=(3, 8), quantity=6)
    shop.delete_combination(only)


def _add_orders(shop: Shop) -> None:
    customer = shop.add_customer(firstname="Ida", lastname="O'Brien-Ñúñez", email="ida.odd@example.com")
    shop.add_address(customer, city="Saint-Étienne", postcode="42000", phone="", phone_mobile="")
    address = int(str(shop.tables["addresses"].related("id_customer", customer)[0]["id"]))
    thing = shop.add_product("Bought by odd people", reference="ODD-BOUGHT", quantity=50)
    file = shop.add_product("Bought as a file", reference="ODD-BOUGHT-FILE", is_virtual=1)
    free = shop.add_product("Bought for nothing", reference="ODD-BOUGHT-FREE", price="0", quantity=5)

    def buy(product: int, *, carrier: int = 2, state: int = 2, reference: str = "", cart: int = 0) -> int:
        lines = [Line(product, 1)]
        return orders.place(
            shop,
            Sale(customer, lines, state, address, address, carrier, cart=cart, reference=reference),
        )

    buy(file, carrier=0)
    buy(free, carrier=1)
    first = buy(thing, reference="SPLITCART")
    buy(thing, reference="SPLITCART", cart=shop.number("orders", first, "id_cart"))
    unknown = buy(thing)
    for name, row in [("orders", unknown), *_parcels(shop, unknown)]:
        shop.update(name, row, {"id_carrier": 9999})
    old = buy(thing, carrier=2)
    shop.edit_carrier(2, name="My carrier, edited")
    shop.set_tracking(old, "ODD 123/45")
    several = buy(thing)
    shop.insert("order_carriers", {"id_order": several, "id_carrier": 1, "tracking_number": "SECOND-PARCEL"})
    gone = shop.add_product("Deleted after it was bought", reference="ODD-GONE", quantity=5)
    buy(gone)
    rules.delete(shop, shop.resources["products"], gone)
    partly = buy(thing)
    rows = shop.tables["order_details"].related("id_order", partly)
    shop.refund(partly, {int(str(rows[0]["id"])): 1})
    shop.delete_customer(customer)


def _parcels(shop: Shop, order: int) -> list[tuple[str, int]]:
    return [("order_carriers", int(str(row["id"]))) for row in shop.tables["order_carriers"].related("id_order", order)]
