"""What an order costs: its lines, its shipping, its totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.prices import tax_rate
from connectors.prestashop.simulator.schema import Row

CENT = Decimal("0.01")
FLAT_SHIPPING = Decimal(7)


def six(amount: Decimal) -> str:
    """An amount as PrestaShop writes it."""
    return f"{amount:.6f}"


@dataclass(frozen=True, slots=True)
class Line:
    """What is bought: ``attribute`` 0 is the product itself."""

    product: int
    quantity: int
    attribute: int = 0


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with its prices of one piece, and a snapshot of what it is."""

    line: Line
    net: Decimal
    gross: Decimal
    name: str
    snapshot: Row

    @property
    def total_net(self) -> Decimal:
        """Without tax."""
        return (self.net * self.line.quantity).quantize(CENT, ROUND_HALF_UP)

    @property
    def total_gross(self) -> Decimal:
        """With tax."""
        return (self.gross * self.line.quantity).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an order."""

    products: Decimal
    products_gross: Decimal
    shipping: Decimal
    shipping_gross: Decimal

    @property
    def paid(self) -> Decimal:
        """With tax."""
        return self.products_gross + self.shipping_gross

    def fields(self) -> Row:
        """As the order's fields."""
        net = self.products + self.shipping
        return {
            "total_paid": six(self.paid),
            "total_paid_tax_incl": six(self.paid),
            "total_paid_tax_excl": six(net),
            "total_products": six(self.products),
            "total_products_wt": six(self.products_gross),
            "total_shipping": six(self.shipping_gross),
            "total_shipping_tax_incl": six(self.shipping_gross),
            "total_shipping_tax_excl": six(self.shipping),
        }


def price_line(memory: Memory, line: Line) -> PricedLine:
    """A line's prices and names; KeyError when the product or combination does not exist."""
    product = memory.row("products", line.product)
    combination = memory.row("combinations", line.attribute) if line.attribute else {}
    net = Decimal(str(product.get("price", "0"))) + Decimal(str(combination.get("price", "0")))
    gross = net * (1 + tax_rate(memory, product.get("id_tax_rules_group", 0)) / 100)
    name = _one_language(product.get("name", ""))
    label = combination_label(memory, combination)
    weight = Decimal(str(product.get("weight", "0"))) + Decimal(str(combination.get("weight", "0")))
    snapshot: Row = {
        "product_id": line.product,
        "product_attribute_id": line.attribute,
        "product_quantity": line.quantity,
        "product_quantity_in_stock": line.quantity,
        "product_name": f"{name} ({label})" if label else name,
        "product_price": six(net),
        "product_ean13": combination.get("ean13") or product.get("ean13", ""),
        "product_reference": combination.get("reference") or product.get("reference", ""),
        "product_supplier_reference": product.get("supplier_reference", ""),
        "product_weight": six(weight),
        "id_tax_rules_group": product.get("id_tax_rules_group", 0),
        "original_product_price": six(net),
    }
    return PricedLine(line, net, gross, str(snapshot["product_name"]), snapshot)


def combination_label(memory: Memory, combination: Row) -> str:
    """``Size : S - Color : White``; nothing for a combination without values."""
    stored = combination.get("@product_option_values", ())
    words: list[str] = []
    for value in stored if isinstance(stored, tuple) else ():
        row = memory.tables["product_option_values"].get(value) if isinstance(value, int) else None
        if row is not None:
            group = memory.tables["product_options"].get(int(str(row.get("id_attribute_group", 0)))) or {}
            words.append(f"{_one_language(group.get('name', ''))} : {_one_language(row.get('name', ''))}")
    return " - ".join(words)


def _one_language(value: object) -> str:
    return str(next(iter(value.values()), "")) if isinstance(value, dict) else str(value)


def totals(memory: Memory, lines: Sequence[PricedLine], *, carrier: int) -> Totals:
    """The sums of an order sent with this carrier; 0 is none, for goods that are not sent."""
    row = memory.tables["carriers"].get(carrier)
    is_free = row is None or bool(row.get("is_free", 0))
    shipping = Decimal(0) if is_free else FLAT_SHIPPING
    rate = tax_rate(memory, (row or {}).get("id_tax_rules_group", 1))
    return Totals(
        sum((line.total_net for line in lines), Decimal(0)),
        sum((line.total_gross for line in lines), Decimal(0)),
        shipping,
        (shipping * (1 + rate / 100)).quantize(CENT, ROUND_HALF_UP),
    )
