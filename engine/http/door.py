"""The one door to the network.

Every request goes the same way, top to bottom in ``GuardedDoor``: a place in the integration's budget, the gate (if it
writes), a checked connection, the body to its true end, the table of failures, redaction. Reading requests are repeated a
few times; writing requests are sent once.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Self

import httpcore
from tenacity import RetryCallState, Retrying, stop_before_delay, wait_random_exponential

from domain import clock
from domain.errors import (
    BrokenInvariant,
    CredentialsRejected,
    PlatformError,
    RateLimited,
    RemoteContractError,
    TooLarge,
    TransientError,
    Unavailable,
)
from engine.connector import Answer, Limits, Request, SignIn
from engine.http.addresses import parse_base
from engine.http.body import read_body
from engine.http.budget import Budget, MemoryBudget
from engine.http.failures import NETWORK_ERRORS, as_outcome, from_status, translate
from engine.http.formats import check_format, excerpt
from engine.http.gate import Gate, shut
from engine.http.message import build, headers_of
from engine.http.passage import CURRENT, Passage, Recall
from engine.http.retry_after import parse_http_date, parse_retry_after
from engine.http.rules import Rules, public_trust
from engine.http.transport import GuardedBackend
from engine.redaction import Redactor, header_secrets

_TRIES = 3
_TRIES_OF_UNTRUSTED = 2
_REFUSAL_CAP = 1_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one try of one request cost: bytes on the wire, seconds. ``status`` is 0 where no answer came."""

    operation: str
    status: int
    sent: int
    received: int
    seconds: float


def leave_to_table(answer: Answer) -> PlatformError | None:  # noqa: ARG001 - the shape of Connector.interpret
    """The interpretation of a connector that has nothing to add to the HTTP status."""
    return None


def unobserved(traffic: Traffic) -> None:
    """Count nothing."""


