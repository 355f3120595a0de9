"""Who may ask, by what a browser says of itself; and what a browser is told of what it gets.

Whoever reaches the port may watch. What is kept out are other web pages in a browser that reaches
it: a page of another origin is refused, and so is a name that is not this server's, because a
foreign name can be made to point here (DNS rebinding) and its pages would then be of the same
origin. What is served may load nothing from anywhere else, and no page may frame it.

Not here: tokens of producers (``app``), passwords (a proxy's: ``deploy/``).
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cis490_pipeline.live import refusals

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_SENT: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def host_of(authority: str) -> str | None:
    """Return the name in ``name[:port]``, in lower case; None where there is none.

    >>> host_of("Wall.lab:8491"), host_of("[::1]:80"), host_of("a@b"), host_of("")
    ('wall.lab', '::1', None, None)
    """
    try:
        parts = urlsplit(f"//{authority}")
        whole = parts.netloc == authority and parts.username is None
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts.hostname if whole else None


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = LOOPBACK | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let in and add the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SENT.items():
                    headers[name] = value
            await send(message)

        headers = Headers(scope=scope)
        authority = headers.get("host", "")
        if host_of(authority) not in self._names:
            await refusals.OTHER_HOST.response()(scope, receive, guarded)
        elif _is_foreign(headers, authority):
            await refusals.OTHER_ORIGIN.response()(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)


def _is_foreign(headers: Headers, authority: str) -> bool:
    """Say whether a page of another origin asks; programs say nothing of an origin."""
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != authority.lower()
    except ValueError:
        return True
