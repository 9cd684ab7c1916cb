"""A shop from its connection to its first change, by commands."""

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shop
from tests.acceptance.terminal import Terminal

ADD = ("integrations", "add")


def add(terminal: Terminal, shop: Shop, *more: str, types: str | None = None) -> str:
    return terminal.ok(*ADD, shop.connector, "--name", "shop", "--url", shop.server.url, *more, types=types)


def one(rows: list[dict[str, object]], **wanted: object) -> dict[str, object]:
    [found] = [row for row in rows if wanted.items() <= row.items()]
    return found


# --- connecting ---------------------------------------------------------------------------------------------------


def test_a_key_comes_from_standard_input_a_file_or_the_environment(
    terminal: Terminal, shop: Shop, tmp_path: Path
) -> None:
    assert "in test mode" in add(terminal, shop, "--key", "-", types=f"{shop.key}\n")
    file = tmp_path / "key"
    file.write_text(f"{shop.key}\n")
    terminal.ok(*ADD, shop.connector, "--name", "second", "--url", shop.server.url, "--key-file", file)
    terminal.variables["NAVETTE_KEY"] = shop.key
    terminal.ok(*ADD, shop.connector, "--name", "third", "--url", shop.server.url)
    assert [row["name"] for row in terminal.list("integrations", "list")] == ["second", "shop", "third"]
    assert shop.key not in (terminal.folder / "navette.db").read_bytes().decode("latin-1")


def test_a_key_on_the_command_line_is_refused_politely(terminal: Terminal, shop: Shop) -> None:
    said = terminal.fails(*ADD, shop.connector, "--name", "shop", "--url", shop.server.url, "--key", shop.key)
    assert "can be read by everybody" in said
    assert shop.key not in said
    said = terminal.fails(*ADD, shop.connector, "--name", "shop", "--url", shop.server.url, "--set", f"key={shop.key}")
    assert "does not belong on the command line" in said
    assert terminal.list("integrations", "list") == []


@pytest.mark.parametrize(
    ("typed", "words"), [("", "no key in standard input"), ("one\ntwo", "more than a key"), (None, "is missing")]
)
def test_a_key_that_is_none_is_told(terminal: Terminal, shop: Shop, typed: str | None, words: str) -> None:
    more = ("--key", "-") if typed is not None else ()
    assert words in terminal.fails(*ADD, shop.connector, "--name", "shop", "--url", shop.server.url, *more, types=typed)


def test_a_connection_that_fails_adds_nothing_and_says_what_to_do(terminal: Terminal, shop: Shop) -> None:
    words = (*ADD, shop.connector, "--name", "shop", "--url", shop.server.url, "--key", "-")
    said = terminal.fails(*words, types="X" * 32)
    assert said.startswith("The connection test did not pass.")
    assert terminal.list("integrations", "list") == []
    assert terminal(*words, "--force", types="X" * 32).status == 0
    said = terminal("integrations", "test", "shop")
    assert said.status == 1
    assert "did not pass" in said.err
    assert terminal("integrations", "test", "shop", "--json").status == 1


def test_a_setting_that_is_not_written_so_is_wrong_usage(terminal: Terminal, shop: Shop) -> None:
    terminal.fails(*ADD, shop.connector, "--name", "shop", "--set", "page_size", status=2)


def test_settings_are_shown_without_secrets_and_changed_one_by_one(connected: Terminal, shop: Shop) -> None:
    connected.ok(
        "integrations", "set", "shop", "--set", "page_size=50", "--title", "My shop", "--time-zone", "Europe/Oslo"
    )
    shown = connected.list("integrations", "show", "shop")
    assert (shown["settings"]["page_size"], shown["title"], shown["time_zone"]) == (50, "My shop", "Europe/Oslo")
    assert shown["secrets"] == ["key"]
    assert shop.key not in connected.ok("integrations", "show", "shop")
    assert "kept encrypted" in connected.ok("integrations", "show", "shop")
    assert "Nothing was named" in connected.fails("integrations", "set", "shop")
    assert "not right" in connected.fails("integrations", "set", "shop", "--set", "page_size=1")
    connected.ok("integrations", "set", "shop", "--key", "-", "--force", types="Y" * 32)
    assert "failed" in connected("integrations", "test", "shop").out


