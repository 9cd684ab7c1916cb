"""Orders: a snapshot of what was sold. What an order points to may be deleted since; then the order says so and passes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from connectors.prestashop.client.rows import AddressRow, Broken, OrderLineRow, OrderRaw, OrderRow, Scalar
from connectors.prestashop.mapping.fields import (
    LONG,
    NAME,
    barcode,
    flag,
    moment,
    number,
    number_or_zero,
    pieces,
    problem,
    reference,
    text,
    translated,
)
from connectors.prestashop.mapping.products import item_id, label, unreadable
from domain.records import Address, Customer, Money, Order, OrderLine, OrderStatus, Payment, Totals, minor_unit


@dataclass(frozen=True, slots=True)
class Shop:
    """What the mapping of orders needs to know about the shop. ``cancelled_states`` are ids."""

    zone: tzinfo
    language: str
    name: str
    cancelled_states: frozenset[str]


def order(raw: OrderRaw | Broken, shop: Shop) -> Order:
    """An order in its own currency. Odd totals and missing links are remarked upon, an unknown currency is refused."""
    if isinstance(raw, Broken):
        raise unreadable(raw)
    row = raw.row
    if len(raw.currency) != 3 or not raw.currency.isalpha():
        raise problem(
            "id_currency", "is a currency the shop does not have", cause=f"unknown_currency:{row.id_currency}"
        )
    placed_at = moment(row.date_add, "date_add", shop.zone)
    if placed_at is None:
        raise problem("date_add", "is empty")
    lines = tuple(map(_line, row.associations.order_rows)) if row.associations is not None else ()
    totals = _totals(row)
    payments, payment_remarks = _payments(raw, shop)
    is_shipped_out = bool(reference(row.id_carrier, "id_carrier"))
    shipping_code, shipping_name = _shipping(raw, shop)
    remarks = (
        *_missing(raw),
        *_odd_totals(totals, lines, raw.currency),
        *payment_remarks,
        *_odd_payments(payments, totals, raw.currency),
    )
    return Order(
        remote_id=str(row.id),
        number=text(row.reference, "reference") or str(row.id),
        placed_at=placed_at,
        status=_status(raw, shop),
        customer=_customer(raw),
        delivery=_address(raw.delivery, raw.delivery_country, raw.delivery_region) if is_shipped_out else None,
        billing=_address(raw.billing, raw.billing_country, raw.billing_region),
        currency=raw.currency,
        totals=totals,
        lines=lines,
        payment_method=text(row.module, "module") or text(row.payment, "payment"),
        payments=payments,
        shipping_code=shipping_code,
        shipping_name=shipping_name,
        needs_shipping=is_shipped_out,
        gift_message=text(row.gift_message, "gift_message", LONG) if flag(row.gift) else "",
        note=text(row.note, "note", LONG),
        remarks=remarks,
    )


def identify(raw: OrderRaw | Broken) -> tuple[str, str]:
    """The id and the order's reference."""
    if isinstance(raw, Broken):
        return raw.id, raw.label or f"#{raw.id}"
    return str(raw.row.id), label(raw.row.reference, raw.row.id)


def _line(row: OrderLineRow) -> OrderLine:
    row_id = reference(row.id, "order_rows")
    place = f"order_rows {row_id}: "
    product = reference(row.product_id, place + "product_id")
    quantity = pieces(row.product_quantity, place + "product_quantity")
    if quantity < 0:
        raise problem(place + "product_quantity", f"is below zero: {quantity}")
    return OrderLine(
        remote_id=row_id,
        item_remote_id=item_id(product, reference(row.product_attribute_id, place + "product_attribute_id")),
        sku=text(row.product_reference, place + "product_reference"),
        name=text(row.product_name, place + "product_name", NAME),
        barcode=barcode(row.product_ean13, row.product_upc, row.product_isbn),
        quantity=quantity,
        unit_price=number(row.unit_price_tax_excl, place + "unit_price_tax_excl"),
        unit_price_with_tax=number(row.unit_price_tax_incl, place + "unit_price_tax_incl"),
    )


def _totals(row: OrderRow) -> Totals:
    return Totals(
        products=number(row.total_products_wt, "total_products_wt"),
        shipping=number_or_zero(row.total_shipping_tax_incl, "total_shipping_tax_incl"),
        wrapping=number_or_zero(row.total_wrapping_tax_incl, "total_wrapping_tax_incl"),
        discounts=number_or_zero(row.total_discounts_tax_incl, "total_discounts_tax_incl"),
        total=number(row.total_paid_tax_incl, "total_paid_tax_incl"),
        total_without_tax=number_or_zero(row.total_paid_tax_excl, "total_paid_tax_excl"),
    )


def _status(raw: OrderRaw, shop: Shop) -> OrderStatus:
    state_id = str(raw.row.current_state or "0")
    state = raw.state
    if state is None:
        return OrderStatus(remote_id=state_id, is_cancelled=state_id in shop.cancelled_states, is_known=False)
    return OrderStatus(
        remote_id=state_id,
        name=translated(state.name, "order_states", shop.language),
        is_paid=flag(state.paid),
        is_shipped=flag(state.shipped),
        is_cancelled=state_id in shop.cancelled_states,
    )


