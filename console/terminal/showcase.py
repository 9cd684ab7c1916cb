"""The simulated shop of ``navette run --demo``: served in this process, connected as “demo”, alive."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from console.terminal import following
from domain.errors import UserError
from domain.schedule import Schedule, minutes
from engine.actions import feeds, integrations, mappings, simulation
from engine.runtime.platform import Platform
from engine.simulation.server import Server, serve
from storage.database import Unit
from storage.queries import executions
from storage.queries import integrations as stored

NAME = "demo"
PERSON = "demo"
STANDARD = "standard"
_SEED = 7
_EVERY_MINUTES = {"import_new_orders": 1, "update_orders": 2, "import_new_products": 3, "export_stock": 2}
_STAGES = (
    ("import_new_products",),
    ("import_new_orders", "import_suppliers", "import_product_suppliers"),
    ("import_stock", "import_product_images"),
)
"""Products first, for the rest is about them; stock behind the orders, which the shop has already taken off it."""
_LOOK_EVERY_SECONDS = 0.2


@contextmanager
def living_shop(platform: Platform, *, products: int, port: int, life: float) -> Iterator[Server]:
    """Serve and connect the shop until the block ends. It starts anew each time, so what is known of the last one is removed."""
    if following.is_anybody_working(platform):
        raise UserError(
            "Navette is running on this database already. Stop it first; if it was killed, wait half a minute and try again."
        )
    connector, shown = simulation.build_demonstration(platform.registry, products=products, seed=_SEED)
    with serve(shown.app, port=port, events_per_minute=life) as server:
        if platform.database.read(_is_connected):
            integrations.remove(platform, NAME, person=PERSON, confirmed=NAME, stops_work=True)
        integrations.add(platform, connector.name, name=NAME, values=simulation.connect_with(shown.app), person=PERSON)
        mappings.set_entry(platform, NAME, "shipping_method", shown.shipping_method, STANDARD, person=PERSON)
        for flow in platform.registry.flows_of(connector):
            if flow.name in _EVERY_MINUTES:
                schedule = Schedule(every=minutes(_EVERY_MINUTES[flow.name]))
                feeds.set_schedule(platform, f"{NAME}/{flow.name}", schedule, person=PERSON)
        beginning = Thread(target=_begin, args=(platform,), name="beginning", daemon=True)
        beginning.start()
        yield server


def _begin(platform: Platform) -> None:
    """Run the first imports in their order, as a person would, once somebody works."""
    for names in _STAGES:
        ids = [feeds.run_now(platform, f"{NAME}/{name}", person=PERSON).execution_id for name in names]
        while not platform.stopping.wait(_LOOK_EVERY_SECONDS):
            with platform.database.reading() as unit:
                rows = [executions.get(unit, execution_id) for execution_id in ids]
            if all(row is None or row.ended_at is not None for row in rows):
                break
        else:
            return


def _is_connected(unit: Unit) -> bool:
    return stored.find(unit, NAME) is not None
