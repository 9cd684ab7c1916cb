"""A shop that is edited while it is read, and one whose clock is wrong: the newest version wins, and nothing is lost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.prestashop.simulator import PrestashopSimulator, Shop, build_sample_shop
from domain import clock
from engine.actions import mappings
from engine.simulation.fault import Fault, Scene
from engine.simulation.server import serve
from storage.rows import State
from tests.faults.spoiling import spoil
from tests.installation import ADMINISTRATOR, Installation, installed

CUSTOMER, MUG, PAID, CANCELLED = 3, 6, 2, 6


@pytest.fixture
def sample() -> Shop:
    return build_sample_shop()


@pytest.fixture
def shop(sample: Shop, tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with (
        serve(PrestashopSimulator(sample)) as server,
        installed(tmp_path, database_url, server, page_size=25, concurrent_reads=1) as installation,
    ):
        for carrier in ("1", "2"):
            mappings.set_entry(
                installation.platform, "shop", "shipping_method", carrier, "parcel", person=ADMINISTRATOR
            )
        yield installation


def place(sample: Shop, count: int) -> list[str]:
    """Paid orders, in the shop's time; their ids."""
    return [str(sample.place_order(CUSTOMER, [(MUG, 1)], state=PAID)) for _ in range(count)]


def date(sample: Shop, orders: list[str], moment: str) -> None:
    for number in orders:
        sample.update("orders", int(number), {"date_add": moment, "date_upd": moment})


def when_asked(shop: Installation, path: str, *, time: int, happens: Callable[[], Any]) -> None:
    """Something happens in the shop right before it answers such a request for the ``time``-th time."""
    asked: list[bytes] = []

    def rewrite(body: bytes) -> bytes:
        asked.append(body)
        if len(asked) == time:
            happens()
        return body

    spoil(shop.server, path, rewrite)


def statuses(shop: Installation) -> dict[str, str]:
    return {remote_id: row.record.status.remote_id for remote_id, row in shop.records("order").items()}


def test_five_hundred_orders_of_one_second_come_once_each(shop: Installation, sample: Shop) -> None:
    orders = place(sample, 500)
    date(sample, orders, sample.local(clock.now() - timedelta(minutes=30)))
    first = shop.run("import_new_orders")
    assert shop.records("order").keys() >= set(orders)
    lines = [row.remote_id for row in shop.outcomes(first)]
    assert len(lines) == len(set(lines)), "each was looked at once"
    again = shop.run("import_new_orders")
    assert (again.created, again.updated) == (0, 0)


def test_orders_edited_and_deleted_between_two_pages_are_neither_lost_nor_old(shop: Installation, sample: Shop) -> None:
    """An edit moves the first page's order behind the last page; a deletion makes all later ones move up."""
    orders = place(sample, 100)
    date(sample, orders, sample.local(clock.now() - timedelta(minutes=30)))

    def edit() -> None:
        sample.set_state(int(orders[0]), CANCELLED)  # read already
        sample.set_state(int(orders[90]), CANCELLED)  # not read yet
        sample.delete("orders", int(orders[40]))
        date(sample, place(sample, 1), sample.local(clock.now() - timedelta(minutes=30)))

    when_asked(shop, "api/orders.*display=full", time=2, happens=edit)
    for flow in ("import_new_orders", "import_new_orders", "update_orders"):
        assert shop.run(flow).state is State.SUCCEEDED
    placed = {str(number) for number in sample.tables["orders"].ids if number >= int(orders[0])}
    known = statuses(shop)
    assert placed - known.keys() <= {orders[90]}, "cancelled before it was ever seen: left out by the rules"
    assert orders[40] not in known
    assert known[orders[0]] == str(CANCELLED)
    for number in placed & known.keys():
        assert known[number] == str(sample.row("orders", int(number))["current_state"])


def test_products_edited_and_deleted_while_all_are_read_end_as_the_shop_has_them(
    shop: Installation, sample: Shop
) -> None:
    for number in range(60):
        sample.add_product(name=f"Mug {number}", price="5.000000", active=1)
    assert shop.run("update_products").created == 79

    def edit() -> None:
        sample.edit_product(2, name="Edited behind the reading")
        sample.edit_product(70, name="Edited before the reading")
        sample.delete_product(30)
        sample.delete_product(72)

    for number in (1, 40, 75):
        sample.edit_product(number, name=f"Named {number}")
    when_asked(shop, "api/products.*display=", time=3, happens=edit)
    shop.run("update_products")
    shop.server.faults.clear()
    assert shop.records("product")["70"].record.name == "Edited before the reading"
    shop.run("update_products")
    known = {remote_id: row for remote_id, row in shop.records("product").items() if row.state != "gone"}
    assert known.keys() == {str(number) for number in sample.tables["products"].ids}
    assert known["2"].record.name == "Edited behind the reading"
    assert {row.remote_id for row in shop.outcomes(shop.run("update_products"))} == set()


@pytest.mark.parametrize("hours", [-26, 26])
def test_a_shop_whose_clock_is_wrong_loses_nothing_since_its_own_clock_is_the_mark(
    shop: Installation, sample: Shop, hours: int
) -> None:
    def shop_time() -> datetime:
        return clock.now() + timedelta(hours=hours)

    async def play(scene: Scene) -> None:
        headers = tuple(pair for pair in scene.true.headers if pair[0] != "Access-Time")
        told = ("Access-Time", str(int(shop_time().timestamp())))
        await scene.wire.answer(scene.request, replace(scene.true, headers=(*headers, told)))

    shop.server.faults.known["wrong clock"] = Fault("wrong clock", "Tells another time.", play, reaches_app=True)
    shop.server.faults.add("wrong clock", times=None)
    sample.fixed_now = sample.local(shop_time())
    for _ in range(2):
        orders = place(sample, 3)
        assert shop.run("import_new_orders").created >= 3
        assert shop.records("order").keys() >= set(orders)
    mark = shop.feed("import_new_orders").mark
    assert mark is not None
    assert datetime.fromisoformat(mark.partition(" ")[0]) <= shop_time()


def test_an_order_dated_in_the_future_takes_no_mark_with_it(shop: Installation, sample: Shop) -> None:
    (future,) = place(sample, 1)
    date(sample, [future], "2038-01-01 00:00:00")
    shop.run("import_new_orders")
    assert future in shop.records("order")
    mark = shop.feed("import_new_orders").mark
    assert mark is not None
    assert datetime.fromisoformat(mark.partition(" ")[0]) <= clock.now()
    (later,) = place(sample, 1)
    shop.run("import_new_orders")
    assert later in shop.records("order")
