"""Paired permutation test over episodes, and Holm's correction for many of them.

Under the null hypothesis the two models are exchangeable *within an episode*: its windows are not
independent, so all of them are swapped together or not at all.

Shape suffixes: E episodes, S seeds, K classes, P permutations.

Not here: which pairs are tested (``comparison``).
References: Good 2005 (permutation tests); Holm 1979; Phipson and Smyth 2010 (p is never 0).
"""

from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.metrics.f1 import macro_f1_stack, supported_classes

_CHUNK_CELLS: Final = 2_000_000
_TOLERANCE: Final = 1e-12
"""Differences that are equal but for rounding count as equal, hence against the hypothesis."""


def paired_permutation_p(
    first_ESKK: NDArray[np.int64], second_ESKK: NDArray[np.int64], config: BootstrapConfig
) -> float | None:
    """Return the two-sided p of the difference of macro F1 between two configurations.

    Every assignment is tried where there are no more of them than ``n_resamples``; otherwise that
    many are drawn and the observed one is counted in, so that p is never 0.

    Parameters
    ----------
    first_ESKK, second_ESKK
        One matrix per episode and seed; the statistic is the difference of the means over seeds. An
        episode is swapped in all seeds at once. Where the numbers of seeds differ, each first one
        meets each second one equally often.

    Returns
    -------
    None for fewer than two episodes. 1 for a model against itself.
    """
    n_episodes = first_ESKK.shape[0]
    if n_episodes < 2:
        return None
    first_ESKK, second_ESKK = _matched(first_ESKK, second_ESKK)
    exact = 2**n_episodes <= config.n_resamples
    observed = _differences(np.ones((1, n_episodes)), first_ESKK, second_ESKK)[0]
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
        difference_P = _differences(kept_PE.astype(np.float64), first_ESKK, second_ESKK)
        extreme += int((np.abs(difference_P) >= abs(observed) - _TOLERANCE).sum())
    return extreme / n_tried if exact else (extreme + 1) / (n_tried + 1)


def least_p(
    first_ESKK: NDArray[np.int64], second_ESKK: NDArray[np.int64], config: BootstrapConfig
) -> float:
    """Return the smallest p that the test can give on these episodes, however large the difference.

    To swap an episode of which both say the same changes nothing: of d others there are ``2 ** d``
    assignments, and the observed one and its mirror image are always among the extreme.
    """
    first_ESKK, second_ESKK = _matched(first_ESKK, second_ESKK)
    n_differing = int((first_ESKK != second_ESKK).any(axis=(1, 2, 3)).sum())
    return min(1.0, max(2.0 ** (1 - n_differing), 1.0 / (config.n_resamples + 1)))


def _matched(
    first_ESKK: NDArray[np.int64], second_ESKK: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Repeat seeds until both have as many, each as often as the others of its side."""
    n_first, n_second = first_ESKK.shape[1], second_ESKK.shape[1]
    position_S = np.arange(lcm(n_first, n_second))
    return first_ESKK[:, position_S % n_first], second_ESKK[:, position_S % n_second]


def _differences(
    kept_PE: NDArray[np.float64], first_ESKK: NDArray[np.int64], second_ESKK: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return first minus second, where episodes with weight 0 have changed sides, ``[P]``."""
    n_episodes, *shape_SKK = first_ESKK.shape
    classes_K = supported_classes(first_ESKK[:, 0].sum(axis=0))
    gain_EX = (first_ESKK - second_ESKK).reshape(n_episodes, -1).astype(np.float64)
    first_PSKK = (kept_PE @ gain_EX).reshape(-1, *shape_SKK) + second_ESKK.sum(axis=0)
    second_PSKK = (first_ESKK + second_ESKK).sum(axis=0) - first_PSKK
    difference_PS = macro_f1_stack(first_PSKK, classes_K) - macro_f1_stack(second_PSKK, classes_K)
    return difference_PS.mean(axis=1)


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
