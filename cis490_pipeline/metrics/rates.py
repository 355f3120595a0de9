"""Rates of rare things: what none of n shows, and what a base rate makes of an alarm.

Not here: intervals over episodes (``evaluation``).
"""

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
