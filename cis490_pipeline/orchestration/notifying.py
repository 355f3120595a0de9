"""Telling somebody that a run failed: one small protocol, a log and a webhook behind it.

Not here: when (``failures``).
"""

import http.client
import json
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final, Protocol

_LOGGER: Final = logging.getLogger(__name__)
_SERVER_FAULT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailure:
    """A failed run; ``will_retry`` tells that Dagster starts it again by itself."""

    run_id: str
    job: str
    partition: str | None
    error: str
    will_retry: bool


class Notifier(Protocol):
    """Somebody to tell."""

    def notify(self, failure: RunFailure) -> bool:
        """Tell it; False where it did not arrive. Never raises for a machine that is away."""
        ...


class LogNotifier:
    """Writes the failure into a log."""

    def __init__(self, logger: logging.Logger = _LOGGER) -> None:
        self._logger = logger

    def notify(self, failure: RunFailure) -> bool:
        """Write one line."""
        where = f" of {failure.partition}" if failure.partition else ""
        retry = "; it is retried" if failure.will_retry else ""
        self._logger.error(
            "%s%s failed (run %s)%s: %s",
            failure.job, where, failure.run_id, retry, failure.error,
        )  # fmt: skip
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotifier:
    """Posts the failure as JSON.

    The address may hold a secret in its path or query, so that no log names more than its host.
    An answer of the 4xx kind is final; anything else is tried again.
    """

    url: str
    timeout_s: float = 10.0
    attempts: int = 3
    pause_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    logger: logging.Logger = _LOGGER

    def notify(self, failure: RunFailure) -> bool:
        """Post, at most ``attempts`` times, with a pause that doubles."""
        body = json.dumps({"event": "run_failed", **asdict(failure)}).encode()
        why = ""
        for attempt in range(self.attempts):
            if attempt:
                self.sleep(self.pause_s * 2 ** (attempt - 1))
            why, is_final = self._post(body)
            if not why:
                return True
            if is_final:
                break
        where = _host_of(self.url)
        self.logger.error("run %s: the webhook at %s: %s", failure.run_id, where, why)
        return False

    def _post(self, body: bytes) -> tuple[str, bool]:
        """Return why it did not arrive (empty: it did), and whether that is final."""
        if not self.url.startswith(("https://", "http://")):
            return "its address is neither http nor https", True
        kind = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self.url, body, kind, method="POST")  # noqa: S310
            with _OPENER.open(request, timeout=self.timeout_s):
                return "", True
        except urllib.error.HTTPError as error:
            error.close()
            return f"answered {error.code}", error.code < _SERVER_FAULT
        except (OSError, ValueError, http.client.HTTPException) as error:
            # By its name alone: its text may quote the address.
            is_no_address = isinstance(error, ValueError | http.client.InvalidURL)
            return type(error).__name__, is_no_address


def _host_of(url: str) -> str:
    try:
        return urllib.parse.urlsplit(url).hostname or "no host"
    except ValueError:
        return "no host"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the post into a GET, and may lead anywhere."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """Follow none: the answer is an error."""


_OPENER: Final = urllib.request.build_opener(_NoRedirect)
