"""Inverse class frequencies: what every family weighs its cases by.

Shape suffixes: N cases, K classes.

Macro F1 counts every class alike, whereas a lab's episodes are clean for most of their time.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_CEILING: Final = 10.0
"""Neither rarer nor more frequent classes count by more than this factor: a class of three windows
would otherwise dominate every batch that it occurs in."""


def inverse_frequency_weights(y_N: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Return the weight of each class, float64 ``[K]``.

    ``n / (present classes × n_k)``, clipped to 1/10 … 10: 1 everywhere for balanced classes. A
    class that does not occur weighs 1: nothing is known of it.

    >>> inverse_frequency_weights(np.array([0, 0, 0, 1]), 3).round(2).tolist()
    [0.67, 2.0, 1.0]
    """
    count_K = np.bincount(y_N, minlength=n_classes)
    present_K = count_K > 0
    fair_share = y_N.size / max(1, int(present_K.sum()))
    weight_K = np.ones(n_classes, dtype=np.float64)
    np.divide(fair_share, count_K, out=weight_K, where=present_K)
    return np.clip(weight_K, 1 / _CEILING, _CEILING)
