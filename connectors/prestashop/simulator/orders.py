"""Making orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from string import ascii_uppercase

from connectors.prestashop.simulator import states, stock
from connectors.prestashop.simulator.memory import DEFAULT_SHOP, Memory
from connectors.prestashop.simulator.pricing import Line, PricedLine, Totals, price_line, six, totals
from connectors.prestashop.simulator.refusals import Fatal
from connectors.prestashop.simulator.schema import Row

PAYMENT_NAMES = {
    "ps_wirepayment": "Bank wire",
    "ps_checkpayment": "Payment by check",
    "ps_cashondelivery": "Cash on delivery",
}
REFERENCE_LETTERS = 9


@dataclass(frozen=True, slots=True)
class Sale:
    """What an order is made from."""

    customer: int
    lines: Sequence[Line]
    state: int
    address: int
    invoice_address: int
    carrier: int
    module: str = "ps_wirepayment"
    currency: int = 1
    language: int = 1
    cart: int = 0
    reference: str = ""
    shop: int = DEFAULT_SHOP


def new_reference(memory: Memory) -> str:
    """Nine letters no order has yet."""
    while True:
        reference = "".join(memory.random.choices(ascii_uppercase, k=REFERENCE_LETTERS))
        if not memory.tables["orders"].related("reference", reference):
            return reference


def place(memory: Memory, sale: Sale, *, paid: Decimal | None = None) -> int:
    """Make an order with its rows, parcel, history, stock, invoice and payment; returns its id.

    ``paid`` is what the buyer sent, and leaves a payment even of 0; without it, paid states pay all and others nothing.
    Fatal when a product, a combination or the state does not exist.
    """
    state = memory.tables["order_states"].get(sale.state)
    try:
        lines = [price_line(memory, line) for line in sale.lines]
    except KeyError as problem:
        raise Fatal from problem
    if state is None:
        raise Fatal
    sums = totals(memory, lines, carrier=sale.carrier)
    cart = sale.cart or add_cart(memory, sale)
    order = memory.insert("orders", _order_row(memory, sale, sums, cart=cart))
    for line in lines:
        _add_detail(memory, order, line, shop=sale.shop)
    if sale.carrier:
        _add_parcel(memory, order, sale, lines, sums=sums)
    if sale.state not in states.given_up(memory):
        for sold in sale.lines:
            stock.move(memory, sold.product, -sold.quantity, attribute=sold.attribute, shop=sale.shop)
    if paid is not None:
        states.add_payment(memory, order, paid)
        memory.update("orders", order, {"total_paid_real": six(paid)})
    if state.get("invoice"):
        states.add_invoice(memory, order)
    if state.get("paid"):
        states.pay_rest(memory, order)
    memory.insert("order_histories", {"id_order_state": sale.state, "id_order": order, "date_add": memory.now()})
    return order


def add_cart(memory: Memory, sale: Sale) -> int:
    """The cart an order came from."""
    now = memory.now()
    rows: tuple[dict[str, int | str], ...] = tuple(
        {
            "id_product": str(line.product),
            "id_product_attribute": str(line.attribute),
            "id_address_delivery": str(sale.address),
            "id_customization": "0",
            "quantity": str(line.quantity),
        }
        for line in sale.lines
    )
    return memory.insert(
        "carts",
        {
            "id_address_delivery": sale.address,
            "id_address_invoice": sale.invoice_address,
            "id_currency": sale.currency,
            "id_customer": sale.customer,
            "id_lang": sale.language,
            "id_carrier": sale.carrier,
            "delivery_option": f'{{"{sale.address}":"{sale.carrier},"}}',
            "date_add": now,
            "date_upd": now,
            "@cart_rows": rows,
        },
    )


def _order_row(memory: Memory, sale: Sale, sums: Totals, *, cart: int) -> Row:
    now = memory.now()
    customer = memory.tables["customers"].get(sale.customer) or {}
    state = memory.row("order_states", sale.state)
    return {
        "id_address_delivery": sale.address,
        "id_address_invoice": sale.invoice_address,
        "id_cart": cart,
        "id_currency": sale.currency,
        "id_lang": sale.language,
        "id_customer": sale.customer,
        "id_carrier": sale.carrier,
        "current_state": sale.state,
        "module": sale.module,
        "valid": int(bool(state.get("logable"))),
        "date_add": now,
        "date_upd": now,
        "secure_key": customer.get("secure_key", ""),
        "payment": PAYMENT_NAMES.get(sale.module, sale.module),
        **sums.fields(),
        "carrier_tax_rate": "20.000" if sale.carrier else "0.000",
        "reference": sale.reference or new_reference(memory),
        "id_shop": sale.shop,
    }


def _add_detail(memory: Memory, order: int, line: PricedLine, *, shop: int) -> None:
    memory.insert(
        "order_details",
        {
            **line.snapshot,
            "id_order": order,
            "id_shop": shop,
            "unit_price_tax_incl": six(line.gross),
            "unit_price_tax_excl": six(line.net),
            "total_price_tax_incl": six(line.total_gross),
            "total_price_tax_excl": six(line.total_net),
            "@taxes": (1,),
        },
    )


def _add_parcel(memory: Memory, order: int, sale: Sale, lines: Sequence[PricedLine], *, sums: Totals) -> None:
    weight = sum((Decimal(str(one.snapshot["product_weight"])) * one.line.quantity for one in lines), Decimal(0))
    memory.insert(
        "order_carriers",
        {
            "id_order": order,
            "id_carrier": sale.carrier,
            "weight": six(weight),
            "shipping_cost_tax_excl": six(sums.shipping),
            "shipping_cost_tax_incl": six(sums.shipping_gross),
            "date_add": memory.now(),
        },
    )


def refund(memory: Memory, order: int, quantities: dict[int, int]) -> int:
    """A credit slip for pieces of order rows, by order_details id; the refunded amount leaves ``total_paid_real`` alone."""
    details: list[dict[str, int | str]] = []
    net = gross = Decimal(0)
    for identity, quantity in quantities.items():
        row = memory.row("order_details", identity)
        piece_net = Decimal(str(row.get("unit_price_tax_excl", "0")))
        piece_gross = Decimal(str(row.get("unit_price_tax_incl", "0")))
        net += piece_net * quantity
        gross += piece_gross * quantity
        refunded = memory.number("order_details", identity, "product_quantity_refunded") + quantity
        memory.update(
            "order_details",
            identity,
            {"product_quantity_refunded": refunded, "total_refunded_tax_incl": six(piece_gross * refunded)},
        )
        details.append(
            {
                "id": len(details) + 1,
                "id_order_detail": identity,
                "product_quantity": quantity,
                "amount_tax_incl": six(piece_gross * quantity),
            }
        )
    now = memory.now()
    return memory.insert(
        "order_slip",
        {
            "id_customer": memory.number("orders", order, "id_customer"),
            "id_order": order,
            "total_products_tax_excl": six(net),
            "total_products_tax_incl": six(gross),
            "amount": six(gross),
            "partial": 1,
            "date_add": now,
            "date_upd": now,
            "@order_slip_details": tuple(details),
        },
    )
