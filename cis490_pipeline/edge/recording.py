"""A tarball on the device: the verdict of the gate, the grid and the labels, as ingest makes them.

Not here: reading, decoding and judging themselves (``episodes``, ``telemetry``, ``validation``).
What an index says of a tarball (size, hash) cannot be held against one that came without.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.archive import ArchiveLimits, oversize
from cis490_pipeline.episodes.decode import open_episode
from cis490_pipeline.episodes.episode import Episode, OpenFailure
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.errors import StoreError
from cis490_pipeline.schema.channels import N_CHANNELS
from cis490_pipeline.schema.ids import EpisodeId, HostId
from cis490_pipeline.telemetry.grid import Grid, GridTooLong, build_grid
from cis490_pipeline.telemetry.labelling import Transition, label_windows, transitions
from cis490_pipeline.validation.gate import Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """One tarball.

    Attributes
    ----------
    x_TC
        The grid, float32 ``[n_ticks, 46]``; without ticks where the verdict does not train.
    phase_N
        int8 class index of every window's label, −1 where it is no class.
    transitions
        Where phases begin, in seconds since the first label.
    """

    verdict: Verdict
    x_TC: NDArray[np.float32]
    phase_N: NDArray[np.int8]
    transitions: tuple[Transition, ...] = ()


def read_recording(path: Path, limits: ArchiveLimits | None = None) -> Recording:
    """Read a tarball; a fault of its content is in the verdict.

    Raises
    ------
    StoreError
        Where the machine does not hand out the file.
    """
    chosen = ArchiveLimits() if limits is None else limits
    try:
        too_large = oversize(path.stat().st_size, chosen)
        compressed = b"" if too_large else path.read_bytes()
    except OSError as error:
        raise StoreError(
            "the episode cannot be read",
            where=str(path),
            found=error.strerror or type(error).__name__,
            todo="check the path and its permissions",
        ) from error
    return _recording(compressed, too_large or open_episode(compressed, chosen))


def _recording(compressed: bytes, opened: Episode | OpenFailure) -> Recording:
    grid = build_grid(opened) if isinstance(opened, Episode) else None
    if isinstance(grid, GridTooLong):
        opened, grid = grid.failure, None
    entry = _entry_of(compressed)
    verdict = judge(entry, entry.sha256, entry.size_bytes, opened)
    if not verdict.trains or isinstance(opened, OpenFailure) or grid is None:
        return _without_grid(verdict)
    return _with_grid(verdict, opened, grid)


def _entry_of(compressed: bytes) -> IndexEntry:
    """Return what a truthful index would say of these bytes."""
    return IndexEntry(
        episode_id=EpisodeId(""),
        host_id=HostId(""),
        sha256=hashlib.sha256(compressed).hexdigest(),
        size_bytes=len(compressed),
        received_at_s=None,
        offset=0,
        line=1,
    )


def _without_grid(verdict: Verdict) -> Recording:
    return Recording(
        verdict=verdict,
        x_TC=np.empty((0, N_CHANNELS), dtype=np.float32),
        phase_N=np.empty(0, dtype=np.int8),
    )


def _with_grid(verdict: Verdict, episode: Episode, grid: Grid) -> Recording:
    t0 = grid.t0_wall_ns
    if t0 is None:  # no label: the gate rejects it, there is no origin
        return _without_grid(verdict)
    labels = label_windows(episode.labels, t0, grid.n_windows)
    return Recording(
        verdict=verdict,
        x_TC=grid.x_TC,
        phase_N=labels.phase_N,
        transitions=transitions(episode.labels, t0),
    )
