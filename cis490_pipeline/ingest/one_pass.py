"""One episode, read once: verdict, grid, labels and statistics from the same bytes.

Not here: which episodes (``due``), writing anything (``commit``). Reentrant: threads call it at
once; reading, hashing, decompression and the kernels release the interpreter lock.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.episodes.archive import ArchiveLimits, oversize
from cis490_pipeline.episodes.decode import open_episode
from cis490_pipeline.episodes.episode import Episode, OpenFailure
from cis490_pipeline.episodes.index import IndexEntry
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.features.rows import EpisodeKeys, EpisodePiece, WindowPiece
from cis490_pipeline.features.statistics import both_statistics
from cis490_pipeline.ingest.options import Supervision
from cis490_pipeline.telemetry.grid import Grid, GridTooLong, build_grid
from cis490_pipeline.telemetry.labelling import Transition, label_windows, transitions
from cis490_pipeline.validation.gate import (
    Verdict,
    judge,
    judge_missing,
    judge_unreadable,
)
from cis490_pipeline.validation.record import ValidationRow, validation_row

_UNSUPERVISED: Final = Supervision()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """What an accepted or degraded episode adds to the tables.

    ``x_TC`` is its grid, float32 ``[n_ticks, 46]``; times are Unix nanoseconds, ``t_end_wall_ns``
    None where there is no telemetry row.
    """

    x_TC: NDArray[np.float32]
    t0_wall_ns: int
    t_end_wall_ns: int | None
    transitions: tuple[Transition, ...]
    windows: WindowPiece
    episode: EpisodePiece


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What one visit to an episode found; ``content`` is None unless the verdict trains."""

    row: ValidationRow
    content: Content | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Opened:
    verdict: Verdict
    episode: Episode | None
    grid: Grid | None


def visit(
    store: EpisodeStore,
    entry: IndexEntry,
    limits: ArchiveLimits,
    *,
    supervision: Supervision = _UNSUPERVISED,
    with_content: bool = True,
) -> Outcome:
    """Read, judge and window one indexed episode; never raises for a fault of its data.

    Without ``with_content`` it stops at the verdict.
    """
    stamp = None
    try:
        stamp = store.stamp(entry.host_id, entry.episode_id)
        if stamp is None:
            return Outcome(row=validation_row(entry, judge_missing(), None, None), content=None)
        known = oversize(stamp.size_bytes, limits) or supervision.failure_of(entry, stamp)
        if known is not None:  # not worth reading for its hash
            verdict = judge(entry, entry.sha256, stamp.size_bytes, known)
            return Outcome(row=validation_row(entry, verdict, None, stamp), content=None)
        compressed = store.read(entry.host_id, entry.episode_id)
    except OSError as error:
        row = validation_row(entry, judge_unreadable(error), None, stamp)
        return Outcome(row=row, content=None)
    # reading is not watched: a file system that stalls is no fault of the episode
    with supervision.opening(entry.episode_id):
        opened = _open(entry, compressed, limits)
        row = validation_row(entry, opened.verdict, opened.episode, stamp)
        return Outcome(row=row, content=_content(row, opened) if with_content else None)


def _open(entry: IndexEntry, compressed: bytes, limits: ArchiveLimits) -> _Opened:
    sha256 = hashlib.sha256(compressed).hexdigest()
    opened = open_episode(compressed, limits)
    grid = build_grid(opened) if isinstance(opened, Episode) else None
    if isinstance(grid, GridTooLong):
        opened, grid = grid.failure, None
    verdict = judge(entry, sha256, len(compressed), opened)
    episode = None if isinstance(opened, OpenFailure) else opened
    return _Opened(verdict=verdict, episode=episode, grid=grid)


def _content(row: ValidationRow, opened: _Opened) -> Content | None:
    episode, grid = opened.episode, opened.grid
    if episode is None or grid is None or not opened.verdict.trains:
        return None
    if grid.t0_wall_ns is None:  # no label: the gate rejects it, there is no origin
        return None
    keys = EpisodeKeys(
        episode_id=row.episode_id,
        host_id=row.host_id,
        profile=row.profile,
        sample_name=row.sample_name,
        sample_kind=row.sample_kind,
        sha256=row.sha256,
    )
    stats_NCS, stats_CS = both_statistics(grid.x_TC)
    labels = label_windows(episode.labels, grid.t0_wall_ns, grid.n_windows)
    return Content(
        x_TC=grid.x_TC,
        t0_wall_ns=grid.t0_wall_ns,
        t_end_wall_ns=grid.t_end_wall_ns,
        transitions=transitions(episode.labels, grid.t0_wall_ns),
        windows=WindowPiece(keys=keys, labels=labels, stats_NCS=stats_NCS),
        episode=EpisodePiece(keys=keys, stats_CS=stats_CS),
    )
