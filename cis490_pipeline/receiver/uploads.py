"""Taking the body of a PUT: bounded in size and time, checked against what it was declared to be.

Not here: what becomes of it (``keeper``).
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from cis490_pipeline.receiver import refusals
from cis490_pipeline.receiver.incoming import Incoming
from cis490_pipeline.receiver.limits import Limits
from cis490_pipeline.receiver.refusals import Refusal

SHA256_HEADER: Final = "X-Content-SHA256"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LENGTH: Final = re.compile(r"\d{1,18}", re.ASCII)
_FLUSH_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the headers say of the body; None where they say nothing."""

    size_bytes: int | None
    sha256: str | None


def declared(headers: Headers, limits: Limits) -> Declared | Refusal:
    """Read what is declared of a body, before any of it is read."""
    length, sha256 = headers.get("content-length"), headers.get(SHA256_HEADER)
    if length is not None and not _LENGTH.fullmatch(length):
        return refusals.BAD_LENGTH
    size_bytes = None if length is None else int(length)
    if size_bytes is not None and size_bytes > limits.max_bytes:
        return refusals.too_large(limits.max_bytes)
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        return refusals.BAD_SHA256
    return Declared(size_bytes=size_bytes, sha256=sha256)


async def take_body(
    request: Request, incoming: Incoming, told: Declared, limits: Limits
) -> Refusal | None:
    """Write a body; return why it cannot be kept.

    Raises
    ------
    OSError
        Of the file system.
    """
    try:
        async with asyncio.timeout(limits.body_s):
            if not await _write_body(request, incoming, limits.max_bytes):
                return refusals.too_large(limits.max_bytes)
    except TimeoutError:
        return refusals.TOO_SLOW
    except ClientDisconnect:  # nobody is left to hear it
        return refusals.TRUNCATED
    return _differs(incoming, told)


def _differs(incoming: Incoming, told: Declared) -> Refusal | None:
    if told.size_bytes not in (None, incoming.size_bytes):
        return refusals.TRUNCATED
    if incoming.size_bytes == 0:
        return refusals.EMPTY
    if told.sha256 not in (None, incoming.sha256):
        return refusals.OTHER_SHA256
    return None


async def _write_body(request: Request, incoming: Incoming, max_bytes: int) -> bool:
    """Write until the end, or return False at the first byte that is too much."""
    held = bytearray()
    n_bytes = 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > max_bytes:
            return False
        held += chunk
        if len(held) >= _FLUSH_BYTES:
            await run_sync(incoming.write, bytes(held))
            held.clear()
    if held:
        await run_sync(incoming.write, bytes(held))
    return True
