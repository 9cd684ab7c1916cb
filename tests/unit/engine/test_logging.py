"""The log: one line per event, the same for ours and for libraries, without secrets or variables."""

import io
import json
import logging

import pytest
import structlog

from domain.errors import Unavailable
from engine.logging import set_up_logging


@pytest.fixture(autouse=True)
def _restored():
    """The logging of the tests themselves comes back afterwards."""
    root, structure = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structure)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(act, **options) -> list[str]:
    stream = options.pop("stream", None) or io.StringIO()
    set_up_logging(**({"log_format": "json"} | options), stream=stream)
    act(structlog.get_logger())
    return stream.getvalue().splitlines()


def one(act, **options) -> dict:
    (line,) = logged(act, **options)
    return json.loads(line)


def test_an_event_is_one_line_with_its_fields():
    event = one(lambda log: log.info("page_saved", feed="orders", records=100, share=0.5, last=None, names=("a", "b")))
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "event": "page_saved",
        "level": "info",
        "feed": "orders",
        "records": 100,
        "share": 0.5,
        "last": None,
        "names": ["a", "b"],
    }


def test_lines_are_for_people():
    (line,) = logged(lambda log: log.warning("page_saved", feed="orders", counts={"new": 3}), log_format="lines")
    assert line.split(maxsplit=1)[1] == 'warning  page_saved                   feed=orders  counts={"new": 3}'


@pytest.mark.parametrize(("stream", "is_json"), [(Terminal(), False), (io.StringIO(), True)])
def test_without_a_choice_a_terminal_gets_lines_and_everything_else_json(stream, is_json):
    (line,) = logged(lambda log: log.info("started"), log_format="auto", stream=stream)
    assert line.startswith("{") == is_json


@pytest.mark.parametrize("log_format", ["lines", "json"])
@pytest.mark.parametrize(
    "text", ["two\nlines", "\x1b[31mred", "\r\n\x00\x07", "a\u2028b\u202ec", "tab\there", "\x9b31m"]
)
def test_no_value_breaks_its_line_or_speaks_to_the_terminal(log_format, text):
    lines = logged(
        lambda log: (
            log.info("noted", name=text, inner={"deep": [text]}),
            log.info(text),
            logging.getLogger("x").error(text),
        ),
        log_format=log_format,
    )
    assert len(lines) == 3
    assert not any(sign in line for line in lines for sign in "\x1b\r\x00\x07\t\u2028\u202e\x9b")


def test_libraries_speak_through_the_same_log():
    event = one(lambda _: logging.getLogger("some.library").warning("lost %s after %d", "contact", 3))
    assert (event["event"], event["level"], event["logger"]) == ("lost contact after 3", "warning", "some.library")


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "httpcore.connection"])
def test_the_network_library_says_nothing(name):
    assert logged(lambda _: logging.getLogger(name).error("GET https://shop/?ws_key=canary"), log_level="debug") == []


@pytest.mark.parametrize("name", ["dramatiq.worker.WorkerThread", "alembic.runtime", "sqlalchemy.engine"])
def test_chatty_libraries_only_warn(name):
    def act(_log):
        logging.getLogger(name).info("chat")
        logging.getLogger(name).warning("real")

    assert [json.loads(line)["event"] for line in logged(act, log_level="debug")] == ["real"]


def test_events_below_the_level_are_left_out():
    def act(log):
        log.debug("small")
        log.error("big")
        logging.getLogger("library").info("small")

    assert [json.loads(line)["event"] for line in logged(act, log_level="warning")] == ["big"]


def test_setting_up_again_does_not_write_twice():
    set_up_logging(log_format="json", stream=io.StringIO())
    assert len(logged(lambda log: log.info("once"))) == 1


def test_context_travels_with_the_events():
    with structlog.contextvars.bound_contextvars(execution=7):
        assert one(lambda log: log.info("claimed"))["execution"] == 7


@pytest.mark.parametrize("log_format", ["lines", "json"])
def test_an_exception_is_told_in_one_line_without_what_variables_held(log_format):
    def fail():
        canary = "canary-of-a-local"
        try:
            len(canary) / 0
        except ZeroDivisionError as error:
            raise Unavailable("shop.example is down.\nToday.", detail="code 7") from error

    def act(log):
        try:
            fail()
        except Unavailable:
            log.exception("page_failed", feed="orders")

    (line,) = logged(act, log_format=log_format)
    assert "Unavailable: shop.example is down." in line
    assert "[code 7]" in line
    assert "test_logging.py:" in line
    assert "caused by ZeroDivisionError: division by zero" in line
    assert "canary" not in line


def caught() -> ValueError:
    try:
        int("not a number")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("given", ["error", "triple", "library"])
def test_exceptions_come_in_all_the_forms_they_are_given_in(given):
    def act(log):
        error = caught()
        match given:
            case "error":
                log.warning("failed", exc_info=error)
            case "triple":
                log.warning("failed", exc_info=(ValueError, error, error.__traceback__))
            case "library":
                logging.getLogger("library").warning("failed", exc_info=error)

    assert one(act)["error"].startswith("ValueError: invalid literal for int()")


def test_an_exception_that_loops_or_is_not_there_is_no_trouble():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert (
        one(lambda log: log.error("failed", exc_info=first))["error"]
        == "ValueError: first | caused by ValueError: second"
    )
    assert "error" not in one(lambda log: log.error("failed", exc_info=True))


def test_what_is_named_like_a_secret_is_masked_wherever_it_stands():
    event = one(
        lambda log: log.info(
            "noted password=canary",
            password="canary",
            settings={"api_key": "canary", "list": [{"token": "canary"}]},
            address="https://shop/?ws_key=canary",
            body=b"canary",
            deep={"a": {"b": {"c": {"d": {"e": {"f": {"password": "canary"}}}}}}},
        )
    )
    assert "canary" not in json.dumps(event)
    assert event["body"] == "<6 bytes>"


def test_a_whole_payload_is_cut():
    assert len(one(lambda log: log.info("noted", text="x" * 100_000))["text"]) < 4_100


def test_anything_can_be_logged():
    event = one(
        lambda log: log.info("noted", kind=ValueError, when=object, nan=float("inf"), items={"b"}, pair=frozenset())
    )
    assert event["items"] == ["b"]
