"""Compiled recording of rows: noise, sums of counters, rounding of counts.

Shape suffixes: R rows, C channels, T half-second steps, N entries of a table of noise.

Not here: what is recorded (``signals``).
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

GAUGE: Final = 0
COUNTER: Final = 1
DELTA: Final = 2
"""Codes of ``schema.channels.Kind`` inside compiled code."""


@njit(nogil=True, cache=True)
def record(
    mixed_TC: NDArray[np.float64],
    step_R: NDArray[np.int64],
    elapsed_s_R: NDArray[np.float64],
    noise_CN: NDArray[np.float64],
    dice_RC: NDArray[np.uint8],
    total_C: NDArray[np.float64],
    kinds_granules: tuple[NDArray[np.int64], NDArray[np.int64]],
    out_RC: NDArray[np.int64],
) -> None:
    """Write what a recorder would have read at each row.

    Parameters
    ----------
    mixed_TC
        Rates per second, or levels for gauges.
    step_R, elapsed_s_R
        Step that holds at each row, and seconds since the row before it.
    noise_CN, dice_RC
        Factors, of which the dice choose one for each value.
    total_C
        Counters' values before the first row.
    kinds_granules
        ``GAUGE``, ``COUNTER`` or ``DELTA`` of each channel; masks that round its values down.
    out_RC
        Is written to.
    """
    kind_C, granule_C = kinds_granules
    n_rows, n_channels = out_RC.shape
    sums_C = total_C.copy()
    for r in range(n_rows):
        for c in range(n_channels):
            die = dice_RC[r, c]
            x = max(mixed_TC[step_R[r], c], 0.0) * noise_CN[c, die]
            if kind_C[c] == COUNTER:
                sums_C[c] += x * elapsed_s_R[r]
                x = sums_C[c]
            elif kind_C[c] == DELTA:
                # rounded up as often as its fraction says, by other bits than those of the noise
                x = x * elapsed_s_R[r] + np.float64((die * 167 + r * 101) & 255) / 256.0
            out_RC[r, c] = np.int64(x) & granule_C[c]
