"""The ``price[alias][…]`` parameter: a field worked out with tax and the chosen combination."""

from decimal import ROUND_HALF_UP, Decimal

from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.rendering import Rendering
from connectors.prestashop.simulator.schema import Resource, Row

SIX_DIGITS = Decimal("0.000001")


def computed_prices(rendering: Rendering, resource: Resource, row: Row) -> list[tuple[str, str]]:
    """Alias and price for every definition; nothing for resources without prices."""
    if not rendering.prices or not resource.priced:
        return []
    return [(alias, _price(rendering.memory, resource, row, wanted)) for alias, wanted in rendering.prices.items()]


def _price(memory: Memory, resource: Resource, row: Row, wanted: dict[str, str]) -> str:
    combinations = memory.tables["combinations"]
    if resource.name == "combinations":
        chosen: Row | None = row
        product = memory.tables["products"].get(int(str(row.get("id_product", 0)))) or {}
    else:
        product = row
        chosen = combinations.get(int(wanted.get("product_attribute") or 0))
        if chosen is None and combinations.related("id_product", row["id"]):
            return "0.000000"
    price = Decimal(str(product.get("price", "0"))) + Decimal(str((chosen or {}).get("price", "0")))
    if wanted.get("use_tax", "1") == "1":
        price *= 1 + tax_rate(memory, product.get("id_tax_rules_group", 0)) / 100
    return str(price.quantize(SIX_DIGITS, ROUND_HALF_UP))


def tax_rate(memory: Memory, group: object, country: int = 0) -> Decimal:
    """Percent of tax for a group of tax rules, in the default country unless another is named."""
    place = country or int(memory.configuration("PS_COUNTRY_DEFAULT") or 0)
    for rule in memory.tables["tax_rules"]:
        if rule.get("id_tax_rules_group") == group and rule.get("id_country") == place:
            tax = memory.tables["taxes"].get(int(str(rule.get("id_tax", 0))))
            return Decimal(str(tax.get("rate", "0"))) if tax else Decimal(0)
    return Decimal(0)
