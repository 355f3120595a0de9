"""Selective prediction: what error is left when only the surest windows are answered.

Windows enter in the order of falling confidence, all of one confidence at once: a threshold cannot
tell them apart. The selective risk at a coverage is the share of wrong answers among those given.

Shape suffixes: N windows, G groups of confidence, ``..G`` any number of leading axes.

Not here: intervals and the curve that is reported (``evaluation.risk_coverage``).
References: El-Yaniv and Wiener 2010; Geifman, Uziel and El-Yaniv 2019 (AURC, excess over oracle).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma


def confidence_groups(confidence_N: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return each window's group, ``0`` for the surest; equal confidence is never split.

    Every distinct confidence is a group where there are at most ``most``; otherwise neighbours are
    joined, about equally many windows in each.

    >>> confidence_groups(np.array([0.9, 0.5, 0.9, 0.7]), 10).tolist()
    [0, 2, 0, 1]
    """
    distinct, rank_N, count = np.unique(-confidence_N, return_inverse=True, return_counts=True)
    if distinct.size <= most:
        return rank_N.astype(np.int64)
    last = np.cumsum(count) - 1
    joined = last * most // confidence_N.size
    return np.unique(joined, return_inverse=True)[1][rank_N].astype(np.int64)


def area_under_risk(
    wrong_G: NDArray[np.floating], size_G: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the area under risk over coverage (AURC), float64 ``[..]``; NaN without a window.

    Parameters
    ----------
    wrong_G, size_G
        Wrong answers and windows of each group ``[.., G]``, the surest first; weights allowed.

    >>> area_under_risk(np.array([0, 0, 1]), np.array([1, 1, 2])).item()
    0.125
    """
    given_G = np.cumsum(size_G, axis=-1, dtype=np.float64)
    none_G = np.zeros(given_G.shape)
    risk_G = np.divide(np.cumsum(wrong_G, axis=-1), given_G, out=none_G, where=given_G > 0)
    n_windows = given_G[..., -1]
    missing = np.full(n_windows.shape, np.nan)
    return np.divide((risk_G * size_G).sum(axis=-1), n_windows, out=missing, where=n_windows > 0)


def oracle_area(
    n_wrong: NDArray[np.floating], n_windows: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the AURC of the order that puts every wrong answer last; NaN without a window.

    Notes
    -----
    The sum of ``j / (right + j)`` over the wrong answers j, in closed form; no order of as many
    windows has less.

    >>> round(oracle_area(np.array(2), np.array(4)).item(), 4)  # (1/3 + 2/4) / 4
    0.2083
    """
    n_wrong, n_windows = np.asarray(n_wrong, np.float64), np.asarray(n_windows, np.float64)
    right = n_windows - n_wrong
    total = n_wrong - right * (digamma(n_windows + 1.0) - digamma(right + 1.0))
    missing = np.full(total.shape, np.nan)
    return np.divide(total, n_windows, out=missing, where=n_windows > 0)
