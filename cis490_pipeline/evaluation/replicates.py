"""Intervals over episodes of any figure: from its value on resampled episodes.

The same draws as for macro F1 (``bootstrap.weight_chunks``): a caller hands in sums per episode or
takes weights of whole episodes, so no path that resamples windows can exist here either.

Shape suffixes: E episodes, X sums, B resamples.

Not here: macro F1 and its contrasts (``bootstrap``), the figures (``detection``, ``ranking`` …).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    bca_ends,
    expanded_level,
    few_episodes,
    percentile_ends,
    weight_chunks,
)
from cis490_pipeline.evaluation.interval import PERCENTILE, Interval, SampleSize, without_interval
from cis490_pipeline.evaluation.variance import disagreement_of
from cis490_pipeline.metrics.rates import binomial_ends, rule_of_three

RULE_OF_THREE: Final = "rule of three over episodes, 95 %, one-sided"
EXACT: Final = "exact, binomial over episodes"
FEW_EVENTS: Final = 5
"""Below, resampling what happened so seldom says too little about how often it may."""
_LEAST_KEPT: Final = 0.5
"""Share of resamples on which a figure must be defined; below it no interval is given."""
_SAME: Final = "no resample differs: an interval of no width knows nothing of what was not seen"
_MOST_LEFT_OUT: Final = 2000
"""Episodes up to which each is left out in turn where that takes weights of every pair."""
TOO_MANY: Final = "too many episodes to leave out each in turn"

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Sums ``[.., X]`` to a figure ``[..]``, NaN where it is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replicates:
    """A figure on all episodes, on resampled ones, and without each in turn.

    Attributes
    ----------
    point
        NaN where it is undefined.
    value_B
        NaN where it is undefined on a resample; infinite is a value.
    jackknife_E
        None where ``no_jackknife`` says why.
    independent
        Variance of the figure if windows were independent; None where there is no formula.
    """

    point: float
    value_B: NDArray[np.float64]
    jackknife_E: NDArray[np.float64] | None
    independent: float | None = None
    no_jackknife: str = TOO_MANY


def leave_one_out(n_episodes: int) -> NDArray[np.float64] | None:
    """Return weights without each episode in turn, ``[E, E]``; None where that were too many."""
    if n_episodes > _MOST_LEFT_OUT:
        return None
    return 1.0 - np.eye(n_episodes)


def episode_weights(n_episodes: int, config: BootstrapConfig) -> Iterator[NDArray[np.float64]]:
    """Yield how often each episode is drawn, ``[<= chunk, E]``; no draw is thrown away."""
    anything_E1 = np.ones((n_episodes, 1), dtype=np.bool_)
    return (weights_BE for weights_BE, _ in weight_chunks(anything_E1, config))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResampledSums:
    """Sums over all episodes ``[X]``, over resampled ones and without each in turn."""

    total_X: NDArray[np.float64]
    drawn_BX: NDArray[np.float64]
    without_EX: NDArray[np.float64]

    def replicates(self, statistic: Statistic, *, independent: float | None = None) -> Replicates:
        """Return the replicates of a figure that is a function of the sums."""
        return Replicates(
            point=float(statistic(self.total_X)),
            value_B=statistic(self.drawn_BX),
            jackknife_E=statistic(self.without_EX),
            independent=independent,
        )


def resample_sums(sums_EX: NDArray[np.float64], config: BootstrapConfig) -> ResampledSums:
    """Draw episodes with replacement and add up what each has; there must be an episode."""
    total_X = sums_EX.sum(axis=0)
    chunks = [weights_BE @ sums_EX for weights_BE in episode_weights(len(sums_EX), config)]
    return ResampledSums(
        total_X=total_X, drawn_BX=np.concatenate(chunks), without_EX=total_X - sums_EX
    )


def ratio(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first of two sums over the second; NaN where that is 0.

    >>> ratio(np.array([1.0, 4.0])).item()
    0.25
    """
    below = sums_X[..., 1]
    return np.divide(sums_X[..., 0], below, out=np.full(below.shape, np.nan), where=below != 0)


