"""Statistics of windows and of whole episodes, per channel.

Shape suffixes: T ticks, C channels (46), L lanes (C padded for the kernels), N windows, S
statistics (in the order of ``schema.windows.STATS``).

Not here: the loops (``kernels``), table rows (``rows``).
Source: episode format, *From rows to windows*, step 5.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.features.kernels import (
    LANES,
    write_episode_statistics,
    write_window_statistics,
)
from cis490_pipeline.schema.channels import N_CHANNELS
from cis490_pipeline.schema.windows import N_STATS, STRIDE_TICKS, window_count


def window_statistics(x_TC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the statistics of every window of a grid.

    Parameters
    ----------
    x_TC
        float32 ``[n_ticks, 46]``, finite or NaN = missing.

    Returns
    -------
    NDArray[np.float32]
        ``[n_windows, 46, 6]``: mean, population standard deviation, 50th and 95th percentile
        (linear interpolation) and least-squares slope per second over the present ticks, and the
        share of missing ticks. NaN where no tick is present (slope: fewer than two, or a slope
        beyond float32); the missing share is never NaN.
    """
    return _of_windows(_padded(x_TC))


def episode_statistics(x_TC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the same statistics over all ticks of an episode, ``[46, 6]``.

    An episode without ticks has no statistics (NaN) and a missing share of 1.
    """
    return _of_episode(_padded(x_TC))


def both_statistics(
    x_TC: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return ``window_statistics`` and ``episode_statistics`` of one grid."""
    x_TL = _padded(x_TC)
    return _of_windows(x_TL), _of_episode(x_TL)


def _of_windows(x_TL: NDArray[np.float32]) -> NDArray[np.float32]:
    out_NCS = np.empty((window_count(len(x_TL)), N_CHANNELS, N_STATS), dtype=np.float32)
    write_window_statistics(x_TL, sorting_network(STRIDE_TICKS), out_NCS)
    return out_NCS


def _of_episode(x_TL: NDArray[np.float32]) -> NDArray[np.float32]:
    bits_CT = np.ascontiguousarray(x_TL[:, :N_CHANNELS].T).view(np.int32)
    out_CS = np.empty((N_CHANNELS, N_STATS), dtype=np.float32)
    write_episode_statistics(x_TL, bits_CT, out_CS)
    return out_CS


def _padded(x_TC: NDArray[np.float32]) -> NDArray[np.float32]:
    if x_TC.ndim != 2 or x_TC.shape[1] != N_CHANNELS:
        raise ValueError(f"expected a grid of shape [n_ticks, {N_CHANNELS}], found {x_TC.shape}")
    x_TL = np.full((x_TC.shape[0], LANES), np.nan, dtype=np.float32)
    x_TL[:, :N_CHANNELS] = x_TC
    return x_TL


@cache
def sorting_network(n: int) -> NDArray[np.int64]:
    """Return the comparators of Batcher's odd-even merge sort for ``n`` rows, ``[n_pairs, 2]``.

    The network for the next power of two, without the comparators that touch a row beyond ``n``:
    those rows would hold infinity, and no comparator would ever move it.

    >>> sorting_network(4).tolist()
    [[0, 1], [2, 3], [0, 2], [1, 3], [1, 2]]
    """
    pairs: list[tuple[int, int]] = []
    size = 1
    while size < n:
        step = size
        while step >= 1:
            pairs.extend(_merge_step(n, size, step))
            step //= 2
        size *= 2
    network = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    network.flags.writeable = False
    return network


def _merge_step(n: int, size: int, step: int) -> list[tuple[int, int]]:
    """Return one layer: rows ``step`` apart, within the same run of ``2 * size`` rows."""
    return [
        (row, row + step)
        for first in range(step % size, n - step, 2 * step)
        for row in range(first, min(first + step, n - step))
        if row // (2 * size) == (row + step) // (2 * size)
    ]
