"""How events travel: to browsers as server-sent events, from producers as JSON bodies.

Server-sent events rather than a WebSocket, because nothing flows back: they are plain HTTP, so that
proxies, passwords, TLS and compression work as for every page; a browser reconnects by itself and
says in ``Last-Event-ID`` what it had last; and a listener is ``curl -N``. What producers send is a
request of its own with a token of its own.

One message is one line of JSON::

    id: 9f2c61d07b1e4a35-1042
    data: {"topic":"episode","seq":1042,"at":1795322672.1,"producer":null,"data":{…}}

``seq`` counts up by one for each event of one run of the hub; state that a newer one superseded is
left out for whoever was slow, so numbers may be missing, and only a ``gap`` message says that
something is lost. Control messages have no ``seq`` and no id.

Not here: what the events say (``events``), who gets what when (``hub``).
References: HTML Living Standard, section *Server-sent events*.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self

import msgspec
from msgspec import Meta

from cis490_pipeline.live.event_parts import (
    Count,
    Name,
)
from cis490_pipeline.live.events import (
    EVENT_TYPES,
    PUBLISHABLE,
    SCHEMA_VERSION,
    Event,
    Topic,
)

MOST_EVENTS: Final = 1000
"""Of one publishing request."""
_CURSOR: Final = re.compile(r"([0-9a-f]{16})-(\d{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message of a connection."""

    topic: ClassVar[str] = "hello"

    schema_version: Annotated[int, Meta(description="Of the events; another one is not readable.")]
    server: Annotated[str, Meta(description="This run of the hub; another one counts anew.")]
    started_at: Annotated[float, Meta(description="Unix seconds.")]
    head: Annotated[Count, Meta(description="Whoever has it has caught up.")]
    heartbeat_s: Annotated[float, Meta(description="Something is sent at least this often.")]


class GapReason(StrEnum):
    """Why events are missing."""

    RESTART = "restart"  # the hub was started anew and remembers nothing
    RING = "ring"  # one was away for longer than the hub remembers
    SLOW = "slow"  # one read more slowly than events came


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Stream events between the last message and the next are lost; state is sent again."""

    topic: ClassVar[str] = "gap"

    reason: GapReason
    missed: Annotated[
        Count | None, Meta(description="At most so many; null where nobody can know.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing happened for a while, and the connection stands."""

    topic: ClassVar[str] = "heartbeat"

    head: Count


Control = Hello | Gap | Heartbeat


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a browser; ``producer`` is the name of a token, null where the hub made it."""

    topic: str
    seq: Count | None
    at: float
    producer: str | None
    data: Event | Control


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event that somebody had: the id of a message.

    >>> Cursor.parse("9f2c61d07b1e4a35-1042")
    Cursor(server='9f2c61d07b1e4a35', seq=1042)
    >>> Cursor.parse("1042") is None
    True
    """

    server: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read an id; None where it is none."""
        match = _CURSOR.fullmatch(text)
        return None if match is None else cls(match[1], int(match[2]))


def event_frame(event: Event, *, server: str, seq: int, at: float, producer: str | None) -> bytes:
    """Return an event as it is sent."""
    body = _encode(Message(topic=event.topic, seq=seq, at=at, producer=producer, data=event))
    return b"id: %s-%d\ndata: %s\n\n" % (server.encode(), seq, body)


def control_frame(control: Control, *, at: float) -> bytes:
    """Return a control message as it is sent."""
    body = _encode(Message(topic=control.topic, seq=None, at=at, producer=None, data=control))
    return b"data: %s\n\n" % body


def without_id(frame: bytes) -> bytes:
    """Return a frame that does not move the listener's ``Last-Event-ID``."""
    return frame[frame.index(b"\n") + 1 :]


_ENCODER: Final = msgspec.json.Encoder()
_encode: Final = _ENCODER.encode
_DECODERS: Final = {
    topic: msgspec.json.Decoder(kind) for topic, kind in EVENT_TYPES.items() if topic in PUBLISHABLE
}


class PublishedEvent(msgspec.Struct, frozen=True):
    """One event of a publishing request, its data not looked at yet."""

    topic: Annotated[Name, Meta(description="One that producers may send.")]
    data: msgspec.Raw


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a publishing request: all of its events are taken, or none."""

    schema_version: int
    events: Annotated[tuple[PublishedEvent, ...], Meta(min_length=1, max_length=MOST_EVENTS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadBody:
    """Why a request is not taken; ``index`` is that of the event, None where it is the body."""

    reason: str
    index: int | None = None


def read_published(body: bytes, *, most_bytes: int) -> tuple[Event, ...] | BadBody:
    """Decode and check the body of a publishing request; no event may have more bytes."""
    try:
        published = msgspec.json.decode(body, type=Published)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return BadBody(reason=str(error))
    if published.schema_version != SCHEMA_VERSION:
        return BadBody(reason=f"schema_version is not {SCHEMA_VERSION}")
    events: list[Event] = []
    for index, one in enumerate(published.events):
        decoder = _DECODERS.get(Topic(one.topic)) if one.topic in PUBLISHABLE else None
        if decoder is None:
            return BadBody(reason="producers may not send this topic", index=index)
        if len(memoryview(one.data)) > most_bytes:
            return BadBody(reason=f"an event may have {most_bytes} bytes", index=index)
        try:
            events.append(decoder.decode(one.data))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return BadBody(reason=str(error), index=index)
    return tuple(events)
