"""Readings of what changed: nothing lost at edges of pages, of seconds and of clocks; an idle shop costs one request."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from connectors.prestashop.client.marks import Mark, written
from connectors.prestashop.connector import CONNECTOR
from connectors.prestashop.simulator import build_sample_shop
from domain.records import Order, Product, StockLevel, Supplier
from engine.connector import Answer, Door, Json, Reading, Request
from tests.connectors.prestashop.opened import Opened, opened


@pytest.fixture(params=["json", "xml"])
def sample(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The sample shop, in each format."""
    with opened(build_sample_shop(), format=request.param) as shop:
        yield shop


def read(shop: Opened, kind: type = Order, *, page_size: int = 5, **reading: object) -> tuple[list[str], str | None]:
    """The ids read, and the last mark."""
    seen: list[str] = []
    mark = None
    for page in shop.pages(kind, Reading(page_size=page_size, **reading)):
        seen += [name for name, _ in shop.mapped(kind, page)]
        mark = page.mark or mark
    return seen, mark


def at(mark: str) -> datetime:
    """Where a mark stands, by the shop's clock."""
    return Mark.read(mark).at


def calm(sample: Opened) -> None:
    """Nothing changed for weeks."""
    for resource in ("orders", "products", "suppliers"):
        for row in list(sample.shop.tables[resource].rows):
            sample.shop.update(resource, row, {"date_upd": "2026-10-01 00:00:00"})


def date_orders(shop: Opened, moments: dict[int, str]) -> None:
    """Save orders at these local times."""
    for order, moment in moments.items():
        shop.shop.update("orders", order, {"date_upd": moment})


@pytest.mark.parametrize("kind", [Order, Product, Supplier])
def test_the_first_reading_brings_everything_and_the_next_only_what_changed(sample: Opened, kind: type) -> None:
    """The mark is the shop's own clock when the reading began; five minutes before it are read again."""
    everything, mark = read(sample, kind)
    assert set(everything) == set(sample.records(kind))
    assert mark is not None
    resource = {Order: "orders", Product: "products", Supplier: "suppliers"}[kind]
    for row in list(sample.shop.tables[resource].rows):
        sample.shop.update(resource, row, {"date_upd": "2026-10-01 00:00:00"})
    assert read(sample, kind, mark=mark)[0] == []
    sample.shop.update(resource, 2, {"date_upd": sample.shop.now()})
    assert read(sample, kind, mark=mark)[0] == ["2"]


def test_an_idle_shop_costs_one_request_and_the_mark_moves_on(sample: Opened) -> None:
    """The page is empty, and carries the mark."""
    pages = list(sample.pages(Order, Reading(page_size=50, mark="2026-11-21T23:00:00+00:00")))
    assert [list(page.raws()) for page in pages] == [[]]
    assert pages[0].mark is not None
    assert len(sample.requests()) == 1


@pytest.mark.parametrize("kind", [Order, Product, Supplier])
def test_a_further_execution_on_an_idle_shop_asks_one_question_in_all(sample: Opened, kind: type) -> None:
    """How the shop is set comes with the mark; it is looked at again once there are rows, or an hour later."""
    calm(sample)
    mark = read(sample, kind)[1]
    for _ in range(2):
        sample.account = CONNECTOR.open(sample.door, sample.settings)
        sample.requests()
        assert read(sample, kind, mark=mark)[0] == []
        assert len(sample.requests()) == 1
        mark = read(sample, kind, mark=mark)[1]
    assert mark is not None
    old = Mark.read(mark)
    assert old.outlook is not None
    stale = written(old.at, msgspec.structs.replace(old.outlook, seen_at=old.at - timedelta(hours=1)))
    sample.account = CONNECTOR.open(sample.door, sample.settings)
    sample.requests()
    assert read(sample, kind, mark=stale)[0] == []
    assert sample.requests()[0].partition("?")[0] == "GET /api/configurations"


