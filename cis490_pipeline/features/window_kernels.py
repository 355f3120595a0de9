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
    because turning each window over would cost more than copying it. Both arrays are contiguous.
    """
    n_points, step = points
    n_channels, width = x_TC.shape[1], out_NTC.shape[2]
    offset = out_NTC.shape[1] - n_points
    x, out = x_TC.reshape(-1), out_NTC.reshape(-1)
    for b in range(first_B.shape[0]):
        for k in range(n_points):
            source = (first_B[b] + k * step) * n_channels
            target = (row_B[b] * out_NTC.shape[1] + offset + k) * width
            for r in range(runs_R2.shape[0]):
                count, begin = runs_R2[r, 1], source + runs_R2[r, 0]
                for c in range(count):  # unsigned places, or each one is asked whether it is < 0
                    out[np.uintp(target + c)] = x[np.uintp(begin + c)]
                target += count
