"""What hangs on an order: its history, parcels, payments, invoices and credit slips."""

from connectors.prestashop.simulator.schema import (
    Association,
    Field,
    Part,
    Resource,
    decimal,
    flag,
    key,
    moment,
    number,
    text,
)

ORDER_HISTORIES = Resource(
    "order_histories",
    "order_history",
    "OrderHistory",
    "The Order histories",
    fields=(
        key("id_employee", "employees"),
        key("id_order_state", "order_states", required=True),
        key("id_order", "orders", required=True),
        moment("date_add"),
    ),
    indexes=("id_order",),
)

ORDER_CARRIERS = Resource(
    "order_carriers",
    "order_carrier",
    "OrderCarrier",
    "The Order carriers",
    fields=(
        key("id_order", "orders", required=True),
        key("id_carrier", "carriers", required=True),
        key("id_order_invoice"),
        decimal("weight", check="isFloat"),
        decimal("shipping_cost_tax_excl", check="isFloat"),
        decimal("shipping_cost_tax_incl", check="isFloat"),
        text("tracking_number", check="isTrackingNumber"),
        moment("date_add"),
    ),
    indexes=("id_order",),
)

ORDER_PAYMENTS = Resource(
    "order_payments",
    "order_payment",
    "OrderPayment",
    "The Order payments",
    fields=(
        text("order_reference", 9, check="isAnything"),
        key("id_currency", "currencies", required=True),
        decimal("amount", check="isNegativePrice", required=True),
        text("payment_method", check="isGenericName"),
        Field("conversion_rate", "decimal", "1.000000", "isFloat"),
        text("transaction_id", 254),
        text("card_number", 254),
        text("card_brand", 254),
        text("card_expiration", 254),
        text("card_holder", 254),
        moment("date_add"),
        Field("id_employee", "mixed", "", "isNullOrUnsignedId", since=(8,)),
    ),
    natural=("order_reference",),
    indexes=("order_reference",),
)

ORDER_INVOICES = Resource(
    "order_invoices",
    "order_invoice",
    "OrderInvoice",
    "The Order invoices",
    fields=(
        key("id_order", "orders", required=True),
        number("number", required=True),
        number("delivery_number"),
        moment("delivery_date", check="isDateFormat"),
        decimal("total_discount_tax_excl"),
        decimal("total_discount_tax_incl"),
        decimal("total_paid_tax_excl"),
        decimal("total_paid_tax_incl"),
        decimal("total_products"),
        decimal("total_products_wt"),
        decimal("total_shipping_tax_excl"),
        decimal("total_shipping_tax_incl"),
        number("shipping_tax_computation_method"),
        decimal("total_wrapping_tax_excl"),
        decimal("total_wrapping_tax_incl"),
        text("shop_address"),
        text("note"),
        moment("date_add"),
    ),
    indexes=("id_order",),
)

ORDER_SLIP = Resource(
    "order_slip",
    "order_slip",
    "OrderSlip",
    "The Order slips",
    fields=(
        key("id_customer", "customers", required=True),
        key("id_order", "orders", required=True),
        Field("conversion_rate", "decimal", "1.000000", "isFloat", required=True),
        decimal("total_products_tax_excl", required=True),
        decimal("total_products_tax_incl", required=True),
        decimal("total_shipping_tax_excl", required=True),
        decimal("total_shipping_tax_incl", required=True),
        decimal("amount", check="isFloat"),
        flag("shipping_cost"),
        decimal("shipping_cost_amount", check="isFloat"),
        flag("partial"),
        moment("date_add"),
        moment("date_upd"),
        number("order_slip_type"),
    ),
    associations=(
        Association(
            "order_slip_details",
            "order_slip_detail",
            parts=(Part("id"), Part("id_order_detail"), Part("product_quantity"), Part("amount_tax_incl")),
            stored=True,
        ),
    ),
    list_node="order_slips",
    indexes=("id_order",),
)

RESOURCES = (ORDER_HISTORIES, ORDER_CARRIERS, ORDER_PAYMENTS, ORDER_INVOICES, ORDER_SLIP)
