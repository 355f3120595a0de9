"""Distance to the nearest reference where values are missing here and there.

Shape suffixes: Q queries, R references, F features.

Not here: what is measured (``evaluation.difficulty``).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_QUERIES_AT_ONCE: Final = 256


def nearest_distances(
    query_QF: NDArray[np.float64],
    reference_RF: NDArray[np.float64],
    *,
    leave_one_out: bool = False,
) -> NDArray[np.float64]:
    """Return each query's root-mean-square distance to its nearest reference, ``[Q]``.

    The mean is over the features that both have (NaN = missing), so that a pair with few of them
    counts like any other. NaN where a query shares no feature with any reference.

    Parameters
    ----------
    leave_one_out
        The queries are the references, and nobody is their own neighbour.

    Examples
    --------
    >>> nearest_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [np.nan, 1.0]])).tolist()
    [1.0]
    """
    nearest_Q = np.full(len(query_QF), np.nan)
    for start in range(0, len(query_QF), _QUERIES_AT_ONCE):
        rows = slice(start, start + _QUERIES_AT_ONCE)
        distance_QR = _mean_squares(query_QF[rows], reference_RF)
        if leave_one_out:
            own = np.arange(len(distance_QR))
            distance_QR[own, start + own] = np.inf
        lowest_Q = distance_QR.min(axis=1, initial=np.inf)
        nearest_Q[rows] = np.where(np.isfinite(lowest_Q), np.sqrt(np.maximum(lowest_Q, 0)), np.nan)
    return nearest_Q


def _mean_squares(a_QF: NDArray[np.float64], b_RF: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean squared difference of each pair; infinite where they share no feature."""
    a_here_QF, b_here_RF = (np.isfinite(x).astype(np.float64) for x in (a_QF, b_RF))
    a_QF, b_RF = np.nan_to_num(a_QF, nan=0.0), np.nan_to_num(b_RF, nan=0.0)
    summed_QR = a_QF**2 @ b_here_RF.T - 2 * a_QF @ b_RF.T + a_here_QF @ (b_RF**2).T
    shared_QR = a_here_QF @ b_here_RF.T
    return np.where(shared_QR > 0, summed_QR / np.maximum(shared_QR, 1.0), np.inf)
