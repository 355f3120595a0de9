"""How far probabilities can be believed: Brier score, log-loss, expected calibration error.

Shape suffixes: N cases, K classes. All functions return None for no cases at all.

Not here: fitting a calibration (``models``).
"""

import numpy as np
from numpy.typing import NDArray

N_BINS = 15
_SMALLEST_PROBABILITY = 1e-15
"""A probability of exactly 0 for the truth would make one window's log-loss infinite."""


def brier(y_true_N: NDArray[np.integer], proba_NK: NDArray[np.floating]) -> float | None:
    """Return the multi-class Brier score: mean squared distance to the one-hot truth.

    Summed over the classes, so 0 is perfect and 2 is certain and wrong everywhere (Brier 1950).

    >>> brier(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    1.0
    """
    return None if y_true_N.size == 0 else float(squared_distances(y_true_N, proba_NK).mean())


def squared_distances(
    y_true_N: NDArray[np.integer], proba_NK: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return each case's squared distance to the one-hot truth; their mean is the Brier score."""
    truth_NK = np.eye(proba_NK.shape[1])[y_true_N]
    return ((proba_NK - truth_NK) ** 2).sum(axis=1, dtype=np.float64)


def log_loss(y_true_N: NDArray[np.integer], proba_NK: NDArray[np.floating]) -> float | None:
    """Return the mean negative log-probability of the truth, in nats.

    Probabilities are clipped at 1e-15 from below, so one window adds at most 34.5.
    """
    return None if y_true_N.size == 0 else float(log_losses(y_true_N, proba_NK).mean())


def log_losses(
    y_true_N: NDArray[np.integer], proba_NK: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return each case's negative log-probability of the truth, clipped like ``log_loss``."""
    truth_N = proba_NK[np.arange(y_true_N.size), y_true_N].astype(np.float64)
    return -np.log(np.maximum(truth_N, _SMALLEST_PROBABILITY))


def ece(
    y_true_N: NDArray[np.integer], proba_NK: NDArray[np.floating], *, n_bins: int = N_BINS
) -> float | None:
    """Return the expected calibration error of the predicted class.

    Cases fall into ``n_bins`` equal-width bins by the probability of the predicted class; the
    error is the mean over cases of |accuracy - mean probability| of their bin (Guo et al. 2017).

    >>> round(ece(np.array([0, 0, 1, 1]), np.tile([0.9, 0.1], (4, 1))), 3)
    0.4
    """
    if y_true_N.size == 0:
        return None
    confidence_N = proba_NK.max(axis=1).astype(np.float64)
    correct_N = (proba_NK.argmax(axis=1) == y_true_N).astype(np.float64)
    bin_N = confidence_bins(confidence_N, n_bins)
    gap = np.bincount(bin_N, weights=correct_N - confidence_N, minlength=n_bins)
    return float(np.abs(gap).sum() / y_true_N.size)


def confidence_bins(confidence_N: NDArray[np.floating], n_bins: int = N_BINS) -> NDArray[np.int64]:
    """Return which of ``n_bins`` equal-width bins each probability falls into."""
    return np.clip((confidence_N * n_bins).astype(np.int64), 0, n_bins - 1)
