"""Configurations over their seeds: macro F1 with training randomness as a second random factor.

A configuration is (family, mode, context); its seeds are trainings that could as well have come out
otherwise. Each resample draws episodes *and* seeds with replacement, so the interval answers "what
if we trained again", not only "what if we had recorded other episodes". Seeds are few: the spread
of resampled seeds, too small by (S - 1) / S, is stretched to what it estimates.

Shape suffixes: E episodes, S seeds, B resamples, K classes, G configurations of a contrast.

Not here: intervals of one trained model (``bootstrap``), which configurations meet (``pairs``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    expanded_level,
    few_episodes,
    percentile_interval,
    resample,
)
from cis490_pipeline.evaluation.interval import Interval, SampleSize, without_interval
from cis490_pipeline.evaluation.variance import linearised_variances, with_sandwich
from cis490_pipeline.metrics.f1 import macro_f1_stack, supported_classes
from cis490_pipeline.schema.channels import Mode

METHOD: Final = "bootstrap of episodes and seeds, expanded percentile"
_FEW_SEEDS: Final = 3
_NO_JACKKNIFE: Final = "episodes and seeds are resampled: no jackknife leaves out one of either"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSummary:
    """One configuration over its seeds; ``macro_f1.point`` is the mean over seeds."""

    family: str
    mode: Mode
    context: str
    seeds: tuple[int, ...]
    macro_f1: Interval
    lowest: float | None
    highest: float | None


def seeds_interval(
    confusions_GESKK: Sequence[NDArray[np.int64]],
    *,
    signs_G: Sequence[float] = (1.0,),
    config: BootstrapConfig,
    size: SampleSize,
) -> Interval:
    """Return a signed sum of configurations' mean macro F1, with an interval over both factors.

    Parameters
    ----------
    confusions_GESKK
        For each configuration one matrix per episode and seed; all share the truth. The number of
        seeds may differ; where it is 1, that configuration is taken as it is.
    signs_G
        (1,) for one configuration, (1, -1) for a difference.

    Returns
    -------
    Without interval where there are fewer than two episodes, or no configuration has two seeds.
    """
    n_seeds_G = [one.shape[1] for one in confusions_GESKK]
    confusions_EMKK = np.concatenate(confusions_GESKK, axis=1)
    classes_K = supported_classes(confusions_EMKK[:, 0].sum(axis=0))
    if not classes_K.any():
        return without_interval("no windows", size=size, level=config.level)
    weights_M = tuple(
        sign / n for sign, n in zip(signs_G, n_seeds_G, strict=True) for _ in range(n)
    )
    contrast = Contrast(weights_M=weights_M, classes_K=classes_K)
    point = float(contrast.values(confusions_EMKK.sum(axis=0)))
    if confusions_EMKK.shape[0] < 2 or max(n_seeds_G) < 2:
        reason = "fewer than 2 episodes or 2 seeds: nothing to resample"
        return without_interval(reason, size=size, level=config.level, point=point)
    drawn = resample(confusions_EMKK, config)
    value_BM = macro_f1_stack(drawn.confusions_BMKK, classes_K)
    interval = percentile_interval(
        point,
        _over_seeds(value_BM, n_seeds_G, signs_G, config),
        drawn,
        config=config,
        size=size,
        method=METHOD,
        caution=_caution(n_seeds_G, size),
    )
    if interval.low is None:
        return interval
    macro_M = macro_f1_stack(confusions_EMKK.sum(axis=0), classes_K)
    robust, _ = linearised_variances(confusions_EMKK, classes_K, weights_M)
    return with_sandwich(
        replace(interval, bca_fallback=_NO_JACKKNIFE),
        float(np.sqrt(robust + _seed_variance(macro_M, n_seeds_G))),
        level=expanded_level(config.level, size.n_episodes),
    )


def _over_seeds(
    value_BM: NDArray[np.float64],
    n_seeds_G: Sequence[int],
    signs_G: Sequence[float],
    config: BootstrapConfig,
) -> NDArray[np.float64]:
    """Draw seeds of each configuration in each resample, ``[B]``.

    The stretched spread may lead beyond what macro F1, or a difference of two, can be: cut there.
    """
    rng = np.random.default_rng([config.seed, 2])
    total_B = np.zeros(value_BM.shape[0])
    parts = np.split(value_BM, np.cumsum(n_seeds_G)[:-1], axis=1)
    for value_BS, sign in zip(parts, signs_G, strict=True):
        n_seeds = value_BS.shape[1]
        mean_B = value_BS.mean(axis=1)
        if n_seeds > 1:
            seed_BS = rng.integers(0, n_seeds, size=value_BS.shape)
            drawn_B = np.take_along_axis(value_BS, seed_BS, axis=1).mean(axis=1)
            mean_B = mean_B + np.sqrt(n_seeds / (n_seeds - 1)) * (drawn_B - mean_B)
        total_B += sign * mean_B
    lowest, highest = (sum(f(sign, 0.0) for sign in signs_G) for f in (min, max))
    return np.clip(total_B, lowest, highest)


def _seed_variance(macro_M: NDArray[np.float64], n_seeds_G: Sequence[int]) -> float:
    parts = np.split(macro_M, np.cumsum(n_seeds_G)[:-1])
    return sum(float(one.var(ddof=1)) / one.size for one in parts if one.size > 1)


def _caution(n_seeds_G: Sequence[int], size: SampleSize) -> str | None:
    fewest = min(n for n in n_seeds_G if n > 1)
    if fewest < _FEW_SEEDS:
        return f"{fewest} seeds say little about training randomness"
    return few_episodes(size.n_episodes)
