"""``navette demo``: in less than a minute, what Navette does, on a simulated shop, in a folder of its own."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.table import Table

from console.terminal import effects as effect_lists
from console.terminal import go_live as check_lists
from console.terminal import integrations as test_lists
from console.terminal import mappings as mapping_lists
from console.terminal.failures import DEBUG
from console.terminal.following import FAILED, watch, working
from console.terminal.tables import Column, console, say, table
from console.terminal.words import STATE_STYLES, counted, counters, duration, span, state
from domain import clock
from domain.errors import BrokenInvariant
from domain.records import Product
from engine.actions import effects, feeds, go_live, integrations, mappings, orders, simulation, stock
from engine.actions.platform import open_platform
from engine.connector import Connector
from engine.logging import set_up_logging
from engine.runtime.platform import Platform
from engine.settings import Settings, load_settings
from engine.simulation.demonstration import Demonstration
from engine.simulation.ledger import Entry
from engine.simulation.server import Server, serve
from storage.queries import feeds as stored_feeds
from storage.queries import held, issues, records
from storage.queries.held import HeldLine
from storage.queries.issues import Issue
from storage.rows import EffectState, Execution

app = typer.Typer(help="Show in a minute what Navette does, on a simulated shop.")

NAME = "boutique"
PERSON = "demo"
_SEED = 7
_COUNTED = (Decimal(5), Decimal(0), Decimal(120))
"""What is found on the shelves of three items."""


class _Clock:
    """The demonstration's own time: the real one, and the hours that were let go by."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return clock.now() + self._ahead

    def let_pass(self, span_of_time: timedelta) -> None:
        self._ahead += span_of_time


@app.command()
def demo(
    keep: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep its database there, to look around.")
    ] = None,
) -> None:
    """Show what Navette does, step by step, on a simulated shop. Touches nothing else, and cleans up behind itself."""
    started = clock.monotonic()
    set_up_logging(log_format="auto", log_level="debug" if DEBUG.get() else "critical")
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="navette-demo-")))
        time = _Clock()
        platform = stack.enter_context(open_platform(_settings(folder), now=time))
        connector, shown = simulation.build_demonstration(platform.registry, products=40, seed=_SEED)
        server = stack.enter_context(serve(shown.app))
        stack.enter_context(working(platform))
        story = _Story(platform, time, connector, shown, server)
        for step in story.steps():
            step()
    say()
    say(f"That took {span(clock.monotonic() - started)}. To see a shop live: navette run --demo")
    if keep is not None:
        say(f"Look around with NAVETTE_DATA_FOLDER={keep} in the environment, such as: navette executions list")


def _settings(folder: Path) -> Settings:
    """Those in force, but for where things are kept."""
    changes = {
        "data_folder": folder,
        "database_url": "",
        "redis_url": "",
        "secret_keys": SecretStr(""),
        "allow_private_addresses": True,
    }
    return load_settings().model_copy(update=changes)


