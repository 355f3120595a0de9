"""What a request is told that is not done: a status, a word for programs, a sentence for people.

Not here: when (``app``). No sentence holds a path of the server or anything that was sent.
"""

from dataclasses import dataclass, field
from typing import Final

from starlette.responses import JSONResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is not done."""

    status: int
    error: str
    reason: str
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def response(self) -> JSONResponse:
        """Return the answer."""
        body = {"error": self.error, "reason": self.reason}
        return JSONResponse(body, self.status, headers=self.headers)


def _refusal(status: int, error: str, reason: str, **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refusal(status=status, error=error, reason=reason, headers=named)


NO_TOKEN: Final = _refusal(
    401, "unauthorized", "a valid bearer token is needed", WWW_Authenticate="Bearer"
)
NOT_YOURS: Final = _refusal(403, "forbidden", "this token is not for that host")
BAD_HOST: Final = _refusal(400, "bad-host", "the host is not a name that episodes can have")
BAD_EPISODE: Final = _refusal(400, "bad-episode", "the episode is not a ULID in capitals")
BAD_SHA256: Final = _refusal(400, "bad-sha256", "X-Content-SHA256 is not 64 lower-case hex digits")
BAD_LENGTH: Final = _refusal(400, "bad-length", "Content-Length is not a number")
EMPTY: Final = _refusal(400, "empty", "the body is empty")
TRUNCATED: Final = _refusal(400, "truncated", "the body ended before it was whole")
OTHER_SHA256: Final = _refusal(400, "other-sha256", "the body does not have the declared sha256")
NO_EPISODE: Final = _refusal(404, "no-episode", "there is no such episode")
NO_CURSOR: Final = _refusal(404, "no-cursor", "the cursor is not one that this server gave")
NO_ROUTE: Final = _refusal(404, "no-route", "there is nothing under this path")
TOO_SLOW: Final = _refusal(408, "too-slow", "the body did not come in time")
CONFLICT: Final = _refusal(
    409, "conflict", "the id belongs to other bytes or another host; these were kept aside"
)
BUSY: Final = _refusal(503, "busy", "too many uploads at the same time", Retry_After="1")
UNAVAILABLE: Final = _refusal(503, "unavailable", "the store cannot be used now", Retry_After="30")
NO_SPACE: Final = _refusal(507, "no-space", "the receiver's disk is full", Retry_After="60")
FAULT: Final = _refusal(500, "fault", "the receiver failed; its operator's log says how")


def too_large(max_bytes: int) -> Refusal:
    """Refuse a body."""
    return _refusal(413, "too-large", f"a tarball may have {max_bytes} bytes")


def not_satisfiable(size_bytes: int) -> Refusal:
    """Refuse a range."""
    reason = "the episode ends before the range begins"
    return _refusal(416, "bad-range", reason, Content_Range=f"bytes */{size_bytes}")


def not_allowed(allowed: str) -> Refusal:
    """Refuse a method."""
    return _refusal(405, "bad-method", f"this path has {allowed}", Allow=allowed)
