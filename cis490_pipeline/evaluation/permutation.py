"""Paired permutation test over episodes, and Holm's correction for many of them.

Under the null hypothesis the two models are exchangeable *within an episode*: its windows are not
independent, so all of them are swapped together or not at all.

Shape suffixes: E episodes, K classes, P permutations.

Not here: which pairs are tested (``comparison``).
References: Good 2005 (permutation tests); Holm 1979; Phipson and Smyth 2010 (p is never 0).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.metrics.f1 import macro_f1_stack, supported_classes

_CHUNK_CELLS: Final = 2_000_000
_TOLERANCE: Final = 1e-12
"""Differences that are equal but for rounding count as equal, hence against the hypothesis."""


def paired_permutation_p(
    first_EKK: NDArray[np.int64], second_EKK: NDArray[np.int64], config: BootstrapConfig
) -> float | None:
    """Return the two-sided p of the difference of macro F1 between two models.

    Every assignment is tried where there are no more of them than ``n_resamples``; otherwise that
    many are drawn and the observed one is counted in, so that p is never 0.

    Returns
    -------
    None for fewer than two episodes. 1 for a model against itself.
    """
    n_episodes = first_EKK.shape[0]
    if n_episodes < 2:
        return None
    exact = 2**n_episodes <= config.n_resamples
    observed = _differences(np.ones((1, n_episodes)), first_EKK, second_EKK)[0]
    extreme = 0
    n_tried = 2**n_episodes if exact else config.n_resamples
    # A key of its own: the permutations must not be the bootstrap's draws in another guise.
    rng = np.random.default_rng([config.seed, 1])
    chunk = max(1, _CHUNK_CELLS // n_episodes)
    for start in range(0, n_tried, chunk):
        stop = min(start + chunk, n_tried)
        kept_PE = (
            (np.arange(start, stop)[:, None] >> np.arange(n_episodes)) & 1
            if exact
            else rng.integers(0, 2, size=(stop - start, n_episodes))
        )
        difference_P = _differences(kept_PE.astype(np.float64), first_EKK, second_EKK)
        extreme += int((np.abs(difference_P) >= abs(observed) - _TOLERANCE).sum())
    return extreme / n_tried if exact else (extreme + 1) / (n_tried + 1)


def _differences(
    kept_PE: NDArray[np.float64], first_EKK: NDArray[np.int64], second_EKK: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return first minus second, where episodes with weight 0 have changed sides, ``[P]``."""
    shape_KK = first_EKK.shape[1:]
    classes_K = supported_classes(first_EKK.sum(axis=0))
    gain_EX = (first_EKK - second_EKK).reshape(first_EKK.shape[0], -1).astype(np.float64)
    first_PKK = (kept_PE @ gain_EX).reshape(-1, *shape_KK) + second_EKK.sum(axis=0)
    second_PKK = (first_EKK + second_EKK).sum(axis=0) - first_PKK
    return macro_f1_stack(first_PKK, classes_K) - macro_f1_stack(second_PKK, classes_K)


def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Return Holm's adjusted p-values, in the order given.

    >>> holm((0.01, 0.04, 0.03))
    (0.03, 0.06, 0.06)
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = running
    return tuple(adjusted)