@pytest.mark.parametrize("waits", [False, True])
def test_a_shop_that_moves_to_another_time_zone_loses_no_change(sample: Opened, waits: bool) -> None:
    """What it dated in the new zone before anybody looked is asked for from where the old zone was last known to hold."""
    calm(sample)
    mark = read(sample)[1]
    assert mark is not None
    known = Mark.read(mark)
    assert known.outlook is not None
    # an hour later by the shop's clock, idle until then, and asked as it was set before
    mark = written(
        known.at + timedelta(hours=1),
        msgspec.structs.replace(
            known.outlook, seen_at=known.at - timedelta(hours=2) if waits else known.outlook.seen_at
        ),
        since=known.at,
    )
    sample.shop.configure("PS_TIMEZONE", "America/New_York")
    in_new_york = known.at.astimezone(ZoneInfo("America/New_York")) + timedelta(minutes=30)
    date_orders(sample, {4: in_new_york.strftime("%Y-%m-%d %H:%M:%S")})
    if not waits:  # somebody orders in the meantime, dated where the old question looks
        date_orders(sample, {5: "2037-01-01 00:00:00"})
    sample.account = CONNECTOR.open(sample.door, sample.settings)
    seen, following = read(sample, mark=mark)
    assert seen == (["4"] if waits else ["4", "5"])
    assert following is not None
    assert '"America/New_York"' in following


def test_five_hundred_rows_of_one_second_all_come_once(sample: Opened) -> None:
    """More than many pages hold."""
    customer = 3
    for _ in range(60):
        sample.shop.place_order(customer, [(6, 1)])
    date_orders(sample, dict.fromkeys(sample.shop.tables["orders"].rows, "2026-11-20 15:20:00"))
    seen, _ = read(sample, page_size=7, mark="2026-11-20T14:21:00+00:00")
    assert seen == [str(number) for number in range(1, 77)]


def test_rows_edited_and_deleted_while_paging_shift_nothing(sample: Opened) -> None:
    """An edited row comes again with the next reading, and no other is lost."""
    date_orders(sample, dict.fromkeys(sample.shop.tables["orders"].rows, "2026-11-20 15:20:00"))
    mark = "2026-11-20T14:21:00+00:00"
    pages = sample.pages(Order, Reading(page_size=4, mark=mark))
    seen = [name for name, _ in sample.mapped(Order, next(pages))]
    sample.shop.set_state(2, 6)
    sample.shop.update("orders", 3, {"date_upd": "2020-01-01 00:00:00"})
    sample.shop.delete("orders", 5)
    rest = list(pages)
    seen += [name for page in rest for name, _ in sample.mapped(Order, page)]
    assert seen == [str(number) for number in range(1, 17) if number != 5]
    again, _ = read(sample, mark=rest[-1].mark)
    assert again == ["2"]


def test_an_interrupted_reading_keeps_its_question_and_its_mark(sample: Opened) -> None:
    """The position is plain JSON, and the mark is still that of the beginning."""
    pages = sample.pages(Order, Reading(page_size=4, since=datetime(2026, 11, 1, tzinfo=UTC)))
    first = next(pages)
    pages.close()
    position: Json = first.position
    assert isinstance(position, dict)
    seen, mark = read(sample, page_size=4, position=position)
    assert seen == [str(number) for number in range(5, 17)]
    assert mark is not None
    assert at(mark) == datetime.fromisoformat(str(position["reached"]))


def test_the_mark_never_passes_the_shop_s_own_clock(sample: Opened) -> None:
    """A row dated in the future is read again and again, until its time has come; later rows are not skipped for it."""
    date_orders(sample, {4: "2038-01-01 00:00:00"})
    before = datetime.now(UTC) + timedelta(minutes=1)  # noqa: TID251 - compared with the simulator's own clock
    _, mark = read(sample)
    assert mark is not None
    assert at(mark) < before
    assert "4" in read(sample, mark=mark)[0]


def test_the_mark_never_goes_back(sample: Opened) -> None:
    """Not even where the shop's clock does."""
    mark = read(sample, mark="2037-01-01T00:00:00+00:00")[1]
    assert mark is not None
    assert at(mark) == datetime(2037, 1, 1, tzinfo=UTC)
    assert at(read(sample, mark=mark)[1] or "") == at(mark)


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        # 02:05 local, first time: what follows is dated 02:05 to 03:00, then 02:00 again
        ("2026-10-25T00:10:00+00:00", ["1", "2", "3", "4"]),
        # 02:58 local, first time: the second 02:00 lies ahead
        ("2026-10-25T00:58:00+00:00", ["1", "2", "3", "4"]),
        # 02:01 local, second time
        ("2026-10-25T01:06:00+00:00", ["2", "3", "4"]),
        # after both
        ("2026-10-25T02:20:00+00:00", ["4"]),
    ],
)
def test_nothing_is_lost_in_the_hour_that_comes_twice(sample: Opened, mark: str, expected: list[str]) -> None:
    """Local times go back an hour; the reading looks back as far."""
    date_orders(sample, dict.fromkeys(sample.shop.tables["orders"].rows, "2026-10-20 12:00:00"))
    date_orders(
        sample,
        {
            1: "2026-10-25 02:00:30",  # either pass
            2: "2026-10-25 02:10:00",
            3: "2026-10-25 02:59:00",
            4: "2026-10-25 03:30:00",
        },
    )
    assert read(sample, mark=mark)[0] == expected


