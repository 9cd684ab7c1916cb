"""Connecting shops, changing and removing them."""

from dataclasses import replace

import pytest

from domain.errors import UserError
from domain.rulebook import Fate, PaymentRule
from engine.actions import feeds as feed_actions
from engine.actions import integrations, probes, rulebooks
from engine.actions.names import integration_named
from engine.connector import Check
from engine.runtime import opening
from storage.queries import digests, executions, feeds, records
from storage.queries import integrations as stored
from storage.queries import issues as issue_rows
from storage.rows import Mode, State, Trigger
from tests.builders import a_level, a_product, an_order
from tests.unit.engine.actions.desk import KEY, NAME, PERSON, Desk, refused

BAD = Check("rights", passed=False, message="The key may not read orders.", remedy="Tick the box.", is_needed=True)


def the(desk: Desk, name: str = NAME):
    return desk.database.read(lambda unit: integration_named(unit, name))


def test_a_new_integration_is_in_test_mode_with_its_key_encrypted(desk: Desk) -> None:
    desk.add()
    integration = the(desk)
    kept = desk.database.read(lambda unit: stored.secrets_of(unit, integration.id))
    settings = opening.read_settings(desk.platform, integration, desk.platform.registry.connector("corner_shop"))
    assert integration.mode is Mode.TEST
    assert integration.title == "The Corner"
    assert integration.time_zone == "Europe/Paris"
    assert integration.settings == {"url": "http://127.0.0.1:9009", "page_size": 10, "note": ""}
    assert KEY not in kept["key"]
    assert settings.key.get_secret_value() == KEY
    assert desk.actions == ["add_integration"]
    assert KEY not in str(desk.audit)


def test_the_rules_start_with_what_the_shop_advises(desk: Desk) -> None:
    desk.add()
    rulebook = rulebooks.read(the(desk))
    assert rulebook.integration == NAME
    assert rulebook.statuses == {"2": Fate.IMPORT}
    assert rulebook.payment_methods == {"Bank wire": PaymentRule.WHEN_PAID}
    assert rulebook.shipping_methods == {}


def test_every_flow_the_connector_serves_becomes_a_feed_on_its_default_schedule(desk: Desk) -> None:
    added = desk.add()
    rows = {feed.flow: feed for feed in desk.database.read(feeds.listed)}
    assert set(rows) == set(added.flows)
    assert "import_product_images" not in rows  # the corner shop has none
    assert rows["import_stock"].schedule is None
    assert rows["import_stock"].due_at is None
    orders = rows["import_new_orders"]
    assert orders.is_enabled
    assert orders.due_at is not None
    assert orders.due_at > desk.database.now()
    assert not orders.is_live


def test_feeds_that_exist_are_left_alone_when_they_are_made_again(connected: Desk) -> None:
    feed_actions.set_schedule(connected.platform, f"{NAME}/import_new_orders", None, person=PERSON)
    again = connected.database.write(lambda unit: integrations.make_feeds(connected.platform, unit, the(connected)))
    assert again == ()
    assert (
        connected.database.read(lambda unit: feeds.find(unit, the(connected).id, flow="import_new_orders")).due_at
        is None
    )


@pytest.mark.parametrize("name", ["", "Shop", "shop one", "-shop", "é", "x" * 61])
def test_a_name_that_cannot_be_written_as_a_command_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(UserError, match="cannot be the name"):
        desk.add(name)


def test_a_name_is_taken_once(connected: Desk) -> None:
    with pytest.raises(UserError, match="exists already"):
        connected.add()


def test_a_failed_connection_test_adds_nothing_unless_forced(desk: Desk) -> None:
    desk.shop.found = replace(desk.shop.found, checks=(BAD,))
    with pytest.raises(integrations.ConnectionFailed, match=r"may not read orders\. Tick the box\.") as failure:
        desk.add()
    assert probes.failures(failure.value.probe) == [BAD]
    assert desk.database.read(stored.listed) == []
    added = desk.add(force=True)
    assert probes.failures(added.probe) == [BAD]
    assert desk.audit[0].detail["forced"] is True


def test_a_right_that_only_some_flows_need_is_told_and_the_shop_is_connected(desk: Desk) -> None:
    lacking = replace(BAD, is_needed=False)
    desk.shop.found = replace(desk.shop.found, checks=(lacking,))
    assert probes.failures(desk.add().probe) == [lacking]


