"""What saving a product means, in one shop or in several."""

from connectors.prestashop.simulator import stock
from connectors.prestashop.simulator.memory import DEFAULT_SHOP
from connectors.prestashop.simulator.refusals import SOURCE, Refused
from connectors.prestashop.simulator.schema import Row
from connectors.prestashop.simulator.text import slug
from connectors.prestashop.simulator.wish import Wish

# Kept once for all shops; everything else of a product is each shop's own.
SHARED = frozenset(
    {
        "id_manufacturer",
        "id_supplier",
        "reference",
        "supplier_reference",
        "location",
        "width",
        "height",
        "depth",
        "weight",
        "ean13",
        "isbn",
        "upc",
        "mpn",
        "is_virtual",
        "state",
        "product_type",
        "date_add",
    }
)


def save_product(wish: Wish) -> int:
    """Save a product in the shops of the request; its id."""
    memory = wish.memory
    if wish.method == "POST" and not wish.posted.fields.get("name"):
        # The link text is made from the name, and PHP warns about the missing one before anything is stored.
        text = f"[PHP Warning #2] Undefined array key 1 ({SOURCE.replace('webservice/WebserviceRequest', 'Product')}, line 6543)"
        raise Refused(500, 3, text)
    name = wish.values.get("name")
    if name and not wish.values.get("link_rewrite") and wish.method != "PATCH":
        wish.values["link_rewrite"] = _slugs(name)
    if not wish.identity:
        return _new_product(wish)
    context = wish.question.context
    if context.is_all:
        memory.update("products", wish.identity, wish.values)
        for shop in memory.own.get(wish.identity, {}):
            if shop != DEFAULT_SHOP:
                memory.set_own(wish.identity, shop, _own_part(wish.values))
        return wish.identity
    for shop in sorted(context.shops):
        if shop == DEFAULT_SHOP:
            memory.update("products", wish.identity, wish.values)
        else:
            memory.update("products", wish.identity, {k: v for k, v in wish.values.items() if k in SHARED})
            memory.set_own(wish.identity, shop, _own_part(wish.values))
    return wish.identity


def _own_part(values: Row) -> Row:
    return {name: value for name, value in values.items() if name not in SHARED and not name.startswith("@")}


def _slugs(name: object) -> str | dict[int, str]:
    if isinstance(name, dict):
        return {language: slug(str(text)) for language, text in name.items()}
    return slug(str(name))


def _new_product(wish: Wish) -> int:
    defaults: Row = {
        "visibility": "both",
        "condition": "new",
        "product_type": "standard",
        "redirect_type": "404",
        "minimal_quantity": 1,
        "pack_stock_type": 3,
    }
    identity = wish.memory.insert("products", {**defaults, **wish.values})
    shops = wish.question.context.shops
    if shops != {DEFAULT_SHOP}:
        for shop in sorted(shops):
            wish.memory.set_own(identity, shop, {})
        if DEFAULT_SHOP not in shops:
            del wish.memory.own[identity][DEFAULT_SHOP]
    for shop in sorted(shops):
        stock.add_row(wish.memory, identity, shop=shop)
    return identity