def test_an_integration_is_paused_resumed_and_removed(filled: Terminal) -> None:
    filled.ok("integrations", "pause", "shop", "--reason", "holidays")
    assert "Paused by ada: holidays" in filled.ok("integrations", "list")
    assert "holidays" in filled.fails("feeds", "run", "shop/retry")
    filled.ok("integrations", "resume", "shop")
    assert "write its name" in filled.fails("integrations", "remove", "shop", types="no\n")
    assert "stay in the hub" in filled.ok("integrations", "remove", "shop", types="shop\n")
    assert filled.list("records", "list", "order") == []
    assert filled.list("records", "list", "product")


# --- running flows ------------------------------------------------------------------------------------------------


def test_a_flow_runs_here_when_nobody_else_works_and_tells_what_to_do(connected: Terminal, shop: Shop) -> None:
    connected.ok("feeds", "run", "shop/import_new_products", "--wait")
    told = connected.ok("feeds", "run", "shop/import_new_orders", "--wait")
    assert "read 6 = 4 created + 1 waiting + 1 failed" in told
    assert f"navette mappings set shop shipping_method {shop.shown.new_shipping_method}" in told
    assert "navette records held shop" in told


def test_without_waiting_it_is_told_that_nobody_works(connected: Terminal) -> None:
    said = connected("feeds", "run", "shop/retry")
    assert said.status == 0
    assert "queued" in said.out
    assert "No worker is running" in said.err
    assert connected.list("feeds", "run", "shop/retry")["joined"] == "joined"


def test_a_flow_that_fails_is_status_one_with_its_reason(connected: Terminal) -> None:
    said = connected("feeds", "run", "shop/import_new_orders", "--find", "NOSUCHONE", "--wait")
    assert said.status == 1
    assert "has no order called “NOSUCHONE”" in said.out
    said = connected("feeds", "run", "shop/import_new_orders", "--find", "NOSUCHONE", "--wait", "--json")
    assert said.status == 1
    assert '"state": "failed"' in said.out


def test_a_window_is_in_the_shops_own_time(connected: Terminal) -> None:
    connected.ok("feeds", "run", "shop/import_new_orders", "--since", "2026-01-01T08:00", "--wait")
    [row] = connected.list("executions", "list")
    shown = connected.list("executions", "show", row["id"])
    assert shown["execution"]["scope"]["since"] == "2026-01-01T08:00:00+01:00"
    assert "2026-01-01T08:00:00+01:00" in connected.ok("executions", "show", row["id"])
    assert "is not a moment" in connected.fails("feeds", "run", "shop/import_new_orders", "--since", "yesterday")


def test_feeds_are_listed_with_their_next_run_in_a_named_zone(filled: Terminal) -> None:
    orders = one(filled.list("feeds", "list"), name="shop/import_new_orders")
    assert orders["last_state"] == "succeeded_with_issues"
    assert one(filled.list("feeds", "list", "shop"), name="shop/import_stock")["status"] == "locked"
    assert "CE" in filled.ok("feeds", "list")  # CET or CEST
    assert "Did you mean “shop”" in filled.fails("feeds", "list", "shopp")


