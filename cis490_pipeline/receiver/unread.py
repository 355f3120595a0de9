"""Ending the connection of a request whose body was not read.

A server goes on reading what belongs to an answered request, for as long as it drips: whoever is
refused could hold a connection for ever. So the answer to a body that was not read to its end says
``Connection: close``, and the server does.

Not here: connections on which no request ever comes (``server``).
"""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE: Final = (b"connection", b"close")


class CloseUnread:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch the body pass by, and what is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unread = any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in scope["headers"]
        )

        async def watched_receive() -> Message:
            nonlocal unread
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                unread = False
            return message

        async def watched_send(message: Message) -> None:
            if unread and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), _CLOSE]}
            await send(message)

        await self._app(scope, watched_receive, watched_send)
