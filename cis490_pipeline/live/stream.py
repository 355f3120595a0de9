"""One listener's connection: server-sent events until it goes, is too slow, or the hub ends.

Not here: what is due (``hub``), who may listen (``guard``).
"""

import asyncio
from typing import Final

import anyio
from starlette.types import Receive, Scope, Send

from cis490_pipeline.live.hub import Hub, Listener
from cis490_pipeline.live.wire import Cursor, Heartbeat

_RETRY: Final = b"retry: 2000\n\n"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold messages back
]


class EventStream:
    """An ASGI answer without an end."""

    def __init__(self, hub: Hub, since: Cursor | None) -> None:
        self._hub = hub
        self._since = since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until either side ends it."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        listener = self._hub.listen(self._since)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, receive, group.cancel_scope)
                await self._send_all(listener, send)
                group.cancel_scope.cancel()
        finally:
            self._hub.leave(listener)

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        """End it when the other side is gone: sending would not tell."""
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _send_all(self, listener: Listener, send: Send) -> None:
        limits = self._hub.limits
        batch = _RETRY + listener.take()
        while not self._hub.is_closed:
            if batch:
                if not await self._sent(batch, send):
                    return  # the server closes a connection whose answer is not whole
                await asyncio.sleep(limits.pace_s)
            elif not await self._hub.news(limits.heartbeat_s):
                beat = self._hub.control(Heartbeat(head=self._hub.head))
                self._hub.tally.heartbeats += 1
                if not await self._sent(beat, send):
                    return
            batch = listener.take()
        await send({"type": "http.response.body"})

    async def _sent(self, batch: bytes, send: Send) -> bool:
        try:
            async with asyncio.timeout(self._hub.limits.send_s):
                await send({"type": "http.response.body", "body": batch, "more_body": True})
        except TimeoutError:
            self._hub.tally.hung_up += 1
            return False
        return True
