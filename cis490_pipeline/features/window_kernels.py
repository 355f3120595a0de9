"""Compiled copy of windows out of a shard.

Shape suffixes: T ticks, C channels, B windows, N rows of a batch, R runs of neighbouring channels.

Not here: whether the windows lie inside (``shards``).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def write_windows(
    x_TC: NDArray[np.float32],
    first_B: NDArray[np.int64],
    runs_R2: NDArray[np.int64],
    out_NTC: NDArray[np.float32],
    row_B: NDArray[np.int64],
    points: tuple[int, int],
) -> None:
    """Copy ``points`` = (count, step) ticks from ``first_B`` on to the end of the rows ``row_B``.

    Runs (first channel, count) are copied tick by tick: the batch has the order of the shard,
    because turning each window over would cost more than copying it.
    """
    n_points, step = points
    offset = out_NTC.shape[1] - n_points
    for b in range(first_B.shape[0]):
        for k in range(n_points):
            tick = first_B[b] + k * step
            to = 0
            for r in range(runs_R2.shape[0]):
                for c in range(runs_R2[r, 1]):
                    out_NTC[row_B[b], offset + k, to + c] = x_TC[tick, runs_R2[r, 0] + c]
                to += runs_R2[r, 1]