def interval_of(
    found: Replicates,
    *,
    config: BootstrapConfig,
    size: SampleSize,
    undefined: str,
    caution: str | None = None,
) -> Interval:
    """Return the figure with its percentile and BCa intervals over episodes.

    Resamples that leave it undefined are dropped, and ``degenerate_share`` says how many.

    Parameters
    ----------
    undefined
        Why the figure has no value, where it has none.
    """
    if not np.isfinite(found.point):
        return without_interval(undefined, size=size, level=config.level)
    known_B = found.value_B[~np.isnan(found.value_B)]
    reason = _refusal(known_B.size, found.value_B.size, size)
    if reason is not None:
        return without_interval(reason, size=size, level=config.level, point=found.point)
    level = expanded_level(config.level, size.n_episodes)
    low, high = _ends(known_B, level)
    ends_finite = bool(np.isfinite([low, high]).all())
    bca, fallback = _bca(found, known_B, level)
    robust = _robust_variance(found.jackknife_E)
    checked = Interval(
        point=found.point,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        level=config.level,
        reason=None if ends_finite else "an end of the interval lies beyond what was watched",
        caution=caution or (_SAME if low == high else few_episodes(size.n_episodes)),
        n_resamples=known_B.size,
        n_redrawn=0,
        degenerate_share=1.0 - known_B.size / found.value_B.size,
        bca_low=None if bca is None else bca[0],
        bca_high=None if bca is None else bca[1],
        bca_fallback=fallback,
        standard_error=None if robust is None else float(np.sqrt(robust)),
        design_effect=robust / found.independent if robust and found.independent else None,
        method=PERCENTILE,
        n_hosts=size.n_hosts,
        n_samples=size.n_samples,
        n_episodes=size.n_episodes,
        n_windows=size.n_windows,
        condition=size.condition,
    )
    return replace(checked, disagreement=disagreement_of(checked, level, "jackknife"))


def bounded(
    point: float,
    ends: tuple[float, float],
    *,
    size: SampleSize,
    method: str = RULE_OF_THREE,
    caution: str | None = None,
    level: float = 0.95,
) -> Interval:
    """Return a figure with ends that no resample gave: too few things happened for that."""
    return Interval(
        point=point,
        low=ends[0],
        high=ends[1],
        level=level,
        method=method,
        caution=caution,
        n_hosts=size.n_hosts,
        n_samples=size.n_samples,
        n_episodes=size.n_episodes,
        n_windows=size.n_windows,
        condition=size.condition,
    )


def share_interval(
    hit_E: NDArray[np.bool_], *, config: BootstrapConfig, size: SampleSize, undefined: str
) -> Interval:
    """Return the share of episodes in which something happened.

    Where it happened in none or in all of them every resample is the same, and an interval of no
    width would claim to know the share; then the rule of three bounds it from the other side. Of
    one in 64 the percentile interval would end where the bound of none does: where it happened in
    fewer than 5, or did not in fewer than 5, the interval is exact.
    """
    if hit_E.size == 0:
        return without_interval(undefined, size=size, level=config.level)
    bound = rule_of_three(hit_E.size)
    if not hit_E.any():
        return bounded(0.0, (0.0, bound), size=size)
    if hit_E.all():
        return bounded(1.0, (1.0 - bound, 1.0), size=size)
    n_hits, n = int(hit_E.sum()), hit_E.size
    if min(n_hits, n - n_hits) < FEW_EVENTS:
        ends = binomial_ends(n_hits, n, config.level)
        return bounded(n_hits / n, ends, size=size, method=EXACT, level=config.level)
    sums_E2 = np.stack([hit_E, np.ones_like(hit_E)], axis=1).astype(np.float64)
    found = resample_sums(sums_E2, config).replicates(ratio)
    return interval_of(found, config=config, size=size, undefined=undefined)


def _refusal(n_known: int, n_drawn: int, size: SampleSize) -> str | None:
    if size.n_episodes < 2:
        return "fewer than 2 episodes: nothing to resample"
    if n_known < _LEAST_KEPT * n_drawn:
        return f"{n_drawn - n_known} of {n_drawn} resamples leave it undefined"
    return None


def _ends(known_B: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the percentile ends; of infinite values none is interpolated."""
    if np.isfinite(known_B).all():
        return percentile_ends(known_B, level)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(known_B, [tail, 1.0 - tail], method="inverted_cdf")
    return float(low), float(high)


def _bca(
    found: Replicates, known_B: NDArray[np.float64], level: float
) -> tuple[tuple[float, float] | None, str | None]:
    if found.jackknife_E is None:
        return None, found.no_jackknife
    if not np.isfinite(found.jackknife_E).all():
        return None, "undefined without one of the episodes"
    if not np.isfinite(known_B).all():
        return None, "infinite on some resamples"
    return bca_ends(found.point, known_B, found.jackknife_E, level)


def _robust_variance(jackknife_E: NDArray[np.float64] | None) -> float | None:
    """Return the jackknife variance over episodes; None where it is undefined."""
    if jackknife_E is None or not np.isfinite(jackknife_E).all():
        return None
    n_episodes = jackknife_E.size
    spread = float(((jackknife_E - jackknife_E.mean()) ** 2).sum())
    return spread * (n_episodes - 1) / n_episodes