@dataclass(eq=False, repr=False)
class GuardedDoor:
    """The door of one integration, for one execution. Close it, or use it as a context manager. Safe in several threads.

    - ``interpret`` is the connector's: it has the first word on a complete answer that is not 2xx.
    - ``gate`` is asked right before each writing request, and never for a reading one. Without one, nothing is written.
    - ``budget`` is shared by all doors to the integration.
    - ``on_traffic`` is told about each try, in the thread that made it.
    - ``renew`` gets another sign-in where the one given to it was refused; what was refused is then sent once more, also a
      change: a request that was not let in has done nothing.

    Raises ``AddressRefused`` at once where the address is not acceptable in itself.
    """

    sign_in: SignIn
    limits: Limits = field(default_factory=Limits)
    interpret: Callable[[Answer], PlatformError | None] = field(default=leave_to_table, kw_only=True)
    gate: Gate = field(default=shut, kw_only=True)
    budget: Budget | None = field(default=None, kw_only=True)
    rules: Rules = field(default_factory=Rules, kw_only=True)
    on_traffic: Callable[[Traffic], None] = field(default=unobserved, kw_only=True)
    renew: Callable[[SignIn], SignIn] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Connections are made when needed."""
        self._secrets = _secrets_of(self.sign_in)
        self._redact = Redactor(self._secrets)
        self._renewing = threading.Lock()
        self._lockout: PlatformError | None = None
        self._address = parse_base(self.sign_in.base_url, allow_private=self.rules.allow_private)
        self._budget = self.budget or MemoryBudget(self.limits.per_second, patience=self.rules.patience)
        self._in_flight = max(1, self.limits.concurrent)
        self._places = threading.BoundedSemaphore(self._in_flight)
        self._threads = ThreadPoolExecutor(self._in_flight, thread_name_prefix="door")
        self._recall = Recall()
        self._pool = httpcore.ConnectionPool(
            ssl_context=self.rules.trust or public_trust(),
            max_connections=self._in_flight,
            max_keepalive_connections=self._in_flight,
            keepalive_expiry=self.rules.timeouts.idle,
            network_backend=GuardedBackend(resolve=self.rules.resolve, allow_private=self.rules.allow_private),
        )

    def __enter__(self) -> Self:
        """The door itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Where it leads; nothing secret."""
        return f"GuardedDoor({self._address.authority})"

    def close(self) -> None:
        """Call back what is still in flight, and close all connections."""
        self._recall.abort()
        self._threads.shutdown(cancel_futures=True)
        self._pool.close()

    def send(self, request: Request) -> Answer:
        """Send one request and return its answer (status 2xx or 304)."""
        return self._send(request, self._recall)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """Answer reading requests in their order, pulling them as places become free: always one further than is needed.

        The first error ends it. Closing it calls back what is in flight.
        """
        source = iter(requests)
        ahead: deque[Future[Answer]] = deque()
        recall = Recall()
        self._recall.add(recall)
        try:
            while True:
                for request in islice(source, 2 * self._in_flight - len(ahead)):
                    ahead.append(self._threads.submit(self._read_ahead, request, recall))
                if not ahead:
                    return
                yield ahead.popleft().result()
        finally:
            recall.abort()
            for future in ahead:
                future.cancel()
            self._recall.remove(recall)

    def _read_ahead(self, request: Request, recall: Recall) -> Answer:
        if not request.operation.is_reading:
            raise BrokenInvariant(f"'{request.operation.name}' writes, and cannot be sent ahead of its turn.")
        return self._send(request, recall)

    def _send(self, request: Request, recall: Recall) -> Answer:
        used = self.sign_in
        try:
            return self._send_signed(request, recall)
        except CredentialsRejected:
            if self.renew is None:
                raise
        self._renew_from(used, self.renew)
        return self._send_signed(request, recall)

    def _renew_from(self, used: SignIn, renew: Callable[[SignIn], SignIn]) -> None:
        """Sign in anew, unless another thread did so since. What failed once fails for all: this door is not signed in."""
        with self._renewing:
            if self._lockout is not None:
                raise self._lockout
            if self.sign_in is used:
                try:
                    renewed = renew(used)
                except PlatformError as error:
                    self._lockout = error
                    raise
                self._secrets = self._secrets | _secrets_of(renewed)
                self._redact = Redactor(self._secrets)
                self.sign_in = renewed

    def _send_signed(self, request: Request, recall: Recall) -> Answer:
        if not request.operation.is_reading:
            return self._try(request, recall)
        tries = Retrying(
            retry=lambda state: not recall.is_called and self._may_repeat(state),
            stop=stop_before_delay(self.rules.timeouts.total),
            wait=self._pause,
            sleep=recall.sleep,
            reraise=True,
        )
        return tries(self._try, request, recall)

    def _may_repeat(self, state: RetryCallState) -> bool:
        match state.outcome and state.outcome.exception():
            case TransientError() as error:
                pause = error.retry_after.total_seconds() if error.retry_after is not None else 0.0
                return state.attempt_number < _TRIES and pause <= self.rules.patience
            case TooLarge():
                return False
            case RemoteContractError():
                return state.attempt_number < _TRIES_OF_UNTRUSTED
            case _:
                return False

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientError) and error.retry_after is not None:
            return error.retry_after.total_seconds()
        return wait_random_exponential(multiplier=self.rules.first_pause, max=self.rules.patience)(state)

    def _try(self, request: Request, recall: Recall) -> Answer:
        """One try, in the order that matters: place, budget, gate, network, judgement."""
        with self._places:
            self._budget.acquire()
            if recall.is_called:
                raise Unavailable(f"'{request.operation.name}' was called back before it was sent.")
            if not request.operation.is_reading:
                self.gate(request.operation)
            passage = Passage(deadline=clock.monotonic() + self.rules.timeouts.total)
            answer, problem = self._exchange(request, passage, recall)
        verdict = self._judge(request, answer, problem)
        if not recall.is_called:  # what we call back ourselves says nothing about the other side
            self._tell_budget(verdict, answer.status)
        if isinstance(verdict, Answer):
            return verdict
        if not request.operation.is_reading:
            names = {"host": self._address.host, "does": request.operation.name}
            verdict = as_outcome(verdict, is_sent=passage.is_sent, status=answer.status, **names)
        raise self._redacted(self._placed(verdict, request))

    def _exchange(self, request: Request, passage: Passage, recall: Recall) -> tuple[Answer, PlatformError | None]:
        """The answer as far as it came (status 0: not at all), and what kept it from coming whole."""
        answer, problem = Answer(status=0, headers={}, body=b""), None
        started = clock.monotonic()
        recall.add(passage)
        token = CURRENT.set(passage)
        try:
            timeouts = self.rules.timeouts.for_pool()
            message = build(request, address=self._address, sign_in=self.sign_in, timeouts=timeouts)
            with closing(self._pool.handle_request(message)) as response:
                headers = headers_of(response.headers)
                answer = Answer(status=response.status, headers=headers, body=b"")
                body = read_body(
                    response.iter_stream(),
                    encoding=headers.get("content-encoding", ""),
                    length=headers.get("content-length", ""),
                    cap=self.rules.body_cap if _is_success(answer) else min(self.rules.body_cap, _REFUSAL_CAP),
                )
                answer = Answer(status=response.status, headers=headers, body=body)
        except PlatformError as error:
            problem = error
        except NETWORK_ERRORS as error:
            problem = translate(error, passage, host=self._address.host, does=request.operation.name)
        finally:
            CURRENT.reset(token)
            recall.remove(passage)
            seconds = clock.monotonic() - started
            self.on_traffic(Traffic(request.operation.name, answer.status, passage.sent, passage.received, seconds))
        return answer, problem

    def _judge(self, request: Request, answer: Answer, problem: PlatformError | None) -> Answer | PlatformError:
        """What it amounts to: an answer that can be trusted, or an error."""
        if problem is not None and (answer.status == 0 or _is_success(answer)):
            return problem
        if not _is_success(answer):
            word = self._word_of_connector(answer) if problem is None else None
            return word or self._word_of_table(request, answer)
        if answer.status in {204, 304} or request.operation.method.upper() == "HEAD":
            return answer
        try:
            check_format(
                answer.body, content_type=answer.headers.get("content-type", ""), answers=request.operation.answers
            )
        except RemoteContractError as error:
            return error
        return answer

    def _word_of_connector(self, answer: Answer) -> PlatformError | None:
        try:
            return self.interpret(answer)
        except RemoteContractError:  # a proxy's error page is nothing a connector can read: the status speaks
            return None
        except PlatformError as error:
            return error

    def _word_of_table(self, request: Request, answer: Answer) -> PlatformError:
        at = parse_http_date(answer.headers.get("date")) or clock.now()
        pause = parse_retry_after(answer.headers.get("retry-after"), at=at)
        error = from_status(answer.status, host=self._address.host, does=request.operation.name, retry_after=pause)
        error.detail = excerpt(answer.body)
        return error

    def _tell_budget(self, verdict: Answer | PlatformError, status: int) -> None:
        match verdict:
            case RateLimited():
                self._budget.penalise(verdict.retry_after)
            case TransientError():
                self._budget.failed()
                if verdict.retry_after is not None:
                    self._budget.penalise(verdict.retry_after)
            case RemoteContractError():
                pass  # it answers, but nothing that shows it is well
            case _ if status:
                self._budget.succeeded()

    def _placed(self, error: PlatformError, request: Request) -> PlatformError:
        """The same error, its message saying where it happened."""
        if isinstance(error, RemoteContractError) and self._address.host not in error.message:
            error.message = f"{self._address.host}, '{request.operation.name}': {error.message}"
        return error

    def _redacted(self, error: PlatformError) -> PlatformError:
        """The same error, no text of it holding a secret, and no exception behind it that could."""
        for name, value in vars(error).items():
            if isinstance(value, str):
                setattr(error, name, self._redact(value))
        error.args = (error.message,)
        error.__cause__ = error.__context__ = None
        return error


def _secrets_of(sign_in: SignIn) -> set[str]:
    return {*sign_in.secrets, *header_secrets(sign_in.headers.values())}


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300 or answer.status == 304
