"""Serving the application: sockets, connections that bring no request, the end.

uvicorn with h11, which bounds the size of headers; the bound on their time is ours.

Not here: requests (``app``).
"""

import asyncio
import resource
import socket
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.limits import Limits

_HEADER_BYTES: Final = 16 << 10
_GRACE_S: Final = 30
_SPARE_CONNECTIONS: Final = 64


class BoundedProtocol(H11Protocol):
    """Hangs up on whoever has not sent a request's headers in time.

    uvicorn's own timer ends a connection that is silent between two requests; one that never sends
    anything, or a byte now and then, it would keep.
    """

    headers_s = Limits().headers_s
    _hang_up_at: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Stop waiting once a request is there; its body has a limit of its own."""
        super().handle_events()
        if self._is_answering():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the end of a connection that is being closed."""
        super().on_response_complete()
        if not self._is_answering():
            self._wait()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._stop_waiting()
        self._hang_up_at = self.loop.call_later(self.headers_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._hang_up_at is not None:
            self._hang_up_at.cancel()
            self._hang_up_at = None


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one.

    Its connections send at once: asyncio sees to that only for sockets that name their protocol,
    and an answer in two small parts would wait for the other side's acknowledgement, 40 ms.

    Raises
    ------
    ConfigurationError
        Where the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise ConfigurationError(
            "the server cannot listen",
            where=f"{host}:{port}",
            found=error.strerror or type(error).__name__,
            todo="choose another --bind or --port, or end what has it",
        ) from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def make_server(
    app: ASGIApp, limits: Limits, certificate: Path | None = None, key: Path | None = None
) -> uvicorn.Server:
    """Return the server; uploads that are on their way have half a minute when it is ended."""
    connections = 2 * limits.uploads + _SPARE_CONNECTIONS
    tls = (certificate, key)
    return uvicorn.Server(bounded(app, limits.headers_s, connections, grace_s=_GRACE_S, tls=tls))


def bounded(
    app: ASGIApp,
    headers_s: float,
    connections: int,
    *,
    grace_s: int,
    tls: tuple[Path | None, Path | None] = (None, None),
) -> uvicorn.Config:
    """Return how an application is served: so many connections, so long for headers, for the end.

    ``tls`` are the files of the certificate chain and of its key.
    """
    return uvicorn.Config(
        app,
        http=type("Protocol", (BoundedProtocol,), {"headers_s": headers_s}),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=connections,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_graceful_shutdown=grace_s,
        ssl_certfile=tls[0],
        ssl_keyfile=tls[1],
    )


def raise_file_limit() -> None:
    """Take all the descriptors that the system grants: an upload needs two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
