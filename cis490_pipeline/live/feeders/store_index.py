"""The store's index: every new row at once, everything there is twice a minute.

The follower (``episodes.tail``) tells what is new within a second; the whole reading
(``episodes.received``) finds what a follower cannot: rows of files that were rotated away before it
began, or cut before it came. Both tell the reducer, one at a time, and the whole reading ends in a
snapshot.

Not here: what is counted (``holdings``).
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync

from cis490_pipeline.episodes.index import DamageKind, IndexEntry, IndexReading
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.received_files import list_files
from cis490_pipeline.episodes.tail import TailStep, read_new
from cis490_pipeline.episodes.tail_position import TailPosition
from cis490_pipeline.live.event_parts import (
    ReceivedEpisode,
)
from cis490_pipeline.live.feeders.progress import Progress
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.hub import Hub

_ALERT_LOOKS, _ALERT_LOOK_S = 20, 0.05
"""A first snapshot waits no longer for a file of alerts that cannot be read."""
_COUNTED_DAMAGE = frozenset(DamageKind) - {DamageKind.DUPLICATE, DamageKind.PARTIAL}


def received_of(entry: IndexEntry) -> ReceivedEpisode:
    """Return a row of the index as it is told."""
    return ReceivedEpisode(
        episode_id=entry.episode_id,
        host_id=entry.host_id,
        sha256=entry.sha256,
        size_bytes=entry.size_bytes,
        received_at=entry.received_at_s,
    )


class EpisodeFeeder:
    """Follows the index; says nothing before everything was read once."""

    def __init__(self, index_path: Path, hub: Hub, holdings: Holdings, progress: Progress) -> None:
        self._path = index_path
        self._hub = hub
        self._holdings = holdings
        self._progress = progress
        self._position: TailPosition | None = None

    async def step(self) -> str | None:
        """Read on to the end of what is there."""
        if not self._progress.index_is_read:
            return None
        async with self._progress.lock:
            while not await self._read_on():
                pass
        return None if self._position is not None else str(self._path)

    async def _read_on(self) -> bool:
        reading = partial(read_new, self._path, self._position)
        step: TailStep = await run_sync(reading, abandon_on_cancel=True)
        tell(self._hub, self._holdings, step.entries)
        self._position = step.position
        self._progress.bytes_behind = step.bytes_behind
        return step.at_end


class SnapshotFeeder:
    """Reads all that was ever received, and tells how everything is."""

    def __init__(
        self,
        index_path: Path,
        hub: Hub,
        holdings: Holdings,
        progress: Progress,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = index_path
        self._hub = hub
        self._holdings = holdings
        self._progress = progress
        self._clock = clock
        self._is_first = True

    async def step(self) -> str | None:
        """Read everything, tell what is new of it, publish a snapshot."""
        async with self._progress.lock:
            reading = await run_sync(_read_all, self._path, abandon_on_cancel=True)
            damage = 0
            if reading is not None:
                entries = sorted(reading.entries, key=lambda entry: entry.place)
                if self._progress.index_is_read:
                    tell(self._hub, self._holdings, entries)
                else:  # what was there before is no news
                    self._holdings.receive(map(received_of, entries))
                damage = sum(one.kind in _COUNTED_DAMAGE for one in reading.damage)
                self._progress.index_is_read = True
            bytes_behind = self._progress.bytes_behind
        await self._alerts()
        self._hub.publish(
            self._holdings.snapshot(self._clock(), index_damage=damage, bytes_behind=bytes_behind)
        )
        return str(self._path) if reading is None else None

    async def _alerts(self) -> None:
        # else the first snapshot would say that there are none, until the second
        if not self._is_first:
            return
        self._is_first = False
        for _ in range(_ALERT_LOOKS):
            if self._progress.alerts_are_read:
                return
            await asyncio.sleep(_ALERT_LOOK_S)


def tell(hub: Hub, holdings: Holdings, entries: Iterable[IndexEntry]) -> None:
    """Count rows, and publish those that say anything new."""
    for event in holdings.receive(map(received_of, entries)):
        hub.publish(event)


def _read_all(path: Path) -> IndexReading | None:
    """Return everything; None where there is no index and never was one."""
    return read_received(path) if list_files(path) else None
