"""Conformal p-values whose unit of exchangeability is the episode, not the window.

Windows of an episode overlap and resemble each other, so ordinary split conformal prediction,
which takes every calibration window for an exchangeable case, promises what it cannot hold. Here
each episode weighs the same, its windows share its weight, and one episode's weight lies at
infinity (hierarchical conformal prediction). For a window drawn at random from an episode that is
exchangeable with the calibration episodes, ``P(p of the truth <= alpha) <= alpha``, for any model
and any dependence within an episode.

With one window per episode this is split conformal prediction as crepes computes it, to which the
tests hold it. Neither crepes nor MAPIE can weigh calibration cases, and drawing one window per
episode for them would throw most windows away and make the figure depend on the draw.

Shape suffixes: N calibration windows, M windows to judge, K classes.

Not here: what is reported of it (``evaluation.rejection``).
References: Lee, Barber and Willett 2023, *Distribution-free inference with hierarchical data*;
Dunn, Wasserman and Ramdas 2022, *Distribution-free prediction sets for two-layer hierarchical
models*.
"""

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-12
"""A p-value this little above alpha equals it but for rounding, and is refused as if equal."""


def least_episodes(alpha: float) -> int:
    """Return how many calibration episodes a set of level ``1 - alpha`` takes.

    With fewer than ``1 / alpha - 1`` every set holds every class. One more is asked for.

    >>> least_episodes(0.1), least_episodes(0.05)
    (10, 20)
    """
    return int(np.ceil(1.0 / alpha - 1e-9))


def nonconformity(proba_NK: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how strange each class would be, ``[N, K]``: one minus its probability."""
    return 1.0 - proba_NK.astype(np.float64)


def episode_p_values(
    score_N: NDArray[np.float64],
    cluster_N: NDArray[np.integer],
    n_clusters: int,
    score_MK: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the p-value of every class of every window, float64 ``[M, K]``.

    Parameters
    ----------
    score_N
        Nonconformity of the true class of each calibration window.
    cluster_N
        Episode of each calibration window, ``0 … n_clusters - 1``; every episode has a window.

    Notes
    -----
    ``p = (1 + sum over episodes of the share of its windows at least as strange) / (1 + episodes)``

    >>> episode_p_values(np.array([0.2, 0.6, 0.8]), np.array([0, 0, 1]), 2, np.array([[0.6, 0.9]]))
    array([[0.83333333, 0.33333333]])
    """
    size_E = np.bincount(cluster_N, minlength=n_clusters)
    if n_clusters == 0 or (size_E == 0).any():
        raise ValueError("every calibration episode must have a window, and there must be one")
    order_N = np.argsort(score_N, kind="stable")
    share_N = (1.0 / size_E)[cluster_N][order_N]
    at_least = np.append(np.cumsum(share_N[::-1])[::-1], 0.0)
    position_MK = np.searchsorted(score_N[order_N], score_MK, side="left")
    return (1.0 + at_least[position_MK]) / (n_clusters + 1.0)


def prediction_sets(p_MK: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Return which classes are not refused at a level, bool ``[M, K]``."""
    return p_MK > alpha + _ROUNDING
