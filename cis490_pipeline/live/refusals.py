"""What a request is told that is not done.

Not here: when (``app``, ``guard``). No sentence holds a path of the server.
"""

from typing import Final

from cis490_pipeline.receiver.refusals import Refusal

NO_TOKEN: Final = Refusal(
    status=401,
    error="unauthorized",
    reason="a valid bearer token of a producer is needed",
    headers={"WWW-Authenticate": "Bearer"},
)
OTHER_HOST: Final = Refusal(
    status=421, error="other-host", reason="this server does not go by that name"
)
OTHER_ORIGIN: Final = Refusal(
    status=403, error="other-origin", reason="a page of another origin may not ask"
)
BAD_CURSOR: Final = Refusal(
    status=400, error="bad-cursor", reason="since is not the id of a message of a hub"
)
BAD_QUERY: Final = Refusal(
    status=400, error="bad-query", reason="a parameter is unknown or its value is of no use"
)
NO_EPISODE: Final = Refusal(status=404, error="no-episode", reason="there is no such episode")
NO_ROUTE: Final = Refusal(status=404, error="no-route", reason="there is nothing under this path")
NO_PAGE: Final = Refusal(
    status=404, error="no-page", reason="this installation has no page; the stream is at /v1/events"
)
TOO_SLOW: Final = Refusal(status=408, error="too-slow", reason="the body did not come in time")
FULL: Final = Refusal(
    status=503,
    error="full",
    reason="too many are listening",
    headers={"Retry-After": "10"},
)
BUSY: Final = Refusal(
    status=503,
    error="busy",
    reason="too many publish at the same time",
    headers={"Retry-After": "1"},
)
UNAVAILABLE: Final = Refusal(
    status=503,
    error="unavailable",
    reason="the tokens cannot be read now",
    headers={"Retry-After": "30"},
)
FAULT: Final = Refusal(
    status=500, error="fault", reason="the hub failed; its operator's log says how"
)


def too_large(most_bytes: int) -> Refusal:
    """Refuse a body."""
    return Refusal(status=413, error="too-large", reason=f"a body may have {most_bytes} bytes")


def not_allowed(allowed: str) -> Refusal:
    """Refuse a method."""
    return Refusal(
        status=405,
        error="bad-method",
        reason=f"this path has {allowed}",
        headers={"Allow": allowed},
    )
