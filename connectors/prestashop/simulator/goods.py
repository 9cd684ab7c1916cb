"""What a merchant does with keys, settings, products, stock and images outside the webservice."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from connectors.prestashop.simulator import rules, stock
from connectors.prestashop.simulator.keys import AccessKey, access_key
from connectors.prestashop.simulator.locking import alone
from connectors.prestashop.simulator.memory import DEFAULT_SHOP, Memory
from connectors.prestashop.simulator.schema import Row, Value
from connectors.prestashop.simulator.text import slug


class Goods(Memory):
    """The half of a shop that is about goods; see ``Shop``."""

    @alone
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

    @alone
    def configure(self, name: str, value: str) -> None:
        """Write a setting."""
        rows = self.tables["configurations"].related("name", name)
        if rows:
            self.update("configurations", int(str(rows[0]["id"])), {"value": value})
        else:
            self.insert("configurations", {"name": name, "value": value})

    @alone
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

    @alone
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

    @alone
    def edit_product(self, /, product: int, **fields: Value) -> None:
        """Save a product in the back office: ``date_upd`` is now."""
        self.update("products", product, {**fields, "date_upd": self.now()})

    @alone
    def delete_product(self, product: int) -> None:
        """Delete a product with its combinations and stock."""
        rules.delete(self, self.resources["products"], product)

    @alone
    def delete_combination(self, combination: int) -> None:
        """Delete a combination with its stock."""
        rules.delete(self, self.resources["combinations"], combination)

    @alone
    def set_stock(self, product: int, quantity: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP) -> None:
        """Write a stock level; KeyError when there is no such row."""
        row = stock.find_row(self, product, attribute=attribute, shop=shop)
        if row is None:
            raise KeyError(product, attribute, shop)
        stock.set_quantity(self, row, quantity)

    @alone
    def stock_of(self, product: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP) -> int:
        """A stock level; KeyError when there is no such row."""
        row = stock.find_row(self, product, attribute=attribute, shop=shop)
        if row is None:
            raise KeyError(product, attribute, shop)
        return int(str(row.get("quantity", 0)))

    @alone
    def sell(self, product: int, quantity: int = 1, *, attribute: int = 0) -> None:
        """Take stock without an order, as a correction in the back office does."""
        stock.move(self, product, -quantity, attribute=attribute)

    @alone
    def add_stock_row(self, product: int, *, attribute: int = 0, shop: int = DEFAULT_SHOP, quantity: int = 0) -> int:
        """A stock row the API cannot make, such as one for a second shop."""
        return stock.add_row(self, product, attribute=attribute, shop=shop, quantity=quantity)

    @alone
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
