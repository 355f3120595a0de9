"""Rates of rare things: what none or few of n show, and what a base rate makes of an alarm.

Not here: resampled intervals (``evaluation``).
References: Clopper and Pearson 1934; Garwood 1936.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

NEGATIVES_PER_FALSE: int = 10
"""A false positive rate is stated from ten expected false positives on: fewer say little."""


def rule_of_three(n: float) -> float:
    """Return what a rate lies below with 95 % confidence where none was seen in ``n`` units.

    The units have to be independent: episodes are, windows are not.

    >>> rule_of_three(60), rule_of_three(2)
    (0.05, 1.0)
    """
    return min(1.0, 3.0 / n) if n > 0 else 1.0


def binomial_ends(n_hits: int, n: int, level: float) -> tuple[float, float]:
    """Return the exact interval of a share, of which ``n_hits`` of ``n`` units were seen.

    >>> [round(end, 4) for end in binomial_ends(1, 64, 0.95)]
    [0.0004, 0.084]
    """

    def at_most(k: int, share: float) -> float:
        hits, misses, whole = math.log(share), math.log1p(-share), math.lgamma(n + 1)
        return sum(
            math.exp(
                whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * hits + (n - i) * misses
            )
            for i in range(k + 1)
        )

    tail = (1.0 - level) / 2.0
    low = _crossing(lambda p: at_most(n_hits - 1, p) - (1.0 - tail), 1.0) if n_hits else 0.0
    high = _crossing(lambda p: at_most(n_hits, p) - tail, 1.0) if n_hits < n else 1.0
    return low, high


def poisson_ends(n_events: int, level: float) -> tuple[float, float]:
    """Return the exact interval of how many events are to be expected where so many were seen.

    >>> [round(end, 3) for end in poisson_ends(1, 0.95)]
    [0.025, 5.572]
    """

    def at_most(k: int, mean: float) -> float:
        return sum(math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k + 1))

    tail, most = (1.0 - level) / 2.0, n_events + 10.0 * math.sqrt(n_events + 1.0) + 20.0
    low = _crossing(lambda m: at_most(n_events - 1, m) - (1.0 - tail), most) if n_events else 0.0
    return low, _crossing(lambda m: at_most(n_events, m) - tail, most)


def _crossing(falling: Callable[[float], float], most: float) -> float:
    """Return where a falling function is 0 between 0 and ``most``, by halving."""
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if falling(middle) > 0.0 else (low, middle)
    return (low + high) / 2.0


def negatives_needed(limit: float) -> int:
    """Return how many negatives a false positive rate needs to be stated.

    >>> negatives_needed(1e-3)
    10000
    """
    return round(NEGATIVES_PER_FALSE / limit)


def precision_at(
    tpr: NDArray[np.float64], fpr: NDArray[np.float64], base_rate: float
) -> NDArray[np.float64]:
    """Return the share of true alarms where ``base_rate`` of all windows are positive.

    NaN where nothing rings at all.

    >>> float(precision_at(np.array(0.9), np.array(0.01), 1e-3).round(3))
    0.083
    """
    true = np.asarray(tpr, dtype=np.float64) * base_rate
    rung = true + np.asarray(fpr, dtype=np.float64) * (1.0 - base_rate)
    return np.divide(true, rung, out=np.full(rung.shape, np.nan), where=rung > 0)