def test_schedules_are_previewed_set_and_taken_away(connected: Terminal) -> None:
    shown = connected.ok("feeds", "schedule", "shop/retry", "--cron", "30 2 * * *", "--preview")
    assert shown.count("02:30:00") == 10
    assert one(connected.list("feeds", "list"), name="shop/retry")["schedule"] == "every hour"
    connected.ok("feeds", "schedule", "shop/retry", "--every", "45m", "--jitter", "30s", "--missed", "skip")
    assert one(connected.list("feeds", "list"), name="shop/retry")["schedule"] == "every 45 minutes"
    connected.ok("feeds", "schedule", "shop/retry", "--by-hand")
    assert one(connected.list("feeds", "list"), name="shop/retry")["next_at"] is None
    for words in (("--every", "soon"), ("--every", "30m", "--cron", "* * * * *"), ("--cron", "nonsense"), ()):
        connected.fails("feeds", "schedule", "shop/retry", *words)
    connected.fails("feeds", "schedule", "shop/retry", "--by-hand", "--every", "2h")


def test_flows_are_paused_resumed_and_switched(connected: Terminal) -> None:
    connected.ok("feeds", "pause", "shop/retry", "--reason", "later")
    assert "Next run" in connected.ok("feeds", "resume", "shop/retry")
    connected.ok("feeds", "off", "shop/retry")
    assert one(connected.list("feeds", "list"), name="shop/retry")["status"] == "off"
    assert "is on" in connected.ok("feeds", "on", "shop/retry")


def test_the_stock_import_is_unlocked_only_after_two_questions(filled: Terminal) -> None:
    name = "shop/import_stock"
    assert "switched off" in filled.fails("feeds", "run", name)
    assert filled("feeds", "unlock", name, types="n\n").status == 1
    assert "write its name" in filled.fails("feeds", "unlock", name, types="y\nshop\n")
    assert "unlocked" in filled.ok("feeds", "unlock", name, types=f"y\n{name}\n")
    assert "is not locked" in filled.fails("feeds", "unlock", name, "--confirm", name)


def test_executions_are_listed_shown_and_cancelled(filled: Terminal) -> None:
    rows = filled.list("executions", "list", "shop/import_new_orders")
    assert [row["read"] for row in rows] == [6]
    assert filled.list("executions", "list", "--state", "failed") == []
    assert len(filled.list("executions", "list", "--trigger", "manual", "--hours", "1")) == 3
    shown = filled.ok("executions", "show", rows[0]["id"], "--outcome", "waiting")
    assert "waits for payment" in shown
    assert "There may be more" in filled.ok("executions", "show", rows[0]["id"], "--count", "2")
    assert "No record of it" in filled.ok("executions", "show", rows[0]["id"], "--outcome", "withheld")
    queued = filled.list("feeds", "run", "shop/retry")["execution"]
    assert "had not started" in filled.ok("executions", "cancel", queued)
    assert "ended already" in filled.fails("executions", "cancel", queued)
    assert "no execution 4711" in filled.fails("executions", "show", 4711)


# --- putting things right -----------------------------------------------------------------------------------------


def test_mapping_a_method_lets_exactly_the_held_order_in_and_closes_its_issue(filled: Terminal, shop: Shop) -> None:
    remote = shop.shown.new_shipping_method
    [issue] = filled.list("issues", "list")
    assert (issue["records"], issue["severity"]) == (1, "error")
    trial = filled.ok("rules", "try", "shop", "shipping_method", remote, "express")
    assert "1 record of" in trial
    told = filled.ok("mappings", "set", "shop", "shipping_method", remote, "express", "--wait")
    assert "read 1 = 1 created" in told
    assert filled.list("issues", "list") == []
    resolved = one(filled.list("issues", "list", "--all"), id=issue["id"])
    assert resolved["resolved_by"] == "its records passed"
    assert one(filled.list("mappings", "list", "shop", "shipping_method"), remote=remote)["hub"] == "express"
    assert "none would change" in filled.ok("rules", "try", "shop", "status", "77", "skip")


def test_a_mapping_without_anybody_at_work_waits(filled: Terminal, shop: Shop) -> None:
    said = filled("mappings", "set", "shop", "shipping_method", shop.shown.new_shipping_method, "express")
    assert "runs again now" in said.out
    assert "No worker is running" in said.err
    assert "no longer express" in filled.ok(
        "mappings", "unset", "shop", "shipping_method", shop.shown.new_shipping_method
    )
    filled.ok("feeds", "pause", "shop/import_new_orders")
    said = filled("mappings", "set", "shop", "shipping_method", shop.shown.new_shipping_method, "express")
    assert "Resume it first" in said.err


