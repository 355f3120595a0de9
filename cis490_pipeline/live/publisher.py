"""Publishing to a hub: the standard library alone, and never in anybody's way.

``publish`` puts an event in a bounded queue and returns at once; a thread sends what is there in
batches, and tries again as long as the hub cannot be reached. When the queue is full the oldest
events go: what happens now is what a screen is for. Nothing is lost without being counted.

    with Publisher("http://127.0.0.1:8491", token) as publisher:
        publisher.publish("model_perf", {"model": …, "bundle": …})

Not here: what events may say (``EVENTS.md``); the hub checks it, and ``counts.refused`` tells.
"""

import http.client
import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from cis490_pipeline.receiver.client import Address

if TYPE_CHECKING:  # msgspec is no part of the standard library
    from cis490_pipeline.live.events import (
        Event,
    )

SCHEMA_VERSION: Final = 1
_BATCH_EVENTS: Final = 200
_BATCH_BYTES: Final = 512 << 10
_EVENT_BYTES: Final = 64 << 10
_ANSWER_BYTES: Final = 1 << 16
_FAULTS: Final = (OSError, http.client.HTTPException)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the events; ``waiting`` may still be sent.

    Attributes
    ----------
    dropped
        The queue was full, or the end came.
    refused
        The hub did not take them, or they are no JSON; the log says why.
    failures
        Attempts that did not reach the hub, or that it put off.
    """

    published: int
    delivered: int
    dropped: int
    refused: int
    waiting: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait.

    After the n-th failure between half of and all of ``first_s`` · 2ⁿ, at most ``longest_s``; for
    an answer ``timeout_s``; and ``gather_s`` for more to send along.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    timeout_s: float = 10.0
    gather_s: float = 0.05


class Publisher:
    """A queue to one hub; its methods may be called from many threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        capacity: int = 10_000,
        plain: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """Begin to send in the background.

        Parameters
        ----------
        url
            The hub's address.
        plain
            An unencrypted connection to another machine is wanted (inside a VPN, for one).

        Raises
        ------
        ConfigurationError
            Where the address is none, or the token would cross a network readably.
        """
        self._address = Address.parse(url, plain=plain)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._capacity = capacity
        self._pace = pace or Pace()
        self._queue: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_ending = False
        self._is_cut_off = False
        self._sending = 0
        self._published = self._delivered = self._dropped = self._refused = self._failures = 0
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Publish inside the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Send what is left, for a few seconds."""
        self.close()

    @property
    def counts(self) -> Counts:
        """What became of the events until now."""
        with self._changed:
            return Counts(
                published=self._published,
                delivered=self._delivered,
                dropped=self._dropped,
                refused=self._refused,
                waiting=len(self._queue) + self._sending,
                failures=self._failures,
            )

    def publish_event(self, event: "Event") -> bool:
        """Queue a typed event; see ``publish``."""
        return self.publish(event.topic, event)

    def publish(self, topic: str, data: Mapping[str, Any] | object) -> bool:
        """Queue an event, a mapping or a dataclass; never waits, never raises for the event.

        Returns
        -------
        bool
            False where it is no JSON (a number that is not finite, for one), or after the end.
        """
        fields = asdict(data) if is_dataclass(data) and not isinstance(data, type) else data
        try:
            line = json.dumps({"topic": topic, "data": fields}, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            _log.warning("an event of %s is no JSON: %s", topic, error)
            line = None
        with self._changed:
            self._published += 1
            if line is None or len(line) > _EVENT_BYTES or self._is_ending:
                self._refused += 1
                return False
            self._queue.append(line)
            if len(self._queue) > self._capacity:
                self._queue.popleft()
                self._dropped += 1
            self._changed.notify_all()
        return True

    def close(self, timeout_s: float = 5.0) -> Counts:
        """Send what is left for at most so long, then drop it; return what became of everything."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            self._is_cut_off = True
            self._changed.notify_all()
        self._thread.join(self._pace.timeout_s)
        with self._changed:
            self._dropped += len(self._queue)
            self._queue.clear()
        return self.counts

    def _run(self) -> None:
        failures = 0
        while (batch := self._next_batch()) is not None:
            if self._deliver(batch):
                failures = 0
                continue
            failures += 1
            self._put_back(batch)
            most = min(self._pace.longest_s, self._pace.first_s * 2.0 ** min(failures, 30))
            self._rest(most * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, hides nothing
        self._hang_up()

    def _next_batch(self) -> list[bytes] | None:
        """Wait for events; None at the end."""
        with self._changed:
            while not self._queue and not self._is_ending:
                self._changed.wait()
            if not self._queue or self._is_cut_off:
                return None
            if not self._is_ending and len(self._queue) < _BATCH_EVENTS:
                self._changed.wait_for(self._is_worth_sending, self._pace.gather_s)
            batch: list[bytes] = []
            size_bytes = 0
            while self._queue and len(batch) < _BATCH_EVENTS:
                size_bytes += len(self._queue[0])
                if batch and size_bytes > _BATCH_BYTES:
                    break
                batch.append(self._queue.popleft())
            self._sending = len(batch)
            return batch

    def _is_worth_sending(self) -> bool:
        return self._is_ending or len(self._queue) >= _BATCH_EVENTS

    def _put_back(self, batch: list[bytes]) -> None:
        with self._changed:
            self._sending = 0
            self._failures += 1
            room = max(0, self._capacity - len(self._queue))
            kept = batch[len(batch) - room :] if room < len(batch) else batch
            self._dropped += len(batch) - len(kept)
            self._queue.extendleft(reversed(kept))

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._changed:
            while not self._is_cut_off and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)

    def _deliver(self, batch: list[bytes]) -> bool:
        """Send a batch; False where it should be sent again. What is refused is taken out."""
        while batch:
            answer = self._ask(batch)
            if answer is None:
                return False
            status, said = answer
            if status == http.client.ACCEPTED:
                self._count(delivered=len(batch))
                return True
            if status != http.client.UNPROCESSABLE_ENTITY:
                _log.warning("the hub does not take events now: %s %s", status, said)
                return False
            index = said.get("index")
            blamed = index if isinstance(index, int) and 0 <= index < len(batch) else None
            _log.warning("the hub refuses an event: %s", said.get("reason"))
            del batch[slice(None) if blamed is None else slice(blamed, blamed + 1)]
            self._count(refused=self._sending - len(batch))
        return True

    def _count(self, *, delivered: int = 0, refused: int = 0) -> None:
        with self._changed:
            self._delivered += delivered
            self._refused += refused
            self._sending -= delivered + refused

    def _ask(self, batch: list[bytes]) -> tuple[int, dict[str, Any]] | None:
        """Send a request once; None where there was no answer."""
        body = b'{"schema_version":%d,"events":[%s]}' % (SCHEMA_VERSION, b",".join(batch))
        try:
            connection = self._connected()
            connection.request("POST", f"{self._address.path}/v1/events", body, self._headers)
            answer = connection.getresponse()
            content = answer.read(_ANSWER_BYTES)
        except _FAULTS as error:
            _log.info("the hub cannot be reached: %s", error)
            self._hang_up()
            return None
        if answer.status != http.client.ACCEPTED:
            self._hang_up()
        with suppress(ValueError):
            said = json.loads(content)
            return answer.status, said if isinstance(said, dict) else {}
        return answer.status, {}

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            encrypted = self._address.encrypted
            kind = http.client.HTTPSConnection if encrypted else http.client.HTTPConnection
            self._connection = kind(
                self._address.host, self._address.port, timeout=self._pace.timeout_s
            )
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
