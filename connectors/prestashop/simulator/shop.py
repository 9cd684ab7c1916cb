"""A shop: its memory, with what merchants and buyers do in it outside the webservice.

Every method takes the shop's lock, so that it may be called while a server answers in another thread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from connectors.prestashop.simulator import orders, rules, states, stock
from connectors.prestashop.simulator.keys import AccessKey, access_key
from connectors.prestashop.simulator.memory import DEFAULT_SHOP, Memory
from connectors.prestashop.simulator.orders import Sale
from connectors.prestashop.simulator.pricing import Line
from connectors.prestashop.simulator.schema import Row, Value
from connectors.prestashop.simulator.text import slug

P = ParamSpec("P")
R = TypeVar("R")


def _alone(method: "Callable[Concatenate[Shop, P], R]") -> "Callable[Concatenate[Shop, P], R]":
    """While nobody else reads or changes the shop."""

    @wraps(method)
    def locked(shop: "Shop", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with shop.lock:
            return method(shop, *args, **kwargs)

    return locked


class Shop(Memory):
    """One installation. Inherits its memory, because it is that memory with verbs."""

    @_alone
    def add_key(
        self,
        text: str,
        *,
        rights: Mapping[str, Iterable[str]] | None = None,
        shops: Iterable[int] | None = None,
        is_active: bool = True,
    ) -> AccessKey:
        """Create or replace a webservice key; without ``rights`` it may do everything, without ``shops`` everywhere."""
        key = access_key(text, rights=rights, shops=shops, is_active=is_active)
        self.keys[text] = key
        return key

    @_alone
    def configure(self, name: str, value: str) -> None:
        """Write a setting."""
        rows = self.tables["configurations"].related("name", name)
        if rows:
            self.update("configurations", int(str(rows[0]["id"])), {"value": value})
        else:
            self.insert("configurations", {"name": name, "value": value})

    @_alone
    def add_product(
        self,
        /,
        name: Value,
        *,
        reference: str = "",
        price: str = "10.000000",
        quantity: int = 0,
        ean13: str = "",
        **fields: Value,
    ) -> int:
        """A product that is for sale, with its stock row."""
        now = self.now()
        row: Row = {
            "reference": reference,
            "price": f"{Decimal(price):.6f}",
            "ean13": ean13,
            "name": name,
            "link_rewrite": slug(name) if isinstance(name, str) else "article",
            "id_category_default": 2,
            "id_tax_rules_group": 1,
            "state": 1,
            "active": 1,
            "available_for_order": 1,
            "show_price": 1,
            "minimal_quantity": 1,
            "visibility": "both",
            "condition": "new",
            "product_type": "standard",
            "date_add": now,
            "date_upd": now,
            "@categories": (2,),
        }
        identity = self.insert("products", {**row, **fields})
        stock.add_row(self, identity, quantity=quantity)
        return identity

    @_alone
    def add_combination(
        self, /, product: int, *, reference: str = "", values: tuple[int, ...] = (), quantity: int = 0, **fields: Value
    ) -> int:
        """A combination of an existing product, with its stock row; the first one is the default."""
        is_first = not self.tables["combinations"].related("id_product", product)
        row: Row = {"id_product": product, "reference": reference, "@product_option_values": values}
        identity = self.insert("combinations", {**row, **({"default_on": "1"} if is_first else {}), **fields})
        if is_first:
            self.tables["products"].update(
                product,
                {
                    "id_default_combination": identity,
                    "cache_default_attribute": identity,
                    "product_type": "combinations",
                },
            )
        stock.add_row(self, product, attribute=identity, quantity=quantity)
        return identity

    @_alone
    def edit_product(self, /, product: int, **fields: Value) -> None:
        """Save a product in the back office: ``date_upd`` is now."""
        self.update("products", product, {**fields, "date_upd": self.now()})

    @_alone
    def delete_product(self, product: int) -> None:
        """Delete a product with its combinations and stock."""
        rules.delete(self, self.resources["products"], product)

    @_alone
    def delete_combination(self, combination: int) -> None:
        """Delete a combination with its stock."""
        rules.delete(self, self.resources["combinations"], combination)

    @_alone
    def set_stock(self, product: int, quantity: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP) -> None:
        """Write a stock level; KeyError when there is no such row."""
        row = stock.find_row(self, product, attribute=attribute, shop=shop)
        if row is None:
            raise KeyError(product, attribute, shop)
        stock.set_quantity(self, row, quantity)

    @_alone
    def stock_of(self, product: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP) -> int:
        """A stock level; KeyError when there is no such row."""
        row = stock.find_row(self, product, attribute=attribute, shop=shop)
        if row is None:
            raise KeyError(product, attribute, shop)
        return int(str(row.get("quantity", 0)))

    @_alone
    def sell(self, product: int, quantity: int = 1, *, attribute: int = 0) -> None:
        """Take stock without an order, as a correction in the back office does."""
        stock.move(self, product, -quantity, attribute=attribute)

    @_alone
    def add_stock_row(self, product: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP, quantity: int = 0) -> int:
        """A stock row the API cannot make, such as one for a second shop."""
        return stock.add_row(self, product, attribute=attribute, shop=shop, quantity=quantity)

    @_alone
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

    @_alone
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

    @_alone
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

    @_alone
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

    @_alone
    def set_tracking(self, order: int, tracking: str) -> None:
        """Write the tracking number of the first parcel; nothing happens to an order that is not sent."""
        rows = self.tables["order_carriers"].related("id_order", order)
        if rows:
            self.update("order_carriers", int(str(rows[0]["id"])), {"tracking_number": tracking})
            states.show_tracking(self, order)

    @_alone
    def refund(self, order: int, quantities: dict[int, int]) -> int:
        """A credit slip for pieces of order rows (by order_details id); its id."""
        return orders.refund(self, order, quantities)

    @_alone
    def edit_carrier(self, /, carrier: int, **fields: Value) -> int:
        """Edit a carrier in the back office: it gets a new id, the old one is marked deleted, ``id_reference`` stays."""
        old = dict(self.row("carriers", carrier))
        self.update("carriers", carrier, {"deleted": 1})
        old.pop("id")
        return self.insert("carriers", {**old, **fields})

    @_alone
    def delete_customer(self, customer: int) -> None:
        """Delete a customer in the back office: customer and addresses stay readable, marked deleted."""
        self.update("customers", customer, {"deleted": 1})
        for row in self.tables["addresses"].related("id_customer", customer):
            self.update("addresses", int(str(row["id"])), {"deleted": 1})

    @_alone
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

    @_alone
    def add_image(self, product: int, content: bytes = b"") -> int:
        """An image of a product; without content it gets a made-up one."""
        identity = self.next_image
        self.next_image += 1
        if content:
            self.image_files[product, identity] = content
        stored = self.row("products", product).get("@images", ())
        before = tuple(one for one in stored if isinstance(one, int)) if isinstance(stored, tuple) else ()
        cover = self.number("products", product, "id_default_image") or identity
        self.update("products", product, {"@images": (*before, identity), "id_default_image": cover})
        return identity