def test_an_issue_is_shown_assigned_noted_snoozed_retried_and_resolved(filled: Terminal) -> None:
    [issue] = filled.list("issues", "list", "shop")
    number = issue["id"]
    assert "Holds back 1 record" in filled.ok("issues", "show", number)
    assert len(filled.list("issues", "show", number)["held"]) == 1
    filled.ok("issues", "assign", number, "bob")
    filled.ok("issues", "note", number, "asked the carrier")
    assert "off the bell" in filled.ok("issues", "snooze", number, "--hours", "2")
    shown = filled.ok("issues", "show", number)
    assert "bob" in shown
    assert "asked the carrier" in shown
    assert "read 1 = 1 failed" in filled.ok("issues", "retry", number, "--wait")
    assert "still tried again" in filled.ok("issues", "resolve", number, "--note", "known")
    filled.ok("issues", "assign", number, "")
    assert "needs some words" in filled.fails("issues", "note", number, " ")
    assert "nothing needs you" in filled.ok("issues", "list")


def test_records_are_found_with_their_history(filled: Terminal) -> None:
    products = filled.list("records", "list", "product", "--integration", "shop")
    found = filled.list("records", "list", "product", "--find", products[0]["label"])
    assert [row["id"] for row in found] == [products[0]["id"]]
    shown = filled.ok("records", "show", products[0]["id"])
    assert "shop/import_new_products" in shown
    assert filled.list("records", "show", products[0]["id"])["references"][0][0] == "shop"
    assert {row["severity"] for row in filled.list("records", "held", "shop")} == {"retry", "error"}
    assert "next try" in filled.ok("records", "held", "--severity", "retry")
    assert "Did you mean “product”" in filled.fails("records", "list", "products")
    assert "no record 4711" in filled.fails("records", "show", 4711)


def test_rules_are_listed_and_changed(connected: Terminal) -> None:
    connected.ok("rules", "set", "shop", "safety_buffer=2", "give_up_after=10 days")
    rows = {row["name"]: row["value"] for row in connected.list("rules", "list", "shop")}
    assert (rows["safety_buffer"], rows["give_up_after"]) == ("2", "10 days")
    assert "not written as" in connected.fails("rules", "set", "shop", "safety_buffer")
    assert "no rule called" in connected.fails("rules", "set", "shop", "bufer=2")


def test_what_a_shop_says_cannot_steer_the_terminal(connected: Terminal, shop: Shop) -> None:
    shop.shown.app.shop.edit_product(1, name="\x1b[31mRed\x1b[0m [bold]\u202e")
    connected.ok("feeds", "run", "shop/import_new_products", "--wait")
    shown = connected.ok("records", "list", "product")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]" in shown


# --- orders, stock, going live ------------------------------------------------------------------------------------


def test_an_order_is_shown_and_shipped(filled: Terminal) -> None:
    order = filled.list("orders", "list", "shop", "--state", "open")[0]
    shown = filled.ok("orders", "show", order["number"])
    assert "standard" in shown
    assert "is shipped" in filled.ok("orders", "ship", order["number"], "--tracking", "1Z999")
    assert "1Z999" in filled.ok("orders", "show", order["id"])
    assert filled.list("orders", "show", order["number"])["shipments"][0]["tracking_number"] == "1Z999"
    assert "cannot be shipped" in filled.fails("orders", "ship", order["number"])
    assert order["number"] in filled.ok("orders", "list", "--find", order["number"])


