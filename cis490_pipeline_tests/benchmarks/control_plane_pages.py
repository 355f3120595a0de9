"""The UI's pages in a real browser: how long until they stand, and what they asked for it.

Not here: asking again and timing the answers (``control_plane``).
"""

import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from cis490_pipeline_tests.reporting.browser import Browser

_QUIET_S: Final = 2.0
_PATIENCE_S: Final = 600.0
_LARGEST_BODY: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One GraphQL operation as the page sent it."""

    operation: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page: ``content_s`` is from its address to the last answer that it waited for."""

    page: str
    content_s: float
    asked: tuple[Asked, ...]


class Recorder(Browser):
    """A browser that keeps what pages ask, and when they were answered."""

    def __init__(self, executable: str) -> None:
        self._asked: list[Asked] = []
        self._waiting: dict[str, str] = {}
        self._answered_s = 0.0
        super().__init__(executable)
        self.call("Network.enable", maxPostDataSize=_LARGEST_BODY)

    def _hear(self, message: dict) -> None:
        super()._hear(message)
        name, told = message.get("method"), message.get("params", {})
        if name == "Network.requestWillBeSent":
            self._note(told)
        is_over = name in {"Network.loadingFinished", "Network.loadingFailed"}
        if is_over and self._waiting.pop(told["requestId"], None) is not None:
            self._answered_s = time.monotonic()

    def _note(self, told: dict) -> None:
        request = told["request"]
        if urlsplit(request["url"]).path == "/graphql" and request.get("postData"):
            body = json.loads(request["postData"])
            asked = Asked(operation=body.get("operationName") or "", body=body)
            if asked in self._asked:
                return  # a page that polls more slowly than it is answered would never stand
            self._asked.append(asked)
            self._waiting[told["requestId"]] = asked.operation

    def record(self, page: str, address: str) -> Visit:
        """Open an address; it stands two seconds after the last answer to anything new."""
        self._asked, self._waiting = [], {}
        began = self._answered_s = time.monotonic()
        self.call("Page.navigate", url=address)
        while self._waiting or not self._asked or time.monotonic() - self._answered_s < _QUIET_S:
            unanswered = sorted(self._waiting.values())
            assert time.monotonic() - began < _PATIENCE_S, f"{page} waits for {unanswered}"
            with contextlib.suppress(TimeoutError):
                self._hear(json.loads(self._socket.recv(0.2)))
        return Visit(page=page, content_s=self._answered_s - began, asked=tuple(self._asked))
