"""The few types a connector is written in.

A connector says what exists (``Connector``), fetches (``Stream``, ``Sink``) and translates (pure mapping functions). It speaks
to the outside only through the ``Door`` it is handed, and every request it can make is a declared ``Operation``.
"""

from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel, SecretStr

from domain.errors import PlatformError
from domain.records import Record
from engine.webhook import Webhook

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


# --- the door -----------------------------------------------------------------------------------------------------


class Format(StrEnum):
    """What an operation's answer is; the door refuses anything else and demands the format's own end."""

    JSON = "json"
    XML = "xml"
    IMAGE = "image"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of request a connector makes. An operation that is not declared as reading counts as writing."""

    name: str
    method: str
    answers: Format = Format.ANY
    is_reading: bool = False


def reads(name: str, method: str = "GET", *, answers: Format = Format.ANY) -> Operation:
    """Declare an operation that changes nothing on the other side, whatever its method. It may be repeated freely."""
    return Operation(name=name, method=method, answers=answers, is_reading=True)


def writes(name: str, method: str, *, answers: Format = Format.ANY) -> Operation:
    """Declare an operation that changes something on the other side. It is sent once, and only in production."""
    return Operation(name=name, method=method, answers=answers)


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is relative to the integration's address; ``query`` pairs are percent-encoded by the door."""

    operation: Operation
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete, decoded answer. ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Door(Protocol):
    """The one way to the network, made by the engine for one integration. Safe to use from several threads.

    Raises only errors of ``domain.errors``: reading requests are repeated on passing faults; a writing request is sent at
    most once, raises ``OutcomeUnknown`` when it may have been applied, and ``Withheld`` when the gate is shut.
    """

    def send(self, request: Request) -> Answer:
        """Send one request and return its answer (status 2xx or 304)."""
        ...

    def stream(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """Answer reading requests in their order, as many in flight at once as the connector's limits allow."""
        ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where an integration lives and what proves who we are. ``headers`` are secret; ``secrets`` are redacted everywhere."""

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard an integration may be pulled: requests in flight at once, requests a second (all workers together), page size."""

    concurrent: int = 1
    per_second: float | None = None
    page_size: int = 100


# --- reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A batch from a system.

    ``raws`` decodes it when called: a page whose ``digest`` is known need not be decoded. ``position`` is where an
    interrupted execution goes on after this page; ``mark``, where the next execution may start from (None: not yet known).
    """

    raws: Callable[[], Sequence[Any]]
    digest: bytes
    position: Json = None
    mark: str | None = None


_COMPARED_AT_ONCE = 20_000
"""Known ids compared with a census in one go: more cost memory, fewer cost time."""


class Census:
    """The ids a system holds, kept small: eight bytes an id, whatever their number.

    Taken before a full reading: tells how much there is, which known records are gone, and where pages begin and end.
    """

    def __init__(self, page_size: int) -> None:
        """``page_size`` sets the distance of the boundaries in ``spans``."""
        self._page_size = page_size
        self._hashes = array("q")
        self.spans: list[tuple[str, str]] = []
        self._open = 0

    def add(self, ids: Iterable[str]) -> None:
        """Take the next ids, in the order the pages will be read in."""
        names = list(ids)
        done = 0
        if self._open and names:  # the page that the ids before left open
            done = self._page_size - self._open
            self.spans[-1] = (self.spans[-1][0], names[:done][-1])
        size = self._page_size
        pages = (names[start : start + size] for start in range(done, len(names), size))
        self.spans += [(page[0], page[-1]) for page in pages]
        self._open = (self._open + len(names)) % size
        self._hashes.extend(map(hash, names))

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self._hashes)

    def missing(self, known: Iterable[str]) -> list[str]:
        """Those of ``known`` that the system no longer has."""
        absent: list[str] = []
        names = iter(known)
        while portion := {hash(remote_id): remote_id for remote_id in islice(names, _COMPARED_AT_ONCE)}:
            left = set(portion)
            left.difference_update(self._hashes)
            absent += [remote_id for hashed, remote_id in portion.items() if hashed in left]
        return absent


@dataclass(frozen=True, slots=True)
class Reading:
    """What the engine wants read.

    ``mark`` is the last saved mark of the feed (None: never read), ``since`` the start of the first-import window or of a
    window a person asked for, ``until`` its end. ``position`` is that of the last page saved by an earlier attempt.
    ``parents`` holds remote ids, for a stream that reads the parts of records already known (images of products);
    ``known(ids)`` tells which of these the hub already has, so that their bytes need not be fetched again.
    """

    page_size: int
    mark: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    position: Json = None
    census: Census | None = None
    parents: tuple[str, ...] = ()
    known: Callable[[Sequence[str]], Set[str]] = lambda _ids: frozenset()


@dataclass(frozen=True, slots=True)
class Stream:
    """How one kind of record is read.

    - ``pages(account, reading)`` yields pages in a stable order, all of them where ``reading`` carries a census, else
      what changed after its mark.
    - ``record(raw, account)`` maps one raw item: total, returns a record or raises ``RecordProblem``.
    - ``identify(raw)`` is the remote id and label of a raw item whose mapping failed.
    - ``by_id(account, ids)`` reads single records again; ids that no longer exist are simply not in the page.
    - ``find(account, text)`` turns what a person types (an order number, a SKU) into remote ids.
    - ``census(account)`` yields chunks of all remote ids in reading order, for streams that can be read in full.
    - ``parent`` is the kind whose records the parts belong to, for streams read by parent.
    """

    pages: Callable[[Any, Reading], Generator[Page, None, None]]
    record: Callable[[Any, Any], Record]
    identify: Callable[[Any], tuple[str, str]]
    by_id: Callable[[Any, Sequence[str]], Page] | None = None
    find: Callable[[Any, str], Sequence[str]] | None = None
    census: Callable[[Any], Iterator[Sequence[str]]] | None = None
    parent: type[Record] | None = None


# --- writing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One intended change outside, its identity fixed before it is sent.

    ``target`` is the remote id it concerns, ``before`` the value last known there (None: unknown), ``after`` the value
    wanted; both are the plain JSON form of the record kind.
    """

    identity: str
    target: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a change happened. ``evidence`` is what the other side showed; ``was_found`` when it was there already."""

    evidence: Json = None
    was_found: bool = False


Outcome: TypeAlias = Receipt | PlatformError


@dataclass(frozen=True, slots=True)
class Sink:
    """How one kind of change is written.

    - ``send(account, changes)`` applies up to ``batch`` changes and tells one outcome each, in order: a receipt, or the
      error (``RequestRefused``: this one is wrong; ``OutcomeUnknown``: may have been applied; a transient or attention error).
      It may also raise: then the error holds for every change of the batch.
    - ``look_up(account, changes)`` tells for changes of unknown outcome: a receipt (it happened), None (it did not), or an
      error (cannot be told).
    """

    send: Callable[[Any, Sequence[Change]], Sequence[Outcome]]
    look_up: Callable[[Any, Sequence[Change]], Sequence[Outcome | None]]
    operations: tuple[Operation, ...]
    batch: int = 1


class StockMeaning(StrEnum):
    """What the quantity of a shop's stock level is: what can still be sold (its open orders already subtracted), or on hand."""

    SELLABLE = "sellable"
    ON_HAND = "on_hand"


# --- the connector ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """A remote value that people map or rule on: an order status, a carrier, a payment method. ``advice`` is the default."""

    value: str
    label: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a connection test. ``remedy`` is filled in when it does not pass.

    ``is_needed``: without it the shop cannot be connected at all; else only what needs it stands still.
    """

    name: str
    passed: bool
    message: str
    remedy: str = ""
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection test found out. ``clock_offset`` is how far the other side's clock is ahead of ours."""

    title: str
    version: str
    checks: tuple[Check, ...]
    time_zone: str = ""
    clock_offset: timedelta | None = None
    statuses: tuple[Choice, ...] = ()
    shipping_methods: tuple[Choice, ...] = ()
    payment_methods: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Connector:
    """All there is to know about one kind of system.

    - ``settings`` is a pydantic model; its ``SecretStr`` fields are encrypted at rest and never shown.
    - ``sign_in(settings)`` gives the address and the secret headers.
    - ``open(door, settings)`` returns the *account* that streams and sinks are called with. What mapping needs to know about
      the shop is best read only when it is needed: an idle system should cost one request.
    - ``probe(door, settings)`` is the connection test.
    - ``interpret(answer)`` turns an answer that is not 2xx into an error, or returns None to leave it to the door's table.
    - ``refresh(door, settings)`` asks for new secrets when those of an integration have expired, and returns them by the
      names of the settings. Its request is declared as reading, whatever its method. The new ones are stored before use.
    - ``refresh_sign_in(settings)`` says where ``refresh`` asks, if not at the integration's own address without headers.
    - ``webhook`` says how the system's webhooks are known to be genuine, and what they hint at.
    - ``simulator`` is the module that imitates the system, loaded only when asked for.
    """

    name: str
    title: str
    settings: type[BaseModel]
    sign_in: Callable[[Any], SignIn]
    open: Callable[[Door, Any], Any]
    probe: Callable[[Door, Any], Probe]
    interpret: Callable[[Answer], PlatformError | None]
    reads: Mapping[type[Record], Stream]
    writes: Mapping[type[Record], Sink] = field(default_factory=dict)
    limits: Callable[[Any], Limits] = lambda _settings: Limits()
    stock_meaning: StockMeaning = StockMeaning.SELLABLE
    refresh: Callable[[Door, Any], Mapping[str, SecretStr]] | None = None
    refresh_sign_in: Callable[[Any], SignIn] | None = None
    webhook: Webhook | None = None
    simulator: str = ""


def quantity_json(quantity: Decimal) -> str:
    """The plain form of a quantity in a change: no exponent, no trailing zeros."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