def test_a_shop_that_is_down_is_a_failed_test(desk: Desk) -> None:
    desk.shop.is_down = refused()
    with pytest.raises(integrations.ConnectionFailed, match=r"refused the key\. Enter another key\."):
        desk.add()


def test_of_a_shop_that_was_never_reached_only_the_failure_is_known(desk: Desk) -> None:
    desk.shop.is_down = refused()
    desk.add(force=True)
    assert [check.message for check in probes.read_probe(the(desk)).checks] == ["The shop refused the key."]
    assert the(desk).time_zone == "UTC"


def test_each_wrong_setting_is_told_in_a_sentence_without_its_value(desk: Desk) -> None:
    values = {"url": "http://127.0.0.1:9009", "page_size": "0", "note": "rude"}
    with pytest.raises(UserError) as failure:
        integrations.add(desk.platform, "corner_shop", name=NAME, values=values, person=PERSON)
    told = failure.value.message.splitlines()
    assert told[0] == "Corner shop needs the setting key: Key, Printed on the till."
    assert told[1].startswith("The setting page_size is not right: ")
    assert told[2] == "The setting note is not right: Say it politely."


def test_an_unknown_connector_and_an_unknown_zone_are_told(desk: Desk) -> None:
    with pytest.raises(UserError, match="no connector called"):
        integrations.add(desk.platform, "nowhere", name=NAME, values={}, person=PERSON)
    with pytest.raises(UserError, match="Did you mean"):
        desk.add(time_zone="Europe/Pariss")


def test_testing_the_connection_keeps_what_was_found(connected: Desk) -> None:
    connected.shop.found = replace(connected.shop.found, title="Renamed", checks=(BAD,))
    found = integrations.test_connection(connected.platform, NAME, person=PERSON)
    assert probes.failures(found) == [BAD]
    assert probes.read_probe(the(connected)).title == "Renamed"
    assert connected.audit[0].detail == {"failed": ["rights"]}


def test_a_test_that_reaches_nothing_leaves_what_was_known_of_the_shop(connected: Desk) -> None:
    connected.shop.is_down = refused()
    found = integrations.test_connection(connected.platform, NAME, person=PERSON)
    kept = probes.read_probe(the(connected))
    assert probes.is_unreachable(found)
    assert (kept.title, kept.clock_offset) == ("The Corner", None)
    assert probes.failures(kept)[0].remedy == "Enter another key."


def test_changed_settings_are_a_new_version_and_forget_the_pages(connected: Desk) -> None:
    feed = connected.database.read(lambda unit: feeds.find(unit, the(connected).id, flow="update_products"))
    connected.database.write(lambda unit: digests.keep(unit, feed.id, page="1", digest=b"x", count=1))
    integrations.change_settings(
        connected.platform, NAME, values={"page_size": "50", "key": "another"}, title=" Mine ", person=PERSON
    )
    integration = the(connected)
    settings = opening.read_settings(
        connected.platform, integration, connected.platform.registry.connector("corner_shop")
    )
    assert (settings.page_size, settings.key.get_secret_value(), integration.title) == (50, "another", "Mine")
    assert integration.settings_version == 2
    assert connected.database.read(lambda unit: digests.within(unit, feed.id, ["1"])) == {}
    assert (
        connected.database.read(lambda unit: stored.version_of(unit, integration.id, version=1))[0]["page_size"] == 10
    )
    assert connected.audit[0].detail["changed"] == ["key", "page_size"]


def test_an_empty_value_goes_back_to_the_default_and_the_key_stays(connected: Desk) -> None:
    integrations.change_settings(connected.platform, NAME, values={"page_size": "50"}, person=PERSON)
    integrations.change_settings(connected.platform, NAME, values={"page_size": ""}, person=PERSON)
    assert the(connected).settings["page_size"] == 10
    assert connected.shop.keys_seen == [KEY] * 3


def test_settings_that_do_not_connect_are_not_saved(connected: Desk) -> None:
    connected.shop.found = replace(connected.shop.found, checks=(BAD,))
    with pytest.raises(integrations.ConnectionFailed):
        integrations.change_settings(connected.platform, NAME, values={"page_size": "5"}, person=PERSON)
    assert the(connected).settings["page_size"] == 10
    integrations.change_settings(connected.platform, NAME, values={"page_size": "5"}, force=True, person=PERSON)
    assert the(connected).settings["page_size"] == 5


