"""Levels that windows are relative to: of a device's first window, or of all windows of a host.

Shape suffixes: R rows (windows held, or cases), B a batch of them, G groups (hosts, or episodes),
F columns (statistics, or channels), V values of a column.

The level of a host needs no label and is asked of nobody: windows alone say it. It needs windows
of the host, though, more than a device has seen on its first day, and later ones than the window
that is judged: what rests on it is *transductive*, and no figure of what a device would do.

Not here: the arithmetic on stretches (``features.past``), where the windows come from
(``loading``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_WINDOWS: Final = 4096
"""Windows, evenly spaced, that say the level of a host: of more, only the last digits change."""
SMALLEST_SCALE: Final = 0.1
"""On the signed logarithm: a tenth of a large value. What varies by less counts as varying by so
much; a constant channel is centred and not divided by nothing."""
_IQR_OF_NORMAL: Final = 1.349


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Centre and scale of every column, by group.

    Attributes
    ----------
    centre_GF, scale_GF
        On the signed logarithm; the scale is positive. A centre may be missing (NaN).
    group_R
        Which group a row is of.
    """

    centre_GF: NDArray[np.float32]
    scale_GF: NDArray[np.float32]
    group_R: NDArray[np.int64]

    def of(self, row_B: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return centre and scale of some rows, ``[B, F]`` each."""
        group_B = self.group_R[row_B]
        return self.centre_GF[group_B], self.scale_GF[group_B]


def levels_of_groups(
    group_R: NDArray[np.int64], values_of: Callable[[NDArray[np.int64]], NDArray[np.float32]]
) -> Levels:
    """Return the level of every group from windows of its own, and of no other.

    Parameters
    ----------
    group_R
        Of every window.
    values_of
        Returns the values ``[V, F]`` of some windows, on the signed logarithm.
    """
    levels = [
        robust_level(values_of(evenly_spaced(np.flatnonzero(group_R == group))))
        for group in range(int(group_R.max(initial=0)) + 1)
    ]
    return Levels(
        centre_GF=np.stack([centre_F for centre_F, _ in levels]),
        scale_GF=np.stack([scale_F for _, scale_F in levels]),
        group_R=group_R,
    )


def evenly_spaced(row_R: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most ``MOST_WINDOWS`` of some rows, the first and the last among them.

    >>> evenly_spaced(np.arange(10_000))[[0, 1, -1]].tolist()
    [0, 2, 9999]
    """
    chosen = np.linspace(0, row_R.size - 1, min(row_R.size, MOST_WINDOWS)).astype(np.int64)
    return row_R[chosen]


def robust_level(x_VF: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return median and scaled interquartile range of each column's present values, ``[F]`` each.

    Of a column without any value the centre is missing, as the column is.

    >>> centre_F, scale_F = robust_level(np.float32([[1, 5, np.nan], [3, 5, np.nan]]))
    >>> centre_F.tolist(), scale_F.round(3).tolist()
    ([2.0, 5.0, nan], [0.7409999966621399, 0.10000000149011612, 0.10000000149011612])
    """
    quartile_3F = np.full((3, x_VF.shape[1]), np.nan)
    for column, x_V in enumerate(x_VF.T):
        present_V = x_V[~np.isnan(x_V)]
        if present_V.size:
            quartile_3F[:, column] = np.quantile(present_V, (0.25, 0.5, 0.75))
    spread_F = (quartile_3F[2] - quartile_3F[0]) / _IQR_OF_NORMAL
    scale_F = np.fmax(spread_F, SMALLEST_SCALE)
    return quartile_3F[1].astype(np.float32), scale_F.astype(np.float32)
