"""A window's statistics beside those of its past: what makes a model travel to another host.

Shape suffixes: B windows, L lags (1 before, 2 before, …), F statistics, G columns in context.

Hosts differ in level (a larger machine, a busier network) and phases differ in change. So, on a
signed logarithm, where a factor between hosts is a constant: the window itself, and its difference
to the one and to the window two before, to a short and a long mean, to the highest and the lowest
of the windows before it, and, where commissioning was clean, to the device's first window. Missing
stays missing: a difference needs both sides.

One function for training, scoring and the device, so that they cannot drift apart. Not here: where
the past comes from (``datasets.in_context`` for tables, ``edge.window_context`` for a stream).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.context import (
    MEANS_WINDOWS,
    RANGE_WINDOWS,
    STEPS_WINDOWS,
    Context,
)

_STRETCHES_AT_ONCE: Final = 32
"""What is computed on the way stays in the processor's cache, and is not megabytes of memory."""


def signed_log(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``sign(x) log(1 + |x|)`` of statistics, float32; missing (NaN) stays missing.

    >>> signed_log(np.float32([-3.0, 0.0, 3.0])).round(3).tolist()
    [-1.3860000371932983, 0.0, 1.3860000371932983]
    """
    return np.sign(x) * np.log1p(np.abs(x))


def in_context(
    own_BF: NDArray[np.float32],
    past_BLF: NDArray[np.float32],
    first_BF: NDArray[np.float32],
    context: Context,
) -> NDArray[np.float32]:
    """Return the columns that a summary family sees, ``[B, G]``.

    Parameters
    ----------
    own_BF
        The windows, on the signed logarithm; NaN = missing.
    past_BLF
        The ``RANGE_WINDOWS`` windows before each, nearest first; NaN where there was none.
    first_BF
        The device's first window; read for ``commissioned`` alone. The level of a host, which
        ``transductive`` has, is none of the past (``datasets.levels``).

    Returns
    -------
    NDArray[np.float32]
        Blocks of F columns: the window; minus the one, then minus the one two before; minus the
        mean of the three, then of the eight before; minus the highest, then minus the lowest of
        those before; and minus the first.
    """
    if context is Context.NONE:
        return own_BF
    highest_BF = np.fmax.reduce(past_BLF, axis=1)
    lowest_BF = np.fmin.reduce(past_BLF, axis=1)
    against = [
        *(past_BLF[:, step - 1] for step in STEPS_WINDOWS),
        *(_mean_of_present(past_BLF[:, :number]) for number in MEANS_WINDOWS),
        highest_BF,
        lowest_BF,
    ]
    if context is Context.COMMISSIONED:
        against.append(first_BF)
    return np.concatenate([own_BF, *(own_BF - other_BF for other_BF in against)], axis=1)


def _mean_of_present(x_BLF: NDArray[np.float32]) -> NDArray[np.float32]:
    present_BLF = ~np.isnan(x_BLF)
    count_BF = present_BLF.sum(axis=1)
    total_BF = np.where(present_BLF, x_BLF, 0.0).sum(axis=1, dtype=np.float64)
    missing_BF = np.full(total_BF.shape, np.nan)
    return np.divide(total_BF, count_BF, out=missing_BF, where=count_BF > 0).astype(np.float32)


def relative_to_now(x_BCT: NDArray[np.float32], n_own: int) -> NDArray[np.float32]:
    """Return stretches of the grid on the signed logarithm, relative to the window's own mean.

    Another host's level drops out, and whoever pools over time still knows what *now* is: it is 0.

    Parameters
    ----------
    x_BCT
        Ends with the window; NaN = missing.
    n_own
        Timepoints of the window itself. A channel without a value in them is missing altogether.
    """
    z_BCT = np.empty_like(x_BCT)
    for start in range(0, len(x_BCT), _STRETCHES_AT_ONCE):
        part = slice(start, start + _STRETCHES_AT_ONCE)
        z_BCT[part] = signed_log(x_BCT[part])
        own_BLF = np.moveaxis(z_BCT[part, :, -n_own:], 2, 1)
        z_BCT[part] -= _mean_of_present(own_BLF)[:, :, np.newaxis]
    return z_BCT


def beside_level(
    x_BCT: NDArray[np.float32],
    n_own: int,
    centre_BC: NDArray[np.float32],
    scale_BC: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return stretches relative to now, and after them the same relative to a level.

    Parameters
    ----------
    x_BCT, n_own
        As for ``relative_to_now``.
    centre_BC, scale_BC
        The level on the signed logarithm, and what is 1 away from it.

    Returns
    -------
    NDArray[np.float32]
        ``[B, 2C, T]``. A channel without a level is missing in the second half.
    """
    level_BCT = signed_log(x_BCT)
    level_BCT -= centre_BC[:, :, np.newaxis]
    level_BCT /= scale_BC[:, :, np.newaxis]
    return np.concatenate([relative_to_now(x_BCT, n_own), level_BCT], axis=1)


def level_of(x_BCT: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of each channel on the signed logarithm, ``[B, C]``; NaN without a value."""
    return _mean_of_present(np.moveaxis(signed_log(x_BCT), 2, 1))


def no_past(n_windows: int, n_statistics: int) -> NDArray[np.float32]:
    """Return the past of windows before which there was nothing, ``[B, L, F]``."""
    return np.full((n_windows, RANGE_WINDOWS, n_statistics), np.nan, dtype=np.float32)
