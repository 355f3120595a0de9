"""The grammar of phases: what an episode begins with, and what can follow what.

Shape suffixes: N cases, K classes.

Counted on training episodes at the stride of the windows, and smoothed: a transition that none of
them shows is rare and not impossible.

Not here: using it as evidence (``edge.phase_filter``), as a model (``grammar_only``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.probabilities import normalised_rows
from cis490_pipeline.models.filtering import windows_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grammar:
    """Probabilities of the first window's phase ``[K]``, and of the next from each ``[K, K]``."""

    initial_K: NDArray[np.float64]
    transitions_KK: NDArray[np.float64]


def grammar_of(cases: Cases, pseudo_count: float) -> Grammar:
    """Count the phases of first windows and of neighbours.

    Parameters
    ----------
    cases
        Of the train slice, in any order.
    pseudo_count
        Cases that every first phase and every transition gets beforehand (Laplace).

    Notes
    -----
    Windows on the two sides of a gap are no neighbours. An episode whose first row is not window 0
    says nothing about how episodes begin.
    """
    n_classes = cases.n_classes
    window_N = windows_of(cases)
    order_N = np.lexsort((window_N, cases.cluster_N))
    y_N, window_N, cluster_N = cases.y_N[order_N], window_N[order_N], cases.cluster_N[order_N]
    next_N = (np.diff(cluster_N) == 0) & (np.diff(window_N) == 1)
    pairs_P = y_N[:-1][next_N] * n_classes + y_N[1:][next_N]
    first_K = class_mix(y_N[window_N == 0], n_classes, pseudo_count)
    transitions_P = class_counts(pairs_P, n_classes**2, pseudo_count)
    return Grammar(
        initial_K=first_K,
        transitions_KK=normalised_rows(transitions_P.reshape(n_classes, n_classes)),
    )


def class_counts(
    y_N: NDArray[np.int64], n_classes: int, pseudo_count: float
) -> NDArray[np.float64]:
    """Return how often each class occurs, plus so many cases that were not seen, ``[K]``."""
    return np.bincount(y_N, minlength=n_classes).astype(np.float64) + pseudo_count


def class_mix(y_N: NDArray[np.int64], n_classes: int, pseudo_count: float) -> NDArray[np.float64]:
    """Return the smoothed share of each class, ``[K]``.

    >>> class_mix(np.array([0, 0, 1]), 3, 1.0).round(3).tolist()
    [0.5, 0.333, 0.167]
    """
    return normalised_rows(class_counts(y_N, n_classes, pseudo_count)[np.newaxis])[0]