def test_an_integration_that_stood_still_goes_on_when_its_settings_work(connected: Desk) -> None:
    connected.database.write(lambda unit: stored.pause(unit, the(connected).id, attention="The key was refused."))
    integrations.change_settings(connected.platform, NAME, values={"key": "another"}, person=PERSON)
    assert the(connected).paused_at is None


def test_another_time_zone_moves_the_next_runs(connected: Desk) -> None:
    name = f"{NAME}/update_products"
    before = connected.database.read(lambda unit: feeds.find(unit, the(connected).id, flow="update_products")).due_at
    integrations.change_settings(connected.platform, NAME, values={}, time_zone="Asia/Tokyo", person=PERSON)
    after = connected.database.read(lambda unit: feeds.find(unit, the(connected).id, flow="update_products")).due_at
    assert the(connected).time_zone == "Asia/Tokyo"
    assert before.astimezone().hour != after.astimezone().hour, name
    with pytest.raises(UserError, match="not a time zone"):
        integrations.change_settings(connected.platform, NAME, values={}, time_zone="Nowhere", person=PERSON)


def test_pausing_stops_run_now_until_it_is_resumed(connected: Desk) -> None:
    integrations.pause(connected.platform, NAME, person=PERSON, reason="stocktaking")
    with pytest.raises(UserError, match="Paused by ada: stocktaking"):
        feed_actions.run_now(connected.platform, f"{NAME}/retry", person=PERSON)
    with pytest.raises(UserError, match="paused already"):
        integrations.pause(connected.platform, NAME, person="bob")
    integrations.resume(connected.platform, NAME, person=PERSON)
    with pytest.raises(UserError, match="not paused"):
        integrations.resume(connected.platform, NAME, person=PERSON)
    assert connected.run("retry").state is State.SUCCEEDED


def test_removing_asks_for_the_name_and_keeps_products_and_stock(connected: Desk) -> None:
    connected.fill(a_product("1"), an_order("100", shipping_code="9"), a_level("1"))
    for flow in ("import_new_products", "import_new_orders", "import_stock"):
        connected.run(flow)
    assert connected.database.read(issue_rows.listed)
    with pytest.raises(UserError, match="write its name once more"):
        integrations.remove(connected.platform, NAME, person=PERSON, confirmed="yes")
    removed = integrations.remove(connected.platform, NAME, person=PERSON, confirmed=NAME)
    assert removed.products_kept == 1
    assert removed.executions == 3
    with connected.database.reading() as unit:
        assert stored.listed(unit) == []
        assert feeds.listed(unit) == []
        assert issue_rows.listed(unit, state=None) == []
        [product] = records.listed(unit, kind="product")
    assert product.integration == ""
    connected.add()
    assert connected.run("import_new_products").updated == 1  # linked again, by its SKU


def test_a_shop_that_is_being_worked_on_is_not_removed_unless_that_is_wanted(connected: Desk) -> None:
    def start(unit):
        feed = feeds.find(unit, the(connected).id, flow="retry")
        execution_id = executions.insert(unit, feed_id=feed.id, trigger=Trigger.MANUAL)
        return executions.claim(unit, execution_id, worker="w", lease_seconds=30)

    connected.database.write(start)
    with pytest.raises(UserError, match="is running"):
        integrations.remove(connected.platform, NAME, person=PERSON, confirmed=NAME)
    integrations.remove(connected.platform, NAME, person=PERSON, confirmed=NAME, stops_work=True)
    assert connected.database.read(stored.listed) == []


def test_the_nearest_name_is_suggested(connected: Desk) -> None:
    with pytest.raises(UserError, match="Did you mean “corner”"):
        the(connected, "korner")
    with pytest.raises(UserError, match="There are: corner"):
        the(connected, "zzz")


def test_without_any_integration_the_way_to_add_one_is_told(desk: Desk) -> None:
    with pytest.raises(UserError, match="navette integrations add"):
        the(desk)


def test_the_number_of_what_was_removed_is_never_given_again(connected: Desk) -> None:
    before = connected.run("retry"), connected.database.read(lambda unit: stored.find(unit, NAME))
    integrations.remove(connected.platform, NAME, person=PERSON, confirmed=NAME)
    connected.add()
    after = connected.run("retry"), connected.database.read(lambda unit: stored.find(unit, NAME))
    assert all(new and old and new.id > old.id for new, old in zip(after, before, strict=True))
