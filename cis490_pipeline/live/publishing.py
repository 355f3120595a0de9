"""Taking what a producer sends: who it is, how much it may be, what it says.

Not here: the form of the body (``wire``), what becomes of it (``hub``).
"""

import asyncio

from starlette.requests import ClientDisconnect, Request

from cis490_pipeline.live import refusals
from cis490_pipeline.live.limits import RequestLimits
from cis490_pipeline.receiver.refusals import Refusal
from cis490_pipeline.receiver.tokens import Access, Tokens, offered


def producer_of(request: Request, tokens: Tokens) -> str | None:
    """Return whose token a request shows; None where it shows none of a producer.

    Raises
    ------
    ConfigurationError, OSError
        Where the tokens cannot be read.
    """
    token = offered(request.headers.get("authorization", ""))
    grant = None if token is None else tokens.grant_of(token)
    return grant.name if grant is not None and grant.access is Access.PRODUCER else None


async def body_of(request: Request, limits: RequestLimits) -> bytes | Refusal:
    """Read a body, in bounded time and memory."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:18]) > limits.body_bytes:
        return refusals.too_large(limits.body_bytes)
    parts: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(limits.body_s):
            async for part in request.stream():
                size_bytes += len(part)
                if size_bytes > limits.body_bytes:
                    return refusals.too_large(limits.body_bytes)
                parts.append(part)
    except TimeoutError:
        return refusals.TOO_SLOW
    except ClientDisconnect:
        return refusals.TOO_SLOW  # nobody will read it
    return b"".join(parts)
