"""Tells a worker that something waits. A message carries an execution's id and nothing else: a doorbell, not a record.

A lost message costs a delay, a doubled one costs nothing: the execution's row decides. So dramatiq runs here without its
middleware: no retries, no delays, no time limits, no results.
"""

from collections.abc import Callable, Iterable
from queue import Queue
from typing import TYPE_CHECKING, Any

import dramatiq
import structlog
from dramatiq.brokers.stub import StubBroker

if TYPE_CHECKING:
    import redis

log = structlog.get_logger()

_QUEUE = "executions"
_ACTOR = "run_execution"
_NAMESPACE = "navette"
_IDLE_MILLISECONDS = 50
"""How long an idle worker may sleep before it looks for messages again; dramatiq's own default is a second."""


class Dispatcher:
    """The way from those who request to those who work: within this process, or through Redis."""

    def __init__(self, redis_url: str = "") -> None:
        """An empty address keeps messages within this process. Redis is not contacted yet."""
        self._client: redis.Redis | None = None
        self._broker: dramatiq.Broker = StubBroker(middleware=[])
        self._unreachable: tuple[type[Exception], ...] = ()
        if redis_url:
            self._client, self._broker, self._unreachable = _over_redis(redis_url)
        self._broker.declare_queue(_QUEUE)
        self._worker: dramatiq.Worker | None = None

    def ring(self, execution_ids: Iterable[int]) -> bool:
        """Tell workers of executions; after commit only. False: nobody could be told, and the sweeper rings again later."""
        try:
            for execution_id in execution_ids:
                self._broker.enqueue(_message(execution_id))
        except self._unreachable as error:
            log.warning("ring_lost", error=type(error).__name__)
            return False
        return True

    def backlog(self) -> int | None:
        """Messages no worker has taken yet; None when Redis cannot be asked."""
        if self._client is None:
            queue: Queue[Any] = self._broker.queues[_QUEUE]
            return queue.qsize()
        try:
            return int(self._client.llen(f"{_NAMESPACE}:{_QUEUE}"))
        except self._unreachable:
            return None

    def start(self, work: Callable[[int], None], *, threads: int) -> None:
        """Call ``work`` with the id of each execution rung, in up to ``threads`` threads. ``work`` raises nothing."""
        dramatiq.actor(broker=self._broker, actor_name=_ACTOR, queue_name=_QUEUE)(work)
        self._worker = dramatiq.Worker(self._broker, worker_threads=threads, worker_timeout=_IDLE_MILLISECONDS)
        self._worker.queue_prefetch = threads  # a message fetched ahead would wait here while other workers are idle
        self._worker.start()

    def stop(self, *, grace_seconds: float) -> None:
        """Take no further messages and wait for the work at hand, at most ``grace_seconds``."""
        if self._worker is not None:
            self._worker.stop(timeout=int(grace_seconds * 1000))
            self._worker = None

    def close(self) -> None:
        """Let go of Redis."""
        self._broker.close()
        if self._client is not None:
            self._client.close()


def _message(execution_id: int) -> dramatiq.Message[Any]:
    return dramatiq.Message(queue_name=_QUEUE, actor_name=_ACTOR, args=(execution_id,), kwargs={}, options={})


def _over_redis(url: str) -> "tuple[redis.Redis, dramatiq.Broker, tuple[type[Exception], ...]]":
    """The client, the broker on it, and what they raise when Redis is away. Imported here: one process alone needs none of it."""
    from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415
    from redis import Redis, RedisError  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    # Nobody waits long for a bell: a person's click must not hang because Redis does.
    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5, retry=Retry(NoBackoff(), 1))
    broker: Any = RedisBroker  # dramatiq leaves its signature untyped
    return client, broker(client=client, namespace=_NAMESPACE, middleware=[]), (RedisError,)
