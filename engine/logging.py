"""The log: one line per event on standard error, for people or for programs, without secrets.

Our own events come from ``structlog.get_logger()``, those of libraries from the standard loggers; both go through the same
steps and look the same.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from domain import clock
from engine.redaction import MASK, SECRET_NAME, redact_named

_SILENT = ("httpcore", "httpx")
_QUIET = ("alembic", "asyncio", "dramatiq", "h11", "redis", "sqlalchemy")
_LONGEST = 4_000
_DEEPEST = 6
_FRAMES = 12
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def set_up_logging(
    *, log_format: Literal["auto", "lines", "json"] = "auto", log_level: str = "info", stream: TextIO | None = None
) -> None:
    """Send every event of ``log_level`` and above to ``stream`` (standard error). Calling it again replaces the set-up."""
    target = stream or sys.stderr
    is_readable = log_format == "lines" or (log_format == "auto" and target.isatty())
    steps: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_time,
        _add_error,
        _redact,
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *steps],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _line if is_readable else _json],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *steps,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["time"] = clock.now().isoformat(timespec="milliseconds")
    return event


def _add_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The exception as one text: kinds, messages and places, but never what variables held."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    if given and error is not None:
        event["error"] = " | caused by ".join(map(_told, _chain(error)))
    return event


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return chain


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    detail = getattr(error, "detail", "")
    return f"{type(error).__name__}: {error}" + (f" [{detail}]" if detail else "") + (f" ({places})" if places else "")


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own
            event[name] = _clean(value, name, 0)
    return event


def _clean(value: object, name: str, depth: int) -> object:
    """The value as plain JSON, short, without what is named like a secret."""
    if SECRET_NAME.match(name):
        return MASK
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping() if depth < _DEEPEST:
            return {str(key): _clean(inner, str(key), depth + 1) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
            return [_clean(inner, "", depth + 1) for inner in value]
        case bytes() | bytearray():
            return f"<{len(value)} bytes>"
        case _:
            text = str(value)
            return redact_named(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    return json.dumps({**first, **event})


def _line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    time, level, name = str(event.pop("time"))[11:23], event.pop("level"), _printable(str(event.pop("event")))
    fields = "  ".join(f"{key}={_printable(_plain(value))}" for key, value in event.items())
    return f"{time} {level:<8} {name:<28} {fields}".rstrip()


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
