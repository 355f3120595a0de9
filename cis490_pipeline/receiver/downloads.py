"""Sending an episode: whole, or one range of it, in bounded time.

Not here: who may have it (``app``).
Source: RFC 9110, sections 13.1.5 (If-Range) and 14.
"""

import asyncio
import os
import re
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)

Range = tuple[int, int]


def wanted_range(header: str | None, size_bytes: int) -> Range | None:
    """Return first and last byte of a single range; None where all is to be sent.

    What is no range, several ranges and other units are passed over, as a server may. A range that
    begins behind the end comes out as (size, size): it cannot be satisfied.

    >>> wanted_range("bytes=2-", 10), wanted_range("bytes=-3", 10), wanted_range("bytes=5-99", 10)
    ((2, 9), (7, 9), (5, 9))
    >>> wanted_range("bytes=10-", 10), wanted_range("bytes=5-2", 10), wanted_range("bytes=-", 10)
    ((10, 10), None, None)
    """
    match = _RANGE.fullmatch(header or "")
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size_bytes) if last else None
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        return size_bytes, size_bytes
    return int(first), min(int(last or size_bytes), size_bytes - 1)


def _suffix(n_bytes: int, size_bytes: int) -> Range:
    if not n_bytes or not size_bytes:
        return size_bytes, size_bytes
    return max(0, size_bytes - n_bytes), size_bytes - 1


def range_of(headers: Headers, etag: str, size_bytes: int) -> Range | None:
    """Return the range that a request wants of the file with that tag."""
    if headers.get("if-range", etag) != etag:  # the client has a part of other bytes
        return None
    return wanted_range(headers.get("range"), size_bytes)


class EpisodeResponse(FileResponse):
    """A file; a client that does not read it in time is cut off, and may resume by a range."""

    def __init__(
        self, path: str, found: os.stat_result, etag: str, chosen: Range | None, limit_s: float
    ) -> None:
        headers = {"ETag": etag, "X-Content-Type-Options": "nosniff"}
        super().__init__(path, headers=headers, media_type="application/zstd", stat_result=found)
        self._chosen = chosen
        self._limit_s = limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what was chosen, whatever the request's own headers say."""
        kept = [one for one in scope["headers"] if one[0] not in (b"range", b"if-range")]
        if self._chosen is not None:
            first, last = self._chosen
            kept.append((b"range", b"bytes=%d-%d" % (first, last)))
        with suppress(TimeoutError):  # the server closes a connection whose answer is not whole
            async with asyncio.timeout(self._limit_s):
                await super().__call__({**scope, "headers": kept}, receive, send)
