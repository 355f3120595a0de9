"""How far one sample of a quantity lies from another: robust, and missing-aware.

A missing value is NaN and left out; how many are missing is a figure of its own, never a value.

Shape suffixes: N values of the reference, M values of the other sample.

Not here: which episodes are compared (``evaluation.drift``).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp, wasserstein_distance

LEAST: Final = 2
"""Values that either sample must have."""
_MOST_EXACT: Final = 10_000
"""Pairs of values up to which p is exact; of more its limit is as good, and quick."""


def present(values_N: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the values that are not missing."""
    return values_N[~np.isnan(values_N)].astype(np.float64)


def kolmogorov_smirnov(
    reference_N: NDArray[np.floating], other_M: NDArray[np.floating]
) -> tuple[float, float] | None:
    """Return the largest distance between the two distribution functions, and its two-sided p.

    The distance has no unit and no scale (0 the same, 1 disjoint), so channels compare. The values
    must be independent within a sample, as one per episode are. None where either has fewer than
    two.

    >>> kolmogorov_smirnov(np.array([1.0, 2.0, np.nan]), np.array([3.0, 4.0]))[0]
    1.0
    """
    reference_N, other_M = present(reference_N), present(other_M)
    if min(reference_N.size, other_M.size) < LEAST:
        return None
    exact = reference_N.size * other_M.size <= _MOST_EXACT
    found = ks_2samp(reference_N, other_M, method="exact" if exact else "asymp")
    distance, p = np.asarray(found, dtype=np.float64)
    return float(distance), float(p)


def distance_in_iqr(
    reference_N: NDArray[np.floating], other_M: NDArray[np.floating]
) -> float | None:
    """Return the Wasserstein-1 distance in interquartile ranges of the reference.

    None where either sample has fewer than two values or the range is 0: then there is no unit.

    >>> distance_in_iqr(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([10.0, 11.0, 12.0]))
    4.5
    """
    reference_N, other_M = present(reference_N), present(other_M)
    if min(reference_N.size, other_M.size) < LEAST:
        return None
    low, high = np.quantile(reference_N, [0.25, 0.75])
    if high <= low:
        return None
    return float(wasserstein_distance(reference_N, other_M) / (high - low))
