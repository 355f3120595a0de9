"""Every window of an episode in one block, also those that are no training rows.

Shape suffixes: N rows of the table, M windows held, E episodes, G gaps.

A window whose label is no class (``failed``) is not a row of ``window_features``; a device that
watches its past has seen it all the same. So where a later window looks back at one, its statistics
are computed from the shard: what a model is trained on is what a device would have had.

Not here: windows after the last row of an episode; nothing that is scored looks back at them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowBlocks:
    """Where every window lies: episode e has the rows ``first_E[e] … first_E[e + 1] - 1``.

    Its row number k is window k. ``row_N`` is the place of each row of the table.
    """

    first_E: NDArray[np.int64]
    row_N: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """M."""
        return int(self.first_E[-1])

    def episodes(self) -> NDArray[np.int64]:
        """Return the episode of each window held, ``[M]``."""
        return np.searchsorted(self.first_E, np.arange(self.n_rows), side="right") - 1


def blocks_for(
    cluster_N: NDArray[np.int64], window_N: NDArray[np.int64], n_episodes: int
) -> WindowBlocks:
    """Lay out the windows 0 … last of every episode; one without rows has an empty block."""
    n_windows_E = np.zeros(n_episodes, dtype=np.int64)
    np.maximum.at(n_windows_E, cluster_N, window_N + 1)
    first_E = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(n_windows_E)])
    return WindowBlocks(first_E=first_E, row_N=first_E[cluster_N] + window_N)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """The windows that no row of the table fills: row held, episode and window of each."""

    row_G: NDArray[np.int64]
    episode_G: NDArray[np.int64]
    window_G: NDArray[np.int64]


def gaps_of(blocks: WindowBlocks) -> Gaps:
    """Return what is missing in the blocks."""
    absent_M = np.ones(blocks.n_rows, dtype=np.bool_)
    absent_M[blocks.row_N] = False
    row_G = np.flatnonzero(absent_M)
    episode_G = blocks.episodes()[row_G]
    return Gaps(row_G=row_G, episode_G=episode_G, window_G=row_G - blocks.first_E[episode_G])
