"""From a cart to an order, as ``POST /api/orders`` does it."""

from decimal import Decimal

from connectors.prestashop.simulator.memory import Memory
from connectors.prestashop.simulator.orders import PAYMENT_NAMES, Sale, place
from connectors.prestashop.simulator.pricing import CENT, Line, price_line, totals
from connectors.prestashop.simulator.refusals import Fatal
from connectors.prestashop.simulator.schema import Row


def order_from_cart(memory: Memory, values: Row) -> int:
    """Make the order of a cart; Fatal without a cart, its products, or an installed module.

    Rows and totals come from the cart: the ``total_paid`` sent only decides whether the payment was right, to the cent.
    """
    cart = memory.tables["carts"].get(_number(values, "id_cart"))
    module = str(values.get("module", ""))
    if cart is None or module not in PAYMENT_NAMES:
        raise Fatal
    stored = cart.get("@cart_rows", ())
    items = [one for one in stored if isinstance(one, dict)] if isinstance(stored, tuple) else []
    lines = [
        Line(_number(one, "id_product"), _number(one, "quantity"), _number(one, "id_product_attribute"))
        for one in items
    ]
    if not lines:
        raise Fatal
    carrier = _number(values, "id_carrier")
    try:
        expected = totals(memory, [price_line(memory, line) for line in lines], carrier=carrier).paid
    except KeyError as problem:
        raise Fatal from problem
    # Stored values are texts of numbers already, whatever was sent.
    sent = Decimal(str(values.get("total_paid") or "0"))
    is_right = sent.quantize(CENT) == expected.quantize(CENT)
    state = memory.configuration("PS_OS_WS_PAYMENT" if is_right else "PS_OS_ERROR")
    sale = Sale(
        customer=_number(values, "id_customer"),
        lines=lines,
        state=int(state or 0),
        address=_number(values, "id_address_delivery"),
        invoice_address=_number(values, "id_address_invoice"),
        carrier=carrier,
        module=module,
        currency=_number(values, "id_currency"),
        language=_number(values, "id_lang"),
        cart=_number(values, "id_cart"),
    )
    return place(memory, sale, paid=expected if is_right else Decimal(0))


def _number(values: Row | dict[str, int | str], name: str) -> int:
    value = values.get(name, 0)
    text = str(value).strip() if isinstance(value, int | str) else ""
    return int(text) if text.isdigit() else 0
