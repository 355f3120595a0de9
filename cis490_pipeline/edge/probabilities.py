"""Arithmetic on class probabilities: rows that sum to 1, and temperature.

Shape suffixes: N cases, K classes.

Not here: finding the temperature (``training.calibration``).
Source: Guo et al. 2017, *On Calibration of Modern Neural Networks* (temperature scaling).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SMALLEST: Final = 1e-12
"""Probabilities below this count as this where a logarithm is taken."""


def normalised_rows(p_NK: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows divided by their sums (float32 models miss 1 by about 1e-7).

    >>> normalised_rows(np.array([[2.0, 2.0]])).tolist()
    [[0.5, 0.5]]
    """
    return p_NK / p_NK.sum(axis=1, keepdims=True)


def softmax(logits_NK: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of every row.

    >>> softmax(np.array([[1000.0, 1000.0]])).tolist()
    [[0.5, 0.5]]
    """
    return normalised_rows(np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True)))


def with_temperature(p_NK: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return ``softmax(log p / temperature)``; the order of the classes in a row is kept.

    >>> with_temperature(np.array([[0.8, 0.2]]), 1.0).round(6).tolist()
    [[0.8, 0.2]]
    """
    if temperature == 1.0 or p_NK.shape[0] == 0:
        return p_NK
    return softmax(np.log(np.maximum(p_NK, SMALLEST)) / temperature)
