"""The rules an administrator sets for one integration: what rules of flows look things up in."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

WILDCARD = "*"


class Fate(StrEnum):
    """What happens to an order in a remote status."""

    IMPORT = "import"
    WAIT = "wait"
    SKIP = "skip"
    CANCEL = "cancel"
    SHIPPED = "shipped"


class PaymentRule(StrEnum):
    """Whether orders of a payment method come in before they are paid."""

    ALWAYS = "always"
    WHEN_PAID = "when_paid"
    NEVER = "never"


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an integration's rules.

    Tables are keyed by the remote value; ``*`` stands for any value not named. ``hub_fields`` are the product fields whose
    system of record is the hub: an import leaves them alone. ``guard_share`` is the part of known records a run may
    deactivate, zero or re-price before it stops and asks.
    """

    integration: str = ""
    statuses: dict[str, Fate] = {}
    shipping_methods: dict[str, str] = {}
    payment_methods: dict[str, PaymentRule] = {}
    warehouses: tuple[str, ...] = ("main",)
    safety_buffer: Decimal = Decimal(0)
    hub_fields: tuple[str, ...] = ()
    give_up_after: timedelta = timedelta(days=30)
    first_import_window: timedelta = timedelta(days=30)
    guard_share: Decimal = Decimal("0.30")

    def shipping_method(self, remote: str) -> str | None:
        """The hub shipping method for a remote one, or None when nothing is mapped."""
        return self.shipping_methods.get(remote) or self.shipping_methods.get(WILDCARD)

    def remote_shipping_method(self, hub: str) -> str | None:
        """The way back: the remote method that is mapped to a hub shipping method, if exactly one is named."""
        named = [remote for remote, method in self.shipping_methods.items() if method == hub and remote != WILDCARD]
        return named[0] if len(named) == 1 else None
