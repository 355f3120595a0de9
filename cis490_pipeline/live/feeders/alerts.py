"""The store's alerts: those whose key was not seen before.

The file is read whole whenever it has changed, as everybody who appends to it does: of a torn line
the reader salvages what it can, and an alert that is told twice is told once. A file that was
rotated away takes no alert back.

Not here: reading a line (``quality.alerts``).
"""

from contextlib import suppress
from pathlib import Path

from anyio.to_thread import run_sync

from cis490_pipeline.episodes.index import received_at_s
from cis490_pipeline.episodes.printable import clipped
from cis490_pipeline.live.event_parts import (
    ReportedAlert,
)
from cis490_pipeline.live.feeders.progress import Progress
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub
from cis490_pipeline.quality.alerts import Alert, read_alerts

_MOST_TEXT = 2000

_Stamp = tuple[int, int, int]


class AlertFeeder:
    """Looks at the file; what was in it at the first look is no news, but counts."""

    def __init__(self, path: Path, hub: Hub, holdings: Holdings, progress: Progress) -> None:
        self._path = path
        self._hub = hub
        self._holdings = holdings
        self._progress = progress
        self._stamp: _Stamp | None = None

    async def step(self) -> str | None:
        """Read the file if it is another one than last time, and tell what is new."""
        stamp = await run_sync(_stamp_of, self._path, abandon_on_cancel=True)
        if stamp is not None and stamp != self._stamp:
            reading = await run_sync(read_alerts, self._path, abandon_on_cancel=True)
            events = self._holdings.report(map(reported_of, reading.alerts))
            for event in events if self._progress.alerts_are_read else ():
                self._hub.publish(event)
            self._stamp = stamp
        self._progress.alerts_are_read = True
        return str(self._path) if stamp is None else None


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def reported_of(alert: Alert) -> ReportedAlert:
    """Return an alert as it is told; one without a key is known by all that it says."""
    whole = "\n".join((alert.host, alert.symptom, alert.detail))
    return ReportedAlert(
        host_id=_text(alert.host),
        symptom=_text(alert.symptom),
        detail=_text(alert.detail),
        suggested_fix=_text(alert.suggested_fix),
        detected_at=_seconds(alert.detected_at_wall),
        dedup_key=_text(alert.dedup_key or whole),
    )


def _text(value: str) -> str:
    return clipped(value, limit=_MOST_TEXT)


def _seconds(text: str) -> float | None:
    with suppress(ValueError):
        return received_at_s(float(text))
    return received_at_s(text)
