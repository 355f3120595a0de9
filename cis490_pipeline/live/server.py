"""Serving the hub: feeders and requests in one event loop, and an end that listeners hear of.

Not here: requests (``app``), what the feeders do (``feeders``).
"""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvicorn

from cis490_pipeline.live.app import Parts, build_app
from cis490_pipeline.live.assembly import Watch
from cis490_pipeline.live.feeders.supervision import Patience, feeding
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.live.limits import RequestLimits
from cis490_pipeline.live.page_files import PageFiles
from cis490_pipeline.receiver.server import bounded
from cis490_pipeline.receiver.tokens import Tokens

_GRACE_S: Final = 5
_SPARE_CONNECTIONS: Final = 64
_SEND_BUFFER_BYTES: Final = 256 << 10


class LiveServer(uvicorn.Server):
    """Ends the streams before it waits for connections to end: they would not by themselves."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the hub, then the server."""
        self._hub.close()
        await super().shutdown(sockets)


async def serve(
    watching: Watch,
    tokens: Tokens,
    listening: socket.socket,
    *,
    names: Sequence[str] = (),
    tls: tuple[Path | None, Path | None] = (None, None),
    limits: RequestLimits | None = None,
    patience: Patience | None = None,
) -> None:
    """Feed and serve until a signal ends it; ``names`` are those that browsers may use."""
    bound_sending(listening, watching.hub.limits.send_s)
    async with feeding(watching.plans, patience) as states:
        parts = Parts(
            hub=watching.hub,
            library=watching.library,
            tokens=tokens,
            page=PageFiles(),
            limits=limits or RequestLimits(),
            names=tuple(names),
            feeders=states,
        )
        await make_server(parts, tls).serve(sockets=[listening])


def make_server(parts: Parts, tls: tuple[Path | None, Path | None] = (None, None)) -> LiveServer:
    """Return the server alone, without feeders."""
    connections = parts.hub.limits.listeners + _SPARE_CONNECTIONS
    app = build_app(parts)
    config = bounded(app, parts.limits.headers_s, connections, grace_s=_GRACE_S, tls=tls)
    return LiveServer(config, parts.hub)


def bound_sending(listening: socket.socket, send_s: float) -> None:
    """Bound what the system holds for connections that are accepted, and for how long.

    The application hangs up on whoever takes nothing, and counts it; what is then still unsent the
    system would keep for as long as the other side stays silent. It waits twice as long, so that
    the application, whose clock starts later, is first.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2 * send_s * 1000))
