"""Compiled loops of the grid: native rates, and the last row carried forward to each tick.

Shape suffixes: R rows of a source, C channels of that source, T ticks.

Not here: which rows, which ticks (``grid``). Source: episode format, *From rows to windows*,
steps 2 and 3.

Times are subtracted as unsigned integers: rows stand in time order, so every difference that is
used is non-negative, and the difference of two int64 then cannot overflow. The order of the
floating-point operations is part of the contract: two implementations agree bit for bit.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Written out, not taken from ``schema``: numba's cache on disk notices a change of this file only,
# and compiled code keeps the values that it was compiled with. A test holds them together.
TICK_NS: Final = 100_000_000
WINDOW_TICKS: Final = 100
STRIDE_TICKS: Final = 50

GAUGE: Final = 0
COUNTER: Final = 1
DELTA: Final = 2
"""Codes of ``schema.channels.Kind`` inside compiled code."""

_LARGEST: Final = np.finfo(np.float32).max


@njit(nogil=True, cache=True, error_model="numpy")
def _seconds(later_ns: np.int64, earlier_ns: np.int64) -> float:
    return np.float64(np.uint64(later_ns) - np.uint64(earlier_ns)) / 1e9


@njit(nogil=True, cache=True, error_model="numpy")
def native_rates(
    t_R: NDArray[np.int64], x_RC: NDArray[np.float64], kind_C: NDArray[np.int8], period_ns: int
) -> NDArray[np.float32]:
    """Turn raw values into gauges and per-second rates at the rows themselves.

    Parameters
    ----------
    t_R
        Unix nanoseconds, never decreasing.
    x_RC
        Raw values, NaN = missing.
    kind_C
        ``GAUGE``, ``COUNTER`` or ``DELTA``.
    period_ns
        Nominal period of the source: the interval of the first row's deltas.

    Returns
    -------
    NDArray[np.float32]
        ``[R, C]``; NaN where missing or not finite as float32.
    """
    n_rows, n_channels = x_RC.shape
    rate_RC = np.empty((n_rows, n_channels), dtype=np.float32)
    last_C = np.full(n_channels, -1, dtype=np.int64)  # row of the previous present value
    for r in range(n_rows):
        interval_s = _seconds(t_R[r], t_R[r - 1]) if r > 0 else period_ns / 1e9
        for c in range(n_channels):
            value = x_RC[r, c]
            kind = kind_C[c]
            rate = np.nan
            if kind == GAUGE:
                rate = value
            elif kind == DELTA:
                if interval_s > 0.0:
                    rate = value / interval_s
            elif value == value:  # false for NaN alone
                last = int(last_C[c])
                if last >= 0 and value >= x_RC[last, c] and t_R[r] > t_R[last]:
                    rate = (value - x_RC[last, c]) / _seconds(t_R[r], t_R[last])
                last_C[c] = r
            stored = np.float32(rate)
            rate_RC[r, c] = stored if abs(stored) <= _LARGEST else np.float32(np.nan)
    return rate_RC


@njit(nogil=True, cache=True, error_model="numpy")
def carry_forward(
    t_R: NDArray[np.int64],
    rate_RC: NDArray[np.float32],
    t0_ns: int,
    staleness_ns: int,
    column: int,
    x_TC: NDArray[np.float32],
) -> None:
    """Write one source's columns of the grid, from ``column`` on, into ``x_TC``.

    A tick takes the last row at or before it, unless that row is older than ``staleness_ns``. The
    row counts as a whole: where it misses a channel, the tick misses it too.
    """
    n_rows, n_channels = rate_RC.shape
    row = -1
    for k in range(x_TC.shape[0]):
        tick_ns = t0_ns + k * TICK_NS
        while row + 1 < n_rows and t_R[row + 1] <= tick_ns:
            row += 1
        fresh = row >= 0 and np.uint64(tick_ns) - np.uint64(t_R[row]) <= np.uint64(staleness_ns)
        for c in range(n_channels):
            x_TC[k, column + c] = rate_RC[row, c] if fresh else np.float32(np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def write_window_labels(
    since_t0_L: NDArray[np.int64],
    code_L: NDArray[np.int8],
    phase_N: NDArray[np.int8],
    purity_N: NDArray[np.float32],
) -> None:
    """Give each window the code in force at its centre, and the share of its ticks in it.

    Parameters
    ----------
    since_t0_L, code_L
        Nanoseconds after the first tick and codes of at least one label, in time order; before the
        first one it holds already.
    phase_N, purity_N
        Filled.
    """
    code_T = np.empty((len(phase_N) + 1) * STRIDE_TICKS, dtype=np.int8)
    in_force = 0
    for tick in range(len(code_T)):
        while in_force + 1 < len(code_L) and since_t0_L[in_force + 1] <= tick * TICK_NS:
            in_force += 1
        code_T[tick] = code_L[in_force]
    for n in range(len(phase_N)):
        start = n * STRIDE_TICKS
        phase_N[n] = code_T[start + WINDOW_TICKS // 2]
        same = 0
        for tick in range(start, start + WINDOW_TICKS):
            same += 1 if code_T[tick] == phase_N[n] else 0
        purity_N[n] = np.float32(same / WINDOW_TICKS)
