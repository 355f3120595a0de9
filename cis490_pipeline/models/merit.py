"""What a family chooses its own parameters by, on id_val.

Shape suffixes: N cases, K classes.

Not here: the choice between families (``evaluation``).
"""

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.probabilities import SMALLEST
from cis490_pipeline.metrics.confusion import confusion
from cis490_pipeline.metrics.f1 import macro_f1


def merit_of(p_NK: NDArray[np.float64], y_N: NDArray[np.int64]) -> tuple[float, float]:
    """Return macro F1, then the mean log-likelihood: the loss decides between equal scores.

    >>> merit_of(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))
    (1.0, -0.34657359027997264)
    """
    score = macro_f1(confusion(y_N, p_NK.argmax(axis=1).astype(np.int64), p_NK.shape[1]))
    own_N = p_NK[np.arange(y_N.size), y_N]
    return score or 0.0, float(np.log(np.maximum(own_N, SMALLEST)).mean())