def test_a_window_goes_by_the_day_orders_were_placed_and_moves_no_mark(sample: Opened) -> None:
    """Both ends included, in the shop's zone; a later change of an order does not take it out of its window."""
    date_orders(sample, dict.fromkeys(sample.shop.tables["orders"].rows, "2026-12-20 12:00:00"))
    since, until = datetime(2026, 11, 17, 23, tzinfo=UTC), datetime(2026, 11, 19, 11, tzinfo=UTC)
    seen, mark = read(sample, page_size=2, since=since, until=until)
    placed = {name: order.placed_at for name, order in sample.records(Order).items()}
    assert seen == [name for name, moment in placed.items() if since <= moment <= until]
    assert len(seen) == 5
    assert mark is None
    assert read(sample, until=since)[0] == [name for name, moment in placed.items() if moment <= since]


def test_the_first_import_goes_back_as_far_as_its_window(sample: Opened) -> None:
    """``since`` without a mark: what changed since then, inclusive."""
    since = datetime(2026, 11, 20, 14, 20, tzinfo=UTC)
    assert read(sample, since=since)[0] == ["14", "15", "16"]


def test_what_has_no_dates_is_swept_whole(sample: Opened) -> None:
    """Stock rows cannot be asked for changes."""
    seen, mark = read(sample, StockLevel, mark="2026-11-21T12:00:00+00:00")
    assert len(seen) == 47
    assert mark is None


class Timeless:
    """A door behind which something takes the shop's clock off every answer."""

    def __init__(self, door: Door) -> None:
        """To this shop."""
        self._door = door

    def send(self, request: Request) -> Answer:
        """As it is, but for the clock."""
        found = self._door.send(request)
        headers = {name: value for name, value in found.headers.items() if name != "access-time"}
        return Answer(found.status, headers, found.body)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """As it is."""
        return self._door.stream(requests)


def test_where_the_shop_does_not_tell_its_time_the_newest_change_is_the_mark(sample: Opened) -> None:
    """Never the future, and nothing where nothing was seen."""
    sample.account.door = Timeless(sample.door)
    assert at(read(sample, page_size=3)[1] or "") == datetime(2026, 11, 21, 8, 20, tzinfo=UTC)
    assert at(read(sample, mark="2026-11-21T08:20:00+00:00")[1] or "") == datetime(2026, 11, 21, 8, 20, tzinfo=UTC)
    assert read(sample, mark="2026-11-21T08:25:01+00:00")[1] == "2026-11-21T08:25:01+00:00"
    for order in list(sample.shop.tables["orders"].rows):
        sample.shop.update("orders", order, {"date_upd": "0000-00-00 00:00:00"})
    assert read(sample)[1] is None
    sample.shop.update("orders", 3, {"date_upd": "2099-01-01 00:00:00"})
    mark = read(sample)[1]
    assert mark is not None
    assert mark < "2090"


def test_ids_come_in_portions_of_ten_thousand() -> None:
    """Whatever the size of the shop."""
    sample = build_sample_shop()
    suppliers, stock = sample.tables["suppliers"], sample.tables["stock_availables"]
    combinations = sample.tables["combinations"]
    for number in range(10_000):
        suppliers.insert({"name": f"Supplier {number}", "active": 1})
        combination = combinations.insert({"id_product": 16})
        stock.insert({"id_product": 16, "id_product_attribute": combination, "id_shop": 1, "quantity": 1})
    with opened(sample) as shop:
        assert len(shop.census(Supplier, 500)) == 10_003
        assert len(shop.census(StockLevel, 500)) == 10_047
        assert len(shop.requests()) == 2 + 2 + 2