def test_stock_is_shown_corrected_and_compared(filled: Terminal, shop: Shop) -> None:
    sku = filled.list("records", "list", "product")[0]["label"]
    told = filled.ok("stock", "adjust", "shop", sku, "--to", "7", "--reason", "counted")
    assert "on hand in main" in told
    filled.ok("stock", "adjust", "shop", sku, "--by", "-1", "--reason", "broken")
    assert "broken" in filled.ok("stock", "show", "shop", sku)
    assert filled.list("stock", "show", "shop", sku)[0]["on_hand"] == {"main": "6"}
    assert "is not a quantity" in filled.fails("stock", "adjust", "shop", sku, "--to", "some", "--reason", "x")
    assert "three decimals" in filled.fails("stock", "adjust", "shop", sku, "--to", "0.0001", "--reason", "x")
    filled.ok("feeds", "run", "shop/check_stock", "--wait")
    [difference] = filled.list("stock", "differences", "shop")
    assert sku in filled.ok("stock", "differences")
    filled.ok("stock", "accept", difference["id"])
    assert filled.list("stock", "differences") == []
    filled.ok("stock", "undo", difference["id"])
    filled.ok("stock", "repair", difference["id"], "--direction", "adopt")
    assert filled.list("stock", "differences", "--state", "adopted")[0]["id"] == difference["id"]


def test_from_withheld_changes_over_checks_to_production_and_back(filled: Terminal, shop: Shop) -> None:
    filled.ok("mappings", "set", "shop", "shipping_method", shop.shown.new_shipping_method, "express", "--wait")
    order = filled.list("orders", "list", "--state", "open")[-1]
    filled.ok("feeds", "run", "shop/check_stock", "--wait")
    filled.ok("orders", "ship", order["number"], "--tracking", "1Z999")
    told = filled.ok("feeds", "run", "shop/confirm_shipments", "--wait")
    assert "navette effects list shop" in told
    [effect] = filled.list("effects", "list", "shop", "--state", "withheld")
    assert "1Z999" in filled.ok("effects", "list", "shop/confirm_shipments")
    assert "Go live first" in filled.fails("effects", "release", effect["id"])

    said = filled("go-live", "check", "shop")
    assert said.status == 1
    assert "in the way of going live" in said.err
    assert "is not ready" in filled.fails("go-live", "start", "shop")
    filled.ok("go-live", "looked", "shop")
    for line in filled_checks(filled):
        if line["verdict"] == "fail":
            filled.ok("go-live", "waive", "shop", line["name"], "--reason", "only a rehearsal")
    waived = [line["name"] for line in filled_checks(filled) if line["verdict"] == "waived"]
    assert waived
    assert "is ready" in filled.ok("go-live", "check", "shop", "--no-test")
    assert shop.server.ledger.writes == ()
    assert "in production" in filled.ok("go-live", "start", "shop", "--flow", "confirm_shipments")
    filled.ok("effects", "release", "--all", "shop")
    filled.ok("feeds", "run", "shop/confirm_shipments", "--wait")
    assert {change.kind for entry in shop.server.ledger.writes for change in entry.changes} >= {
        "order_carriers",
        "orders",
    }
    assert filled.list("effects", "list", "--state", "done")[0]["receipt"] is not None
    assert "in test mode again" in filled.ok("go-live", "back", "shop")
    filled.ok("go-live", "unwaive", "shop", waived[0])


def filled_checks(terminal: Terminal) -> list[dict[str, object]]:
    return json.loads(terminal("go-live", "check", "shop", "--no-test", "--json").out)


def test_changes_are_discarded_or_decided_by_number_or_all_at_once(filled: Terminal) -> None:
    order = filled.list("orders", "list", "--state", "open")[0]
    filled.ok("orders", "ship", order["number"], "--tracking", "1Z999")
    filled.ok("feeds", "run", "shop/confirm_shipments", "--wait")
    assert "Name the changes" in filled.fails("effects", "discard")
    assert "1 change discarded" in filled.ok("effects", "discard", "--all", "shop")
    assert "no change in the state" in filled.fails("effects", "discard", "--all", "shop")
    assert "Look on the other side" in filled.fails("effects", "decide", 1)
    assert "is of unknown outcome" in filled.fails("effects", "decide", 1, "--happened")