def _customer(raw: OrderRaw) -> Customer:
    found = raw.customer
    remote_id = reference(raw.row.id_customer, "id_customer")
    if found is None:  # what is left of a deleted customer is on the address
        address = raw.billing or raw.delivery
        return Customer(
            remote_id=remote_id,
            first_name=text(address.firstname, "firstname") if address is not None else "",
            last_name=text(address.lastname, "lastname") if address is not None else "",
            company=text(address.company, "company") if address is not None else "",
            language=raw.customer_language,
        )
    return Customer(
        remote_id=remote_id,
        email=text(found.email, "email"),
        first_name=text(found.firstname, "firstname"),
        last_name=text(found.lastname, "lastname"),
        company=text(found.company, "company"),
        language=raw.customer_language,
        is_guest=flag(found.is_guest),
    )


def _address(row: AddressRow | None, country: str, region: str) -> Address | None:
    if row is None:
        return None
    return Address(
        first_name=text(row.firstname, "firstname"),
        last_name=text(row.lastname, "lastname"),
        company=text(row.company, "company"),
        vat_number=text(row.vat_number, "vat_number"),
        line1=text(row.address1, "address1"),
        line2=text(row.address2, "address2"),
        postcode=text(row.postcode, "postcode"),
        city=text(row.city, "city"),
        region=region,
        country=country,
        phone=text(row.phone, "phone"),
        mobile=text(row.phone_mobile, "phone_mobile"),
        note=text(row.other, "other", NAME),
    )


def _shipping(raw: OrderRaw, shop: Shop) -> tuple[str, str]:
    """Editing a carrier makes a new id: the reference is what stays. The name ``0`` stands for the shop's own name."""
    carrier_id = reference(raw.row.id_carrier, "id_carrier")
    carrier = raw.carrier
    if not carrier_id or carrier is None:
        return carrier_id, ""
    name = text(carrier.name, "carriers.name")
    return reference(carrier.id_reference, "carriers.id_reference") or carrier_id, shop.name if name == "0" else name


def _payments(raw: OrderRaw, shop: Shop) -> tuple[tuple[Payment, ...], list[str]]:
    payments, remarks = [], []
    for row, currency in raw.payments:
        if not currency:
            remarks.append(
                f"A payment of {text(row.amount, 'order_payments.amount')} is in a currency the shop does not have."
            )
            continue
        payments.append(
            Payment(
                amount=Money(number(row.amount, "order_payments.amount"), currency),
                method=text(row.payment_method, "order_payments.payment_method"),
                transaction=text(row.transaction_id, "order_payments.transaction_id"),
                paid_at=moment(row.date_add, "order_payments.date_add", shop.zone),
            )
        )
    return tuple(payments), remarks


def _missing(raw: OrderRaw) -> Iterator[str]:
    """What the order points to and the shop no longer has."""
    row = raw.row
    links: Mapping[str, tuple[Scalar, object]] = {
        "customer": (row.id_customer, raw.customer),
        "delivery address": (row.id_address_delivery, raw.delivery),
        "billing address": (row.id_address_invoice, raw.billing),
        "carrier": (row.id_carrier, raw.carrier),
    }
    for name, (remote_id, found) in links.items():
        if found is None and reference(remote_id, name):
            yield f"The {name} {remote_id} no longer exists in the shop."
    for name, address, country in (
        ("delivery", raw.delivery, raw.delivery_country),
        ("billing", raw.billing, raw.billing_country),
    ):
        if address is not None and not country:
            yield f"The country of the {name} address is not one of the shop's countries."
    if row.associations is None or not row.associations.order_rows:
        yield "The order has no lines."


def _odd_totals(totals: Totals, lines: tuple[OrderLine, ...], currency: str) -> Iterator[str]:
    """Totals to a coin per line; shops hold orders whose totals do not add up, and the demo shop does too."""
    coin = minor_unit(currency)
    tolerance = coin * max(1, len(lines))
    expected = totals.products + totals.shipping + totals.wrapping - totals.discounts
    if abs(expected - totals.total) > tolerance:
        yield (
            f"Totals differ by {_money(totals.total - expected, currency)}: products, shipping, wrapping and discounts give "
            f"{_money(expected, currency)}, the order says {_money(totals.total, currency)}."
        )
    in_lines = sum((line.quantity * line.unit_price_with_tax for line in lines), Decimal(0))
    if lines and abs(in_lines - totals.products) > tolerance:
        yield f"The lines add up to {_money(in_lines, currency)}, the order says {_money(totals.products, currency)}."
    if totals.total < 0:
        yield f"The total is below zero: {_money(totals.total, currency)}."
    if totals.total % coin:
        yield f"The total, {totals.total} {currency}, is finer than the smallest coin of its currency."


def _odd_payments(payments: tuple[Payment, ...], totals: Totals, currency: str) -> Iterator[str]:
    """Payments are tied to the reference, which orders split from one cart share."""
    paid = sum((payment.amount.amount for payment in payments if payment.amount.currency == currency), Decimal(0))
    if paid > totals.total + minor_unit(currency):
        yield (
            f"Payments of {_money(paid, currency)} exceed the total of {_money(totals.total, currency)}: "
            "another order may share this reference."
        )


def _money(value: Decimal, currency: str) -> str:
    return str(Money(value, currency))
