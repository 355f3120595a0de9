"""How much the hub remembers, sends and takes.

Not here: where values come from (the command line).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLimits:
    """Bounds of what is remembered and sent.

    A listener has no queue of its own: it has a place in the one ring, and what is due to it before
    that (the state, again by reference). So it costs a few hundred bytes, however slow it is.

    Attributes
    ----------
    ring_events, ring_bytes
        Most events, and bytes of them, that are remembered for who comes back.
    state_keys, state_bytes
        The same for the newest events of each state topic; the oldest go.
    batch_bytes
        After so many bytes a listener's turn ends.
    pace_s
        Pause between two turns of a listener: what comes meanwhile goes out together.
    heartbeat_s
        Something is sent at least this often.
    send_s
        A listener that takes nothing for so long is hung up on.
    listeners
        At the same time; who comes beyond is asked to come again.
    """

    ring_events: int = 8192
    ring_bytes: int = 8 << 20
    state_keys: int = 4096
    state_bytes: int = 16 << 20
    batch_bytes: int = 64 << 10
    pace_s: float = 0.05
    heartbeat_s: float = 10.0
    send_s: float = 30.0
    listeners: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """Bounds of what is taken from one request.

    Attributes
    ----------
    body_bytes, body_s
        Of a publishing request, and the seconds in which it must have come.
    event_bytes
        Of one event in it.
    headers_s
        Seconds in which a connection must bring the headers of a request.
    publishing
        Bodies that are being received at the same time.
    """

    body_bytes: int = 1 << 20
    body_s: float = 20.0
    event_bytes: int = 64 << 10
    headers_s: float = 15.0
    publishing: int = 32
