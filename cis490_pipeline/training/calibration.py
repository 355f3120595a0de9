"""The temperature that makes a model's probabilities honest on id_val.

Shape suffixes: N cases, K classes.

Not here: applying it (``edge.probabilities``), measuring calibration (``metrics``).
Source: Guo et al. 2017, *On Calibration of Modern Neural Networks*.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.probabilities import SMALLEST, with_temperature

_COLDEST: Final = 0.2
_HOTTEST: Final = 10.0
"""Bounds: a handful of id_val windows that all come out right would ask for temperature 0."""
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
_ITERATIONS: Final = 40


def _log_loss(p_NK: NDArray[np.float64], y_N: NDArray[np.int64], log_temperature: float) -> float:
    tempered_NK = with_temperature(p_NK, math.exp(log_temperature))
    return float(-np.log(np.maximum(tempered_NK[np.arange(y_N.size), y_N], SMALLEST)).mean())


def fit_temperature(p_NK: NDArray[np.float64], y_N: NDArray[np.int64]) -> float:
    """Return the temperature with the lowest log-loss on id_val; 1 without cases.

    Golden-section search over its logarithm, in which the loss has one minimum.
    """
    if y_N.size == 0:
        return 1.0
    low, high = math.log(_COLDEST), math.log(_HOTTEST)
    for _ in range(_ITERATIONS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _log_loss(p_NK, y_N, left) <= _log_loss(p_NK, y_N, right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)
