"""Every window of an episode in one block, also those that are no training rows.

Shape suffixes: N rows of the table, M windows held, E episodes, F statistics of visible channels.

A window whose label is no class (``failed``) is not a row of ``window_features``; a device that
watches its past has seen it all the same. So where a later window looks back at one, its statistics
are computed from the shard: what a model is trained on is what a device would have had.

Not here: windows after the last row of an episode; nothing looks back at them.
"""

from collections.abc import Callable
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


def blocks_for(
    cluster_N: NDArray[np.int64], window_N: NDArray[np.int64], n_episodes: int
) -> WindowBlocks:
    """Lay out the windows 0 … last of every episode; one without rows has an empty block."""
    n_windows_E = np.zeros(n_episodes, dtype=np.int64)
    np.maximum.at(n_windows_E, cluster_N, window_N + 1)
    first_E = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(n_windows_E)])
    return WindowBlocks(first_E=first_E, row_N=first_E[cluster_N] + window_N)


def with_gaps_filled(
    x_NF: NDArray[np.float32],
    blocks: WindowBlocks,
    statistics_of: Callable[[int, NDArray[np.int64]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return the statistics of all windows, ``[M, F]``; ``x_NF`` itself where none is missing.

    Parameters
    ----------
    x_NF
        In the order of (episode, window).
    statistics_of
        Statistics ``[n, F]`` of windows of one episode (its position, their indices).
    """
    if blocks.n_rows == len(x_NF):
        return x_NF
    x_MF = np.empty((blocks.n_rows, x_NF.shape[1]), dtype=np.float32)
    x_MF[blocks.row_N] = x_NF
    absent_M = np.ones(blocks.n_rows, dtype=np.bool_)
    absent_M[blocks.row_N] = False
    absent_rows = np.flatnonzero(absent_M)
    episodes = np.searchsorted(blocks.first_E, absent_rows, side="right") - 1
    for episode in np.unique(episodes):
        rows = absent_rows[episodes == episode]
        x_MF[rows] = statistics_of(int(episode), rows - blocks.first_E[episode])
    return x_MF
