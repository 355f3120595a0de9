"""How well a score ranks positive windows above negative ones: average precision, TPR at FPR.

Shape suffixes: N windows, E clusters (episodes), B weightings, F limits of the FPR.

Every figure takes weights of whole clusters, so that one sort serves all resamples. Not here: the
draws and the intervals (``evaluation``), which window is positive.
References: scikit-learn, ``average_precision_score`` (the same step sum, ties in one step).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

_ROUNDING = 1e-9
"""0.1 of 30 negatives are 3 of them, however a product of floats comes out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking:
    """Windows in descending order of their score; ``last_N`` marks the last of equal scores."""

    positive_N: NDArray[np.bool_]
    cluster_N: NDArray[np.int64]
    last_N: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankingFigures:
    """Average precision ``[B]`` and TPR ``[B, F]``; NaN without positives or without negatives."""

    average_precision_B: NDArray[np.float64]
    tpr_BF: NDArray[np.float64]


def rank(
    score_N: NDArray[np.floating], positive_N: NDArray[np.bool_], cluster_N: NDArray[np.int64]
) -> Ranking:
    """Sort windows by their score, highest first.

    Raises
    ------
    ValueError
        Where a score is missing: it has no place in an order.
    """
    if np.isnan(score_N).any():
        raise ValueError("a score is missing: it cannot be ranked")
    order_N = np.argsort(-score_N, kind="stable")
    sorted_N = score_N[order_N]
    return Ranking(
        positive_N=positive_N[order_N],
        cluster_N=cluster_N[order_N],
        last_N=np.append(sorted_N[1:] != sorted_N[:-1], True)[: score_N.size],
    )


def ranking_figures(
    ranking: Ranking, weights_BE: NDArray[np.float64], limits_F: NDArray[np.float64]
) -> RankingFigures:
    """Return the figures for every weighting of the clusters.

    Parameters
    ----------
    limits_F
        False positive rates that must not be exceeded; of all thresholds that keep one, the TPR is
        that of the lowest. No interpolation: a threshold that does not exist is not used.

    >>> ranking = rank(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]), np.arange(3))
    >>> found = ranking_figures(ranking, np.ones((1, 3)), np.array([0.5, 1.0]))
    >>> found.average_precision_B.round(3).tolist(), found.tpr_BF.tolist()
    ([0.833], [[0.5, 1.0]])
    """
    n_weightings = weights_BE.shape[0]
    average_B = np.full(n_weightings, np.nan)
    tpr_BF = np.full((n_weightings, limits_F.size), np.nan)
    _sweep(
        (ranking.positive_N, ranking.cluster_N, ranking.last_N),
        np.ascontiguousarray(weights_BE),
        limits_F,
        average_B,
        tpr_BF,
    )
    return RankingFigures(average_precision_B=average_B, tpr_BF=tpr_BF)


@njit(nogil=True, cache=True)
def _sweep(
    ranking: tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.bool_]],
    weights_BE: NDArray[np.float64],
    limits_F: NDArray[np.float64],
    average_B: NDArray[np.float64],
    tpr_BF: NDArray[np.float64],
) -> None:
    """Lower the threshold past every score, once for each weighting."""
    positive_N, cluster_N, last_N = ranking
    n_windows, n_limits = positive_N.shape[0], limits_F.shape[0]
    for b in range(weights_BE.shape[0]):
        positives, negatives = _totals(positive_N, cluster_N, weights_BE[b])
        if positives == 0.0 or negatives == 0.0:
            continue
        hits, false, counted, average = 0.0, 0.0, 0.0, 0.0
        tpr_BF[b] = 0.0
        for i in range(n_windows):
            weight = weights_BE[b, cluster_N[i]]
            if positive_N[i]:
                hits += weight
            else:
                false += weight
            if last_N[i]:
                if hits > counted:
                    average += (hits - counted) * hits / (hits + false)
                    counted = hits
                for f in range(n_limits):
                    if false <= limits_F[f] * negatives + _ROUNDING:
                        tpr_BF[b, f] = hits / positives
        average_B[b] = average / positives


@njit(nogil=True, cache=True)
def _totals(
    positive_N: NDArray[np.bool_], cluster_N: NDArray[np.int64], weight_E: NDArray[np.float64]
) -> tuple[float, float]:
    positives, negatives = 0.0, 0.0
    for i in range(positive_N.shape[0]):
        if positive_N[i]:
            positives += float(weight_E[cluster_N[i]])
        else:
            negatives += float(weight_E[cluster_N[i]])
    return positives, negatives
