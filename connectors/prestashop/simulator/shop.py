"""A shop: its memory, with what merchants and buyers do in it outside the webservice."""

from collections.abc import Sequence

from connectors.prestashop.simulator import orders, states
from connectors.prestashop.simulator.goods import Goods
from connectors.prestashop.simulator.locking import alone
from connectors.prestashop.simulator.memory import DEFAULT_SHOP
from connectors.prestashop.simulator.orders import Sale
from connectors.prestashop.simulator.pricing import Line
from connectors.prestashop.simulator.schema import Row, Value


class Shop(Goods):
    """One installation. Inherits its memory, because it is that memory with verbs.

    Every verb takes the shop's lock, so that it may be called while a server answers in another thread.
    """

    @alone
    def add_customer(self, /, *, firstname: str, lastname: str, email: str, language: int = 1, **fields: Value) -> int:
        """A customer with an account."""
        now = self.now()
        row: Row = {
            "firstname": firstname,
            "lastname": lastname,
            "email": email,
            "id_lang": language,
            "active": 1,
            "secure_key": f"{self.random.getrandbits(128):032x}",
            "date_add": now,
            "date_upd": now,
            "@groups": (3,),
        }
        return self.insert("customers", {**row, **fields})

    @alone
    def add_address(self, /, customer: int, *, city: str, country: int = 8, **fields: Value) -> int:
        """An address of a customer; the names are the customer's."""
        now = self.now()
        owner = self.row("customers", customer)
        row: Row = {
            "id_customer": customer,
            "id_country": country,
            "alias": "Home",
            "lastname": owner.get("lastname", ""),
            "firstname": owner.get("firstname", ""),
            "address1": "1 rue du Port",
            "city": city,
            "date_add": now,
            "date_upd": now,
        }
        return self.insert("addresses", {**row, **fields})

    @alone
    def place_order(
        self,
        customer: int,
        lines: Sequence[Line | tuple[int, int] | tuple[int, int, int]],
        *,
        state: int = 10,
        carrier: int = 2,
        address: int | None = None,
        module: str = "ps_wirepayment",
        reference: str = "",
        cart: int = 0,
        shop: int = DEFAULT_SHOP,
    ) -> int:
        """A buyer orders. A line is (product, quantity) or (product, quantity, combination); carrier 0 is not sent."""
        own = self.tables["addresses"].related("id_customer", customer)
        place = address if address is not None else int(str(own[0]["id"])) if own else 0
        sale = Sale(
            customer=customer,
            lines=[one if isinstance(one, Line) else Line(*one) for one in lines],
            state=state,
            address=place,
            invoice_address=place,
            carrier=carrier,
            module=module,
            language=self.number("customers", customer, "id_lang") or 1,
            reference=reference,
            cart=cart,
            shop=shop,
        )
        return orders.place(self, sale)

    @alone
    def set_state(self, order: int, state: int, *, sends_mail: bool = False) -> int:
        """Change an order's state in the back office; the history row's id."""
        return states.change_state(self, order, state, sends_mail=sends_mail)

    def pay(self, order: int) -> int:
        """The payment arrives."""
        return self.set_state(order, int(self.configuration("PS_OS_PAYMENT") or 2))

    def cancel(self, order: int) -> int:
        """The order is cancelled; its stock comes back."""
        return self.set_state(order, int(self.configuration("PS_OS_CANCELED") or 6))

    def ship(self, order: int, tracking: str = "") -> int:
        """The order leaves, with a tracking number if given."""
        if tracking:
            self.set_tracking(order, tracking)
        return self.set_state(order, int(self.configuration("PS_OS_SHIPPING") or 4))

    @alone
    def set_tracking(self, order: int, tracking: str) -> None:
        """Write the tracking number of the first parcel; nothing happens to an order that is not sent."""
        rows = self.tables["order_carriers"].related("id_order", order)
        if rows:
            self.update("order_carriers", int(str(rows[0]["id"])), {"tracking_number": tracking})
            states.show_tracking(self, order)

    @alone
    def refund(self, order: int, quantities: dict[int, int]) -> int:
        """A credit slip for pieces of order rows (by order_details id); its id."""
        return orders.refund(self, order, quantities)

    @alone
    def edit_carrier(self, /, carrier: int, **fields: Value) -> int:
        """Edit a carrier in the back office: it gets a new id, the old one is marked deleted, ``id_reference`` stays."""
        old = dict(self.row("carriers", carrier))
        self.update("carriers", carrier, {"deleted": 1})
        old.pop("id")
        return self.insert("carriers", {**old, **fields})

    @alone
    def delete_customer(self, customer: int) -> None:
        """Delete a customer in the back office: customer and addresses stay readable, marked deleted."""
        self.update("customers", customer, {"deleted": 1})
        for row in self.tables["addresses"].related("id_customer", customer):
            self.update("addresses", int(str(row["id"])), {"deleted": 1})

    @alone
    def add_shop(self, name: str, *, folder: str) -> int:
        """A further shop of the installation, below a folder such as ``second/``."""
        identity = self.insert(
            "shops", {"id_shop_group": 1, "id_category": 2, "active": 1, "name": name, "theme_name": "classic"}
        )
        self.insert(
            "shop_urls",
            {"id_shop": identity, "active": 1, "main": 1, "physical_uri": "/", "virtual_uri": folder},
        )
        return identity
