"""Confusion matrices: counts of truth (rows) against prediction (columns).

Shape suffixes: N cases, K classes, E clusters (episodes).

Not here: what is computed from the counts (``f1``), resampling (``evaluation.bootstrap``).
"""

import numpy as np
from numpy.typing import NDArray


def _require_codes(codes_N: NDArray[np.integer], name: str, n_codes: int) -> None:
    """Refuse codes outside ``0 … n_codes - 1``: they would be counted in a foreign cell."""
    if codes_N.ndim != 1:
        raise ValueError(f"{name} must have one axis, it has shape {codes_N.shape}")
    if codes_N.size and (codes_N.min() < 0 or codes_N.max() >= n_codes):
        raise ValueError(
            f"{name} must lie in 0..{n_codes - 1}, found {codes_N.min()}..{codes_N.max()}"
        )


def cluster_confusions(
    y_true_N: NDArray[np.integer],
    y_pred_N: NDArray[np.integer],
    cluster_N: NDArray[np.integer],
    n_clusters: int,
    n_classes: int,
) -> NDArray[np.int64]:
    """Count one confusion matrix per cluster.

    Parameters
    ----------
    y_true_N, y_pred_N
        Class index of each case, ``0 … n_classes - 1``.
    cluster_N
        Index of the cluster (episode) of each case, ``0 … n_clusters - 1``.

    Returns
    -------
    int64 ``[E, K, K]``; rows are the truth. A cluster without cases has zeros.

    Raises
    ------
    ValueError
        Where lengths differ or a code lies outside its range.

    Notes
    -----
    One ``bincount`` over combined indices: an order of magnitude faster than ``np.add.at``.
    """
    if not y_true_N.shape == y_pred_N.shape == cluster_N.shape:
        shapes = (y_true_N.shape, y_pred_N.shape, cluster_N.shape)
        raise ValueError(f"truth, prediction and cluster must have one length, found {shapes}")
    _require_codes(y_true_N, "y_true_N", n_classes)
    _require_codes(y_pred_N, "y_pred_N", n_classes)
    _require_codes(cluster_N, "cluster_N", n_clusters)
    row_N = cluster_N.astype(np.int64) * n_classes + y_true_N
    flat = np.bincount(row_N * n_classes + y_pred_N, minlength=n_clusters * n_classes**2)
    return flat.astype(np.int64, copy=False).reshape(n_clusters, n_classes, n_classes)


def confusion(
    y_true_N: NDArray[np.integer], y_pred_N: NDArray[np.integer], n_classes: int
) -> NDArray[np.int64]:
    """Count one confusion matrix, int64 ``[K, K]``; rows are the truth.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    one_cluster_N = np.zeros(y_true_N.shape, dtype=np.int64)
    return cluster_confusions(y_true_N, y_pred_N, one_cluster_N, 1, n_classes)[0]
