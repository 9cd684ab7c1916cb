"""Rules for orders: which come in, which wait, which are left out, and what follows from a changed status."""

from msgspec.structs import replace

from domain.errors import NeedsAttention, Skip, Wait
from domain.records import Order, OrderStatus
from domain.rulebook import Fate, PaymentRule, Rulebook


def fate_of(status: OrderStatus, rulebook: Rulebook) -> Fate | None:
    """What the status matrix says of a status; without an entry, what the shop's own flags say; None: never seen before."""
    if status.remote_id in rulebook.statuses:
        return rulebook.statuses[status.remote_id]
    if not status.is_known:
        return None
    if status.is_cancelled:
        return Fate.CANCEL
    if status.is_shipped:
        return Fate.SHIPPED
    return Fate.IMPORT if status.is_paid else Fate.WAIT


def admit_by_status(order: Order, rulebook: Rulebook) -> Order:
    """Import, set aside or leave out by the remote status."""
    name = order.status.name or order.status.remote_id
    match fate_of(order.status, rulebook):
        case Fate.SKIP | Fate.CANCEL as fate:
            why = "is cancelled" if fate is Fate.CANCEL else f"is in status “{name}”, which is left out"
            raise Skip(f"Order {order.number} was not imported because it {why}.", cause=f"status:{fate}")
        case Fate.WAIT:
            return order if _is_welcome_unpaid(order, rulebook) else _wait(order, name)
        case Fate.SHIPPED:
            return _with_fate(order, "shipped")
        case Fate.IMPORT:
            return order
        case None:
            raise NeedsAttention(
                f"Order status “{name}” has not been seen before, so its orders are set aside.",
                cause=f"unmapped:status:{order.status.remote_id}",
                remedy=_map_it(
                    rulebook, table="status", remote=order.status.remote_id, hub="import|wait|skip|cancel|shipped"
                ),
                field="status",
            )


def admit_by_payment(order: Order, rulebook: Rulebook) -> Order:
    """Import orders of a payment method always, only when paid, or never."""
    method = order.payment_method
    match _payment_rule(order, rulebook):
        case PaymentRule.NEVER:
            raise Skip(
                f"Order {order.number} was not imported because orders paid by “{method}” are left out.",
                cause=f"payment:{method}",
            )
        case PaymentRule.WHEN_PAID if not order.status.is_paid:
            raise Wait(
                f"Order {order.number} was not imported because it waits for payment.", cause="waits_for_payment"
            )
    return order


def needs_known_shipping_method(order: Order, rulebook: Rulebook) -> Order:
    """Fill in the hub's shipping method. An unknown one is an error: shipping it would be a guess."""
    if not order.needs_shipping or order.fate != "open":
        return order
    method = rulebook.shipping_method(order.shipping_code)
    if method is None:
        name = order.shipping_name or "without a name"
        raise NeedsAttention(
            f"Unknown shipping method: the shop's carrier “{name}” (number {order.shipping_code}) is not mapped to one of "
            "yours, so its orders are held back.",
            cause=f"unmapped:shipping_method:{order.shipping_code}",
            remedy=_map_it(rulebook, table="shipping_method", remote=order.shipping_code, hub="<your shipping method>"),
            field="shipping_method",
        )
    return replace(order, shipping_method=method)


def follow_status(order: Order, rulebook: Rulebook) -> Order:
    """For an order already imported: cancelled there, cancelled here; shipped there, shipped here."""
    match fate_of(order.status, rulebook):
        case Fate.CANCEL:
            return _with_fate(order, "cancelled")
        case Fate.SHIPPED:
            return _with_fate(order, "shipped")
    return order


def merge_status(known: Order, incoming: Order) -> tuple[Order, str]:
    """Only the status of a known order follows the shop. Other differences are shown, never taken over."""
    fate = incoming.fate if known.fate == "open" else known.fate
    remarks = [name for name, field in _COMPARED if getattr(known, field) != getattr(incoming, field)]
    remark = f"changed in the shop since it was imported: {', '.join(remarks)}" if remarks else ""
    if known.fate == "shipped" and incoming.fate == "cancelled":
        remark = "cancelled in the shop after it was shipped"
    return replace(known, status=incoming.status, payments=incoming.payments, fate=fate), remark


_COMPARED = (
    ("lines", "lines"),
    ("delivery address", "delivery"),
    ("billing address", "billing"),
    ("totals", "totals"),
    ("shipping method", "shipping_code"),
)


def _payment_rule(order: Order, rulebook: Rulebook) -> PaymentRule:
    rules = rulebook.payment_methods
    return rules.get(order.payment_method) or rules.get("*") or PaymentRule.WHEN_PAID


def _is_welcome_unpaid(order: Order, rulebook: Rulebook) -> bool:
    """Orders of some payment methods (cash on delivery) come in before they are paid."""
    return not order.status.is_paid and _payment_rule(order, rulebook) is PaymentRule.ALWAYS


def _wait(order: Order, status: str) -> Order:
    reason = "it waits for payment" if not order.status.is_paid else f"its status is “{status}”"
    cause = "waits_for_payment" if not order.status.is_paid else f"status:wait:{order.status.remote_id}"
    raise Wait(f"Order {order.number} was not imported because {reason}.", cause=cause)


def _map_it(rulebook: Rulebook, *, table: str, remote: str, hub: str) -> str:
    return f"Map it with: navette mappings set {rulebook.integration} {table} {remote} {hub}"


def _with_fate(order: Order, fate: str) -> Order:
    return order if order.fate == fate else replace(order, fate=fate)
