"""What happens in a shop by itself: buyers order and pay, some cancel, the merchant edits, the till sells."""

import random
from collections.abc import Callable

from connectors.prestashop.simulator.schema import Row
from connectors.prestashop.simulator.shop import Shop

FIRST_NAMES = ("Léa", "Jonas", "Marta", "Piotr", "Chloé", "Tim", "Sofia", "Hugo", "Nina", "Karl")
LAST_NAMES = ("Petit", "Weber", "Rossi", "Kowalski", "Durand", "Meyer", "Moreau", "Jansen", "Leroy", "Berg")
CITIES = (("Paris", "75011", 8), ("Berlin", "10115", 1), ("Warszawa", "00-838", 14), ("Gent", "9000", 3))
MOST_LINES = 3
LOOKS = 20


class ShopLife:
    """Lets one thing happen at a time; the same seed on the same shop gives the same life."""

    def __init__(self, shop: Shop, *, seed: int = 0) -> None:
        """Nothing happens before the first ``step``."""
        self._shop = shop
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
        self._born = 0

    def step(self) -> str:
        """One thing happens; says what."""
        with self._shop.lock:
            events: tuple[tuple[Callable[[], str], int], ...] = (
                (self._order, 35),
                (self._pay, 20),
                (self._edit, 15),
                (self._sell, 15),
                (self._join, 10),
                (self._cancel, 5),
            )
            chosen = self._random.choices([one for one, _ in events], [weight for _, weight in events])[0]
            return chosen()

    def _join(self) -> str:
        self._born += 1
        first, last = self._random.choice(FIRST_NAMES), self._random.choice(LAST_NAMES)
        city, postcode, country = self._random.choice(CITIES)
        # Numbered by the table, so that a shop that has lived before does not give an address away twice.
        mail = f"buyer{self._shop.tables['customers'].next_id}@example.com"
        customer = self._shop.add_customer(firstname=first, lastname=last, email=mail)
        self._shop.add_address(customer, city=city, country=country, postcode=postcode)
        return f"customer {customer} joined"

    def _order(self) -> str:
        customers = self._shop.tables["customers"].ids
        products = [found for _ in range(self._random.randint(1, MOST_LINES)) if (found := self._sellable())]
        if not customers or not products:
            return self._join()
        lines = [(product, self._random.randint(1, 3), attribute) for product, attribute in products]
        state = int(self._shop.configuration(self._random.choice(("PS_OS_BANKWIRE", "PS_OS_CHEQUE", "PS_OS_PAYMENT"))))
        order = self._shop.place_order(self._random.choice(customers), lines, state=state)
        return f"order {order} placed"

    def _sellable(self) -> tuple[int, int] | None:
        """A product for sale and one of its combinations, if it has any; None when none was found."""
        ids = self._shop.tables["products"].ids
        for _ in range(LOOKS if ids else 0):
            product = self._random.choice(ids)
            row = self._shop.row("products", product)
            if row.get("active") and row.get("state", 1):
                combinations = self._shop.tables["combinations"].related("id_product", product)
                return product, int(str(self._random.choice(combinations)["id"])) if combinations else 0
        return None

    def _recent(self, wanted: Callable[[Row], bool]) -> Row | None:
        ids = self._shop.tables["orders"].ids[-100:]
        found = [row for one in ids if wanted(row := self._shop.row("orders", one))]
        return self._random.choice(found) if found else None

    def _waiting(self) -> frozenset[int]:
        names = ("PS_OS_BANKWIRE", "PS_OS_CHEQUE")
        return frozenset(int(self._shop.configuration(name) or 0) for name in names)

    def _pay(self) -> str:
        waiting = self._waiting()
        row = self._recent(lambda one: one.get("current_state") in waiting)
        if row is None:
            return self._order()
        self._shop.pay(int(str(row["id"])))
        return f"order {row['id']} paid"

    def _cancel(self) -> str:
        waiting = self._waiting()
        row = self._recent(lambda one: one.get("current_state") in waiting)
        if row is None:
            return self._order()
        self._shop.cancel(int(str(row["id"])))
        return f"order {row['id']} cancelled"

    def _edit(self) -> str:
        found = self._sellable()
        if found is None:
            return self._join()
        price = f"{self._random.randint(100, 20_000) / 100:.6f}"
        self._shop.edit_product(found[0], price=price)
        return f"product {found[0]} edited"

    def _sell(self) -> str:
        found = self._sellable()
        if found is None:
            return self._join()
        self._shop.sell(found[0], self._random.randint(1, 3), attribute=found[1])
        return f"product {found[0]} sold at the till"