class _Story:
    """The steps, each with a sentence that says what is to be seen."""

    def __init__(
        self, platform: Platform, time: _Clock, connector: Connector, shown: Demonstration, server: Server
    ) -> None:
        self.platform = platform
        self.time = time
        self.connector = connector
        self.shown = shown
        self.server = server
        self._number = 0

    def steps(self) -> tuple[Callable[[], None], ...]:
        """In their order."""
        return (
            self.connect,
            self.fill_the_hub,
            self.import_orders,
            self.let_the_buyer_pay,
            self.map_what_is_missing,
            self.compare,
            self.work_in_test_mode,
            self.check,
            self.go_live,
            self.prove,
        )

    def connect(self) -> None:
        """A new integration is in test mode: real data comes in, nothing goes out."""
        self._title(
            "Connect a shop", "The connection is tested first. A new shop is in test mode: nothing can change it."
        )
        added = integrations.add(
            self.platform,
            self.connector.name,
            name=NAME,
            values=simulation.connect_with(self.shown.app),
            title="Boutique",
            person=PERSON,
        )
        mappings.set_entry(
            self.platform, NAME, "shipping_method", self.shown.shipping_method, "standard", person=PERSON
        )
        self._print(table(added.probe.checks, test_lists.CHECKS))

    def fill_the_hub(self) -> None:
        self._title("Fill the hub", "Products first, for all else is about them; then suppliers and images.")
        self._run("import_new_products", "import_suppliers", "import_product_suppliers", "import_product_images")

    def import_orders(self) -> None:
        self._title(
            "Import orders, then stock",
            "Paid orders come in; one waits for its money, one has a carrier nobody mapped. Then stock, once.",
        )
        self._run("import_new_orders", "import_stock")
        with self.platform.database.reading() as unit:
            self._print(table(held.listed(unit), _HELD))

    def let_the_buyer_pay(self) -> None:
        self._title(
            "The buyer pays",
            f"Order {self.shown.unpaid_order} is looked up again by itself every hour; here the clock is moved on.",
        )
        self.shown.pay()
        self.time.let_pass(timedelta(hours=1, minutes=1))
        self._run("retry")

    def map_what_is_missing(self) -> None:
        self._title(
            "Put an issue right",
            "The bell shows what is wrong and what to do. Once mapped, only that order runs again.",
        )
        self._issues()
        remote = self.shown.new_shipping_method
        changed = mappings.set_entry(self.platform, NAME, "shipping_method", remote, "express", person=PERSON)
        say(f"> navette mappings set {NAME} shipping_method {remote} express")
        with self.platform.database.reading() as unit:
            self._print(table(mappings.listed(unit, NAME, table="shipping_method"), mapping_lists.COLUMNS))
        self._watch([requested.execution_id for requested in changed.retried.requests])
        self._issues()

    def compare(self) -> None:
        self._title(
            "Compare both sides", "The nightly stock check, the status of orders, all products: nothing differs."
        )
        self._run("check_stock", "update_orders", "update_products")

    def work_in_test_mode(self) -> None:
        self._title(
            "Work in test mode",
            "Three items are counted anew and an order is shipped. What the shop would be told is kept, with before and after.",
        )
        with self.platform.database.reading() as unit:
            order = orders.listed(unit, of=NAME)[-1].label
            products = records.listed(unit, kind=Product.kind)
            names = [row.label for row in products if not row.record.variants]
        for name, quantity in zip(names, _COUNTED, strict=False):
            stock.adjust(self.platform, NAME, name, to=quantity, reason="counted", person=PERSON)
        orders.ship(self.platform, order, carrier="", tracking_number="1Z999AA10123456784", person=PERSON)
        self._run("export_stock", "confirm_shipments")
        self._effects(EffectState.WITHHELD)

    def check(self) -> None:
        self._title(
            "Check before going live", "Each check shows what was found. A failing one would stop the next step."
        )
        go_live.look_at_withheld(self.platform, NAME, person=PERSON)
        self._print(table(go_live.checks(self.platform, NAME, tests=True, person=PERSON), check_lists.COLUMNS))

    def go_live(self) -> None:
        self._title(
            "Go live",
            "Stock is computed afresh and sent. What was withheld of shipments only leaves because a person releases it.",
        )
        live = go_live.go_live(self.platform, NAME, person=PERSON)
        say(f"In production: {', '.join(live)}")
        with self.platform.database.reading() as unit:
            chosen = effects.listed(unit, of=f"{NAME}/confirm_shipments", states=[EffectState.WITHHELD])
        effects.release(self.platform, [line.effect.id for line in chosen], person=PERSON)
        self._run("export_stock", "confirm_shipments")
        self._effects(EffectState.DONE)

    def prove(self) -> None:
        self._title(
            "The proof",
            f"The shop's own ledger: these of {counted(self.server.ledger.count, 'request')} changed it, all after going live.",
        )
        self._print(table(self.server.ledger.writes, _WRITES))

    # --- telling ----------------------------------------------------------------------------------------------------

    def _title(self, title: str, sentence: str) -> None:
        self._number += 1
        say()
        say(f"{self._number}. {title}")
        say(f"   {sentence}")

    def _print(self, shown: Table) -> None:
        console().print(shown)

    def _run(self, *flows: str) -> None:
        self._watch([feeds.run_now(self.platform, f"{NAME}/{flow}", person=PERSON).execution_id for flow in flows])

    def _watch(self, execution_ids: Sequence[int]) -> None:
        ended = [watch(self.platform, execution_id, rings=True) for execution_id in execution_ids]
        with self.platform.database.reading() as unit:
            flow_of = {feed.id: feed.flow for feed in stored_feeds.listed(unit)}
        self._print(table([(flow_of[row.feed_id], row) for row in ended], _ENDED))
        for row in ended:
            if row.state in FAILED:
                raise BrokenInvariant(f"The demonstration stopped: {flow_of[row.feed_id]} {row.state}. {row.reason}")

    def _issues(self) -> None:
        with self.platform.database.reading() as unit:
            rows = issues.listed(unit)
        if rows:
            self._print(table(rows, _ISSUES))
        else:
            say("No open issue: the bell is silent.")

    def _effects(self, state_of: EffectState) -> None:
        with self.platform.database.reading() as unit:
            rows = effects.listed(unit, of=NAME, states=[state_of])
        self._print(table(rows[::-1], [column for column in effect_lists.COLUMNS if column.key != "reason"]))


_ENDED: tuple[Column[tuple[str, Execution]], ...] = (
    Column("flow", lambda row: row[0], "flow"),
    Column("state", lambda row: state(row[1].state), "ended", style=lambda row: STATE_STYLES[row[1].state]),
    Column("records", lambda row: counters(row[1]), "records"),
    Column("took", lambda row: span(duration(row[1])), "took", is_number=True),
)
_HELD: tuple[Column[HeldLine], ...] = (
    Column("label", lambda row: row.label, "order"),
    Column(
        "severity",
        lambda row: row.severity,
        "severity",
        style=lambda row: "red" if row.severity == "error" else "yellow",
    ),
    Column("message", lambda row: row.message, "why"),
)
_ISSUES: tuple[Column[Issue], ...] = (
    Column("message", lambda row: row.message, "what is wrong", style=lambda _row: "red"),
    Column("remedy", lambda row: row.remedy, "what to do"),
    Column("records", lambda row: row.records, "holds back", is_number=True),
)


def _told(entry: Entry) -> str:
    parts = []
    for change in entry.changes:
        fields = ", ".join(f"{name} {value}" for name, value in change.fields.items())
        parts.append(f"{change.kind} {change.identity} {change.action}{f': {fields}' if fields else ''}")
    return "; ".join(parts)


_WRITES: tuple[Column[Entry], ...] = (
    Column("at", lambda entry: f"{entry.at:%H:%M:%S}", "at (UTC)"),
    Column("method", lambda entry: entry.method, "request"),
    Column("target", lambda entry: entry.target.partition("?")[0], "to"),
    Column("status", lambda entry: entry.status, "answer", is_number=True),
    Column("changes", _told, "changed in the shop"),
)
