"""The hub: what is published goes into one ring, and every listener reads from it at its own pace.

A listener is a place in the ring. It costs nobody anything to be slow: whoever falls behind is
spared superseded state, and whoever the ring has overtaken gets a gap and the state again. What is
sent is encoded once. All of this belongs to one thread, the event loop's.

Not here: bytes on a socket (``stream``), what is remembered (``memory``).
"""

import asyncio
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cis490_pipeline.live.events import (
    SCHEMA_VERSION,
    STATE_TOPICS,
    Event,
    Topic,
    state_key_of,
)
from cis490_pipeline.live.limits import HubLimits
from cis490_pipeline.live.memory import Kept, Newest, Ring
from cis490_pipeline.live.wire import (
    Cursor,
    Gap,
    GapReason,
    Heartbeat,
    Hello,
    control_frame,
    event_frame,
    without_id,
)

_SERVER_BYTES = 8


@dataclass(slots=True)
class Tally:
    """What the hub has done since it was started."""

    published: Counter[str] = field(default_factory=Counter[str])
    gaps: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    delivered: int = 0
    delivered_bytes: int = 0
    coalesced: int = 0
    heartbeats: int = 0
    listeners: int = 0
    turned_away: int = 0
    hung_up: int = 0


class Hub:
    """One run: its events, its state, its listeners."""

    def __init__(
        self, limits: HubLimits | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.limits = limits or HubLimits()
        self.server = secrets.token_hex(_SERVER_BYTES)
        self.started_at = clock()
        self.tally = Tally()
        self.ring = Ring(self.limits.ring_events, self.limits.ring_bytes)
        self.state = {
            topic: Newest(self.limits.state_keys, self.limits.state_bytes)
            for topic in sorted(STATE_TOPICS)
        }
        self.listeners: set[Listener] = set()
        self.is_closed = False
        self._clock = clock
        self._news = asyncio.Event()

    @property
    def head(self) -> int:
        """The number of the last event; 0 before the first."""
        return self.ring.head

    def publish(self, event: Event, producer: str | None = None) -> int:
        """Give an event to everybody; return its number."""
        seq, key = self.head + 1, state_key_of(event)
        frame = event_frame(event, server=self.server, seq=seq, at=self._clock(), producer=producer)
        kept = Kept(seq, key, frame)
        self.ring.append(kept)
        if key is not None:
            self.state[event.topic].put(key, kept)
        self.tally.published[event.topic.value] += 1
        self._wake()
        return seq

    def listen(self, since: Cursor | None) -> "Listener":
        """Begin to listen behind a message; None has had none."""
        listener = Listener(self, since)
        self.listeners.add(listener)
        self.tally.listeners += 1
        return listener

    def leave(self, listener: "Listener") -> None:
        """Stop listening."""
        self.listeners.discard(listener)

    def close(self) -> None:
        """Let every listener come to its end; nothing is heard any more."""
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        # Whoever waits now is woken, and whoever comes later waits.
        self._news.set()
        self._news.clear()

    async def news(self, timeout_s: float) -> bool:
        """Wait for an event or the end; False where neither came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def control(self, control: Hello | Gap | Heartbeat) -> bytes:
        """Return a control message of now, as it is sent."""
        return control_frame(control, at=self._clock())

    def hello(self) -> Hello:
        """Return what every listener hears first."""
        return Hello(
            schema_version=SCHEMA_VERSION,
            server=self.server,
            started_at=self.started_at,
            head=self.head,
            heartbeat_s=self.limits.heartbeat_s,
        )

    def newest(self) -> list[Kept]:
        """Return the state, in the order in which it came about."""
        kept = [one for newest in self.state.values() for one in newest.all()]
        return sorted(kept, key=lambda one: one.seq)

    def is_superseded(self, kept: Kept) -> bool:
        """Say whether a newer event took its place."""
        if kept.key is None:
            return False
        return self.state[Topic(kept.key[0])].seq_of(kept.key) != kept.seq


class Listener:
    """A place in the ring, and what is due before it."""

    def __init__(self, hub: Hub, since: Cursor | None) -> None:
        self._hub = hub
        self._due: deque[bytes] = deque([hub.control(hub.hello())])
        self._has = hub.ring.first - 1
        self._has_state = 0
        gap = None
        if since is not None and (since.server != hub.server or since.seq > hub.head):
            gap = Gap(reason=GapReason.RESTART, missed=None)
        elif since is not None:
            missed = self._has - since.seq
            gap = Gap(reason=GapReason.RING, missed=missed) if missed > 0 else None
            self._has = max(self._has, since.seq)
        self._send_state(gap)

    @property
    def n_due(self) -> int:
        """Messages that are due before the ring's; never more than there is state, and two."""
        return len(self._due)

    @property
    def n_behind(self) -> int:
        """Events of the ring that were not taken yet."""
        return self._hub.head - self._has

    def _send_state(self, gap: Gap | None) -> None:
        if gap is not None:
            self._hub.tally.gaps[gap.reason.value] += 1
            self._due.append(self._hub.control(gap))
        self._due.extend(without_id(kept.frame) for kept in self._hub.newest())
        self._has_state = self._hub.head

    def take(self) -> bytes:
        """Return what is due, up to about a batch; empty where that is nothing."""
        missed = self._hub.ring.first - 1 - self._has
        if missed > 0:
            self._due.clear()
            self._send_state(Gap(reason=GapReason.SLOW, missed=missed))
            self._has += missed
        parts: list[bytes] = []
        room = self._hub.limits.batch_bytes
        while self._due and room > 0:
            parts.append(self._due.popleft())
            room -= len(parts[-1])
        if not self._due and room > 0:
            self._take_from_ring(parts, room)
        batch = b"".join(parts)
        self._hub.tally.delivered += len(parts)
        self._hub.tally.delivered_bytes += len(batch)
        return batch

    def _take_from_ring(self, parts: list[bytes], room: int) -> None:
        for kept in self._hub.ring.after(self._has):
            if room <= 0:
                return
            self._has = kept.seq
            if kept.key is not None and self._is_spared(kept):
                self._hub.tally.coalesced += 1
                continue
            parts.append(kept.frame)
            room -= len(kept.frame)

    def _is_spared(self, kept: Kept) -> bool:
        return kept.seq <= self._has_state or self._hub.is_superseded(kept)
