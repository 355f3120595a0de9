"""Compiled loops of the statistics.

Shape suffixes: T ticks, C channels, L lanes (channels padded to a multiple of 16, so that every
inner loop is whole vector registers), N windows, S statistics, P comparators, R runs of equal
values.

Not here: checks of shapes, padding, the choice of ticks (``statistics``).

Moments are taken in two passes about the mean of the very ticks they describe: running sums would
cancel on a 4e8-byte gauge that moves by kilobytes. All arithmetic is float64 on float32 values; a
sum of up to 2**29 equal float32 values is then exact, so a constant channel has a standard
deviation and a slope of exactly zero.

Percentiles of windows: neighbouring windows share a block of 50 ticks, so each block is sorted
once, by a sorting network that runs over all lanes at the same time, and a window selects from
two sorted blocks.

References
----------
Batcher, K. E. (1968). Sorting networks and their applications. AFIPS 32, 307–314.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Written out, not taken from ``schema``: numba's cache on disk notices a change of this file only,
# and compiled code keeps the values that it was compiled with. A test holds them together.
LANES: Final = 48
WINDOW_TICKS: Final = 100
STRIDE_TICKS: Final = 50
TICK_S: Final = 0.1
_P50_FRACTION: Final = 0.5 * (WINDOW_TICKS - 1) - 49
_P95_FRACTION: Final = 0.95 * (WINDOW_TICKS - 1) - 94
"""What the 50th and 95th percentile of a whole window lie above ranks 49 and 94."""
_LARGEST: Final = np.finfo(np.float32).max
_MEAN: Final = 0
_STD: Final = 1
_P50: Final = 2
_P95: Final = 3
_SLOPE: Final = 4
_MISSING: Final = 5


@njit(nogil=True, cache=True, error_model="numpy")
def _stored(value: float) -> np.float32:
    """Return the value as float32; what does not fit is missing, as on the grid."""
    narrow = np.float32(value)
    return narrow if abs(narrow) <= _LARGEST else np.float32(np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def _write_moments(
    x_TL: NDArray[np.float32],
    start: int,
    stop: int,
    work_6L: NDArray[np.float64],
    out_CS: NDArray[np.float32],
) -> None:
    """Write mean, std, slope and missing share of the ticks ``start … stop`` into ``out_CS``.

    ``work_6L[0]`` is left with the number of present ticks of each lane.
    """
    n, mean, t_mean = work_6L[0], work_6L[1], work_6L[2]
    m_xx, m_xt, m_tt = work_6L[3], work_6L[4], work_6L[5]
    work_6L[:] = 0.0
    for t in range(start, stop):
        for c in range(LANES):
            x = x_TL[t, c]
            present = x == x  # false for NaN alone
            n[c] += 1.0 if present else 0.0
            mean[c] += np.float64(x) if present else 0.0
            t_mean[c] += np.float64(t - start) if present else 0.0
    for c in range(LANES):
        mean[c] = mean[c] / n[c]
        t_mean[c] = t_mean[c] / n[c]
    for t in range(start, stop):
        for c in range(LANES):
            x = x_TL[t, c]
            present = x == x  # false for NaN alone
            dx = np.float64(x) - mean[c] if present else 0.0
            dt = np.float64(t - start) - t_mean[c] if present else 0.0
            m_xx[c] += dx * dx
            m_xt[c] += dx * dt
            m_tt[c] += dt * dt
    for c in range(out_CS.shape[0]):
        out_CS[c, _MEAN] = _stored(mean[c])  # 0 / 0 is missing
        out_CS[c, _STD] = _stored(np.sqrt(m_xx[c] / n[c]))
        out_CS[c, _SLOPE] = _stored(m_xt[c] / (m_tt[c] * TICK_S) if n[c] >= 2.0 else np.nan)
        share = (stop - start - n[c]) / (stop - start) if stop > start else 1.0
        out_CS[c, _MISSING] = np.float32(share)


@njit(nogil=True, cache=True, error_model="numpy")
def _sort_block(
    x_TL: NDArray[np.float32], start: int, pairs_P2: NDArray[np.int64], to_TL: NDArray[np.float32]
) -> None:
    """Sort one block of ticks lane by lane into ``to_TL``; missing ticks go last, as infinity."""
    for t in range(STRIDE_TICKS):
        for c in range(LANES):
            x = x_TL[start + t, c]
            to_TL[t, c] = x if x == x else np.float32(np.inf)
    for p in range(pairs_P2.shape[0]):
        low, high = to_TL[pairs_P2[p, 0]], to_TL[pairs_P2[p, 1]]
        for c in range(LANES):
            a, b = low[c], high[c]
            low[c] = a if a < b else b
            high[c] = b if a < b else a


@njit(nogil=True, cache=True, error_model="numpy")
def _taken_from_first(
    a_TL: NDArray[np.float32], b_TL: NDArray[np.float32], c: int, rank: int
) -> int:
    """Return how many of the ``rank`` smallest of two sorted blocks come from the first."""
    low, high = max(0, rank - STRIDE_TICKS), min(rank, STRIDE_TICKS)
    while low < high:
        middle = (low + high) // 2
        if a_TL[middle, c] < b_TL[rank - middle - 1, c]:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True, error_model="numpy")
def _interpolated(below: np.float32, above: np.float32, fraction: float) -> np.float32:
    # Where the position is a whole rank there may be nothing above it (infinity stands there).
    if fraction == 0.0:
        return below
    low, high = np.float64(below), np.float64(above)
    return np.float32(low + (high - low) * fraction)


@njit(nogil=True, cache=True, error_model="numpy")
def _percentile_of_two(
    a_TL: NDArray[np.float32], b_TL: NDArray[np.float32], c: int, n: int, q: float
) -> np.float32:
    """Return the ``q`` quantile of the ``n`` present values of two sorted blocks."""
    if n == 0:
        return np.float32(np.nan)
    position = q * (n - 1)
    rank = int(position)
    i = _taken_from_first(a_TL, b_TL, c, rank)
    j = rank - i
    infinity = np.float32(np.inf)
    a = a_TL[i, c] if i < STRIDE_TICKS else infinity
    b = b_TL[j, c] if j < STRIDE_TICKS else infinity
    if a <= b:
        next_a = a_TL[i + 1, c] if i + 1 < STRIDE_TICKS else infinity
        return _interpolated(a, min(next_a, b), position - rank)
    next_b = b_TL[j + 1, c] if j + 1 < STRIDE_TICKS else infinity
    return _interpolated(b, min(next_b, a), position - rank)


@njit(nogil=True, cache=True, error_model="numpy")
def _ranks_of_full(
    a_TL: NDArray[np.float32], b_TL: NDArray[np.float32], rank_4L: NDArray[np.float32]
) -> None:
    """Write ranks 49, 50, 94 and 95 of two sorted blocks, for the lanes where nothing is missing.

    Pairing one block upwards with the other downwards parts the lower half from the upper one
    (Batcher's half-cleaner); the m-th largest is the largest ``min(a[-i], b[-(m - i)])``. Both run
    over all lanes at once: no branches, so that the compiler vectorises.
    """
    infinity = np.float32(np.inf)
    rank_4L[:] = -infinity
    rank_4L[1] = infinity
    for t in range(STRIDE_TICKS):
        for c in range(LANES):
            a, b = a_TL[t, c], b_TL[STRIDE_TICKS - 1 - t, c]
            small, large = (a, b) if a < b else (b, a)
            rank_4L[0, c] = max(rank_4L[0, c], small)
            rank_4L[1, c] = min(rank_4L[1, c], large)
    for row in range(2, 4):
        m = 8 - row  # rank 94 is the sixth largest
        for i in range(m + 1):
            for c in range(LANES):
                a = a_TL[STRIDE_TICKS - i, c] if i > 0 else infinity
                b = b_TL[STRIDE_TICKS - (m - i), c] if i < m else infinity
                rank_4L[row, c] = max(rank_4L[row, c], min(a, b))


@njit(nogil=True, cache=True, error_model="numpy")
def write_window_statistics(
    x_TL: NDArray[np.float32], pairs_P2: NDArray[np.int64], out_NCS: NDArray[np.float32]
) -> None:
    """Fill ``out_NCS`` with the statistics of every window of a padded grid.

    ``pairs_P2`` is a sorting network for one block (half a window).
    """
    work_6L = np.empty((6, LANES), dtype=np.float64)
    sorted_2TL = np.empty((2, STRIDE_TICKS, LANES), dtype=np.float32)
    rank_4L = np.empty((4, LANES), dtype=np.float32)
    n_windows, n_channels, _ = out_NCS.shape
    if n_windows:
        _sort_block(x_TL, 0, pairs_P2, sorted_2TL[0])
    for w in range(n_windows):
        start = w * STRIDE_TICKS
        # The window's second block overwrites the block before its first.
        _sort_block(x_TL, start + STRIDE_TICKS, pairs_P2, sorted_2TL[(w + 1) % 2])
        _write_moments(x_TL, start, start + WINDOW_TICKS, work_6L, out_NCS[w])
        a_TL, b_TL = sorted_2TL[0], sorted_2TL[1]
        _ranks_of_full(a_TL, b_TL, rank_4L)
        for c in range(n_channels):
            n = int(work_6L[0, c])
            if n == WINDOW_TICKS:
                out_NCS[w, c, _P50] = _interpolated(rank_4L[0, c], rank_4L[1, c], _P50_FRACTION)
                out_NCS[w, c, _P95] = _interpolated(rank_4L[2, c], rank_4L[3, c], _P95_FRACTION)
            else:
                out_NCS[w, c, _P50] = _percentile_of_two(a_TL, b_TL, c, n, 0.5)
                out_NCS[w, c, _P95] = _percentile_of_two(a_TL, b_TL, c, n, 0.95)


@njit(nogil=True, cache=True, error_model="numpy")
def _runs_of_keys(
    bits_T: NDArray[np.int32], key_T: NDArray[np.int32], length_T: NDArray[np.int32]
) -> tuple[int, int]:
    """Write the keys and lengths of the runs of equal present values to the front of two buffers.

    The key of a float32 is an int32 with the same order. A missing value is recognised by its
    bits: the largest magnitude that is no NaN is infinity's. Rows carried forward are runs, so
    there are several times fewer of them than ticks.

    Returns
    -------
    tuple[int, int]
        Runs, and present values.
    """
    n_runs, n = 0, 0
    for t in range(bits_T.shape[0]):
        bits = bits_T[t]
        magnitude = bits & 0x7FFFFFFF
        if magnitude <= 0x7F800000:
            key = bits if bits >= 0 else -magnitude
            if n_runs == 0 or key != key_T[n_runs - 1]:
                key_T[n_runs] = key
                length_T[n_runs] = n  # for now: the present values before the run
                n_runs += 1
            n += 1
    for run in range(n_runs):
        end = length_T[run + 1] if run + 1 < n_runs else n
        length_T[run] = end - length_T[run]
    return n_runs, n


@njit(nogil=True, cache=True, error_model="numpy")
def _keys_of_rank(
    key_R: NDArray[np.int32], length_R: NDArray[np.int32], rank: int
) -> tuple[int, int]:
    """Return the keys of ``rank`` and ``rank + 1`` of the values in runs R, by bisection.

    Counting is branch-free and moves nothing, so it beats sorting here.
    """
    low, high = int(key_R.min()), int(key_R.max())
    while low < high:
        middle = np.int32((low + high) >> 1)
        at_most = 0
        for run in range(key_R.shape[0]):
            at_most += length_R[run] if key_R[run] <= middle else 0
        if at_most > rank:
            high = int(middle)
        else:
            low = int(middle) + 1
    at_most = 0
    above = 2**31
    for run in range(key_R.shape[0]):
        if key_R[run] <= low:
            at_most += length_R[run]
        else:
            above = min(above, int(key_R[run]))
    return low, low if at_most > rank + 1 else above


@njit(nogil=True, cache=True, error_model="numpy")
def _value_of_key(key: int, scratch_1: NDArray[np.int32]) -> np.float32:
    scratch_1[0] = np.int32(key if key >= 0 else -key | 0x80000000)
    return scratch_1.view(np.float32)[0]


@njit(nogil=True, cache=True, error_model="numpy")
def _percentile_of_runs(
    key_R: NDArray[np.int32], length_R: NDArray[np.int32], n: int, q: float
) -> np.float32:
    if n == 0:
        return np.float32(np.nan)
    scratch_1 = np.empty(1, dtype=np.int32)
    position = q * (n - 1)
    rank = int(position)
    below, above = _keys_of_rank(key_R, length_R, rank)
    if position == rank:  # there may be no value above the last rank
        above = below
    low, high = _value_of_key(below, scratch_1), _value_of_key(above, scratch_1)
    return _interpolated(low, high, position - rank)


@njit(nogil=True, cache=True, error_model="numpy")
def write_episode_statistics(
    x_TL: NDArray[np.float32], bits_CT: NDArray[np.int32], out_CS: NDArray[np.float32]
) -> None:
    """Fill ``out_CS`` with the statistics over all ticks.

    ``bits_CT`` are the same values channel by channel, seen as int32.
    """
    work_6L = np.empty((6, LANES), dtype=np.float64)
    n_ticks = x_TL.shape[0]
    _write_moments(x_TL, 0, n_ticks, work_6L, out_CS)
    key_T = np.empty(n_ticks, dtype=np.int32)
    length_T = np.empty(n_ticks, dtype=np.int32)
    for c in range(out_CS.shape[0]):
        n_runs, n = _runs_of_keys(bits_CT[c], key_T, length_T)
        out_CS[c, _P50] = _percentile_of_runs(key_T[:n_runs], length_T[:n_runs], n, 0.5)
        out_CS[c, _P95] = _percentile_of_runs(key_T[:n_runs], length_T[:n_runs], n, 0.95)
