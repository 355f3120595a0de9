"""Conformal rejection per episode: sets of phases, and where the model had better abstain.

Calibrated on id_val. Every figure is a mean over episodes of shares of their windows: that is what
the coverage guarantee speaks of, and an episode of many windows counts no more than another.

The guarantee needs test episodes that are exchangeable with those of id_val. On a host that was
never seen they are not; there coverage is measured, not guaranteed, and the result says so.

Shape suffixes: N windows, K classes, E episodes.

Not here: the p-values (``metrics.conformal``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.interval import Interval, SampleSize, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import interval_of, ratio, resample_sums, share_interval
from cis490_pipeline.metrics.conformal import (
    episode_p_values,
    least_episodes,
    nonconformity,
    prediction_sets,
)
from cis490_pipeline.schema.phases import PHASES

ALPHAS: Final = (0.2, 0.1, 0.05)
"""Refusal rates that are reported; declared, not chosen by a result."""
UNSEEN_HOST: Final = (
    "exchangeability does not hold on an unseen host: coverage is measured, not guaranteed"
)
SAME_HOSTS: Final = (
    "coverage is guaranteed as far as test episodes are exchangeable with those of id_val, which "
    "also stopped the training and set the temperature"
)
NO_ID_VAL: Final = "there are no labelled predictions on id_val to calibrate on"
NO_TEST: Final = "the test set has no labelled window"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionSlice:
    """One phase or one host of a level; the figures are untested where it has no window."""

    name: str
    coverage: Interval
    abstained: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionLevel:
    """Sets of one refusal rate ``alpha``; ``reason`` says why it has no figures.

    Attributes
    ----------
    coverage
        Share of windows whose set holds the truth; at least ``1 - alpha`` where it is guaranteed.
    set_size
        Mean number of phases in a set.
    abstained
        Share of windows whose set is not one phase alone.
    empty
        Share of windows whose set is empty: strange to the model, whatever the phase.
    kept_error
        Share of the other windows, those with one phase, where that phase is wrong.
    episodes_abstained
        Share of episodes with more than half of their windows abstained.
    """

    alpha: float
    needs_episodes: int
    reason: str | None
    coverage: Interval | None = None
    set_size: Interval | None = None
    abstained: Interval | None = None
    empty: Interval | None = None
    kept_error: Interval | None = None
    episodes_abstained: Interval | None = None
    phases: tuple[RejectionSlice, ...] = ()
    hosts: tuple[RejectionSlice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """What conformal sets of one bundle do on its test set, and on what they are calibrated."""

    n_calibration_episodes: int
    n_calibration_windows: int
    calibration_hosts: tuple[str, ...]
    guarantee: str
    levels: tuple[RejectionLevel, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """The test windows with their sets, and how an interval is made of them."""

    found: Predictions
    sets_NK: NDArray[np.bool_]
    config: BootstrapConfig

    def holds_truth(self) -> NDArray[np.bool_]:
        """Return whether each window's set holds its true phase, ``[N]``."""
        return self.sets_NK[np.arange(self.found.y_true_N.size), self.found.y_true_N]

    def mean(
        self, value_N: NDArray[np.generic], kept_N: NDArray[np.bool_], undefined: str
    ) -> Interval:
        """Return the mean over episodes of the mean over their kept windows."""
        cluster_N, n_episodes = self.found.cluster_N, len(self.found.episodes)
        size_E = np.bincount(cluster_N[kept_N], minlength=n_episodes)
        total_E = np.bincount(cluster_N, weights=np.where(kept_N, value_N, 0), minlength=n_episodes)
        has_E = size_E > 0
        mean_E = total_E[has_E] / size_E[has_E]
        sums_E2 = np.stack([mean_E, np.ones_like(mean_E)], axis=1)
        return self.interval(sums_E2, self.size(kept_N), undefined)

    def size(self, kept_N: NDArray[np.bool_]) -> SampleSize:
        has_E = np.bincount(self.found.cluster_N[kept_N], minlength=len(self.found.episodes)) > 0
        of_episodes = self.found.size(has_E)
        return SampleSize(
            n_hosts=of_episodes.n_hosts,
            n_samples=of_episodes.n_samples,
            n_episodes=of_episodes.n_episodes,
            n_windows=int(kept_N.sum()),
            condition=of_episodes.condition,
        )

    def interval(self, sums_E2: NDArray[np.float64], size: SampleSize, undefined: str) -> Interval:
        if sums_E2.shape[0] == 0:
            return without_interval(undefined, size=size, level=self.config.level)
        replicates = resample_sums(sums_E2, self.config).replicates(ratio)
        return interval_of(replicates, config=self.config, size=size, undefined=undefined)


def rejection_of(
    found: Predictions,
    id_val: Predictions | None,
    *,
    train_hosts: Sequence[str],
    config: BootstrapConfig,
    alphas: Sequence[float] = ALPHAS,
) -> Rejection:
    """Calibrate on id_val and count on the test set.

    Parameters
    ----------
    id_val
        Predictions of the same bundle on id_val; None where there are none.
    train_hosts
        A test host that is not among them was never seen.
    """
    n_episodes = 0 if id_val is None else len(id_val.episodes)
    levels = tuple(_level(found, id_val, alpha, n_episodes, config) for alpha in alphas)
    hosts = [] if id_val is None else [episode.host_id for episode in id_val.episodes]
    unseen = {episode.host_id for episode in found.episodes} - set(train_hosts)
    return Rejection(
        n_calibration_episodes=n_episodes,
        n_calibration_windows=0 if id_val is None else id_val.y_true_N.size,
        calibration_hosts=tuple(sorted(set(hosts))),
        guarantee=UNSEEN_HOST if unseen else SAME_HOSTS,
        levels=levels,
    )


def _level(
    found: Predictions,
    id_val: Predictions | None,
    alpha: float,
    n_episodes: int,
    config: BootstrapConfig,
) -> RejectionLevel:
    needs = least_episodes(alpha)
    reason = _refusal(found, n_episodes, needs, alpha)
    if reason is not None or id_val is None:
        return RejectionLevel(alpha=alpha, needs_episodes=needs, reason=reason or NO_ID_VAL)
    true_N = np.arange(id_val.y_true_N.size), id_val.y_true_N
    p_NK = episode_p_values(
        nonconformity(id_val.proba_NK)[true_N],
        id_val.cluster_N,
        n_episodes,
        nonconformity(found.proba_NK),
    )
    judged = _Judged(found=found, sets_NK=prediction_sets(p_NK, alpha), config=config)
    return _figures(judged, alpha, needs)


def _refusal(found: Predictions, n_episodes: int, needs: int, alpha: float) -> str | None:
    if n_episodes == 0:
        return NO_ID_VAL
    if n_episodes < needs:
        return f"id_val has {n_episodes} episodes: alpha {alpha:g} takes at least {needs}"
    return None if found.episodes else NO_TEST


def _figures(judged: _Judged, alpha: float, needs: int) -> RejectionLevel:
    found, size_N = judged.found, judged.sets_NK.sum(axis=1)
    single_N = size_N == 1
    all_N = np.ones_like(single_N)
    return RejectionLevel(
        alpha=alpha,
        needs_episodes=needs,
        reason=None,
        coverage=judged.mean(judged.holds_truth(), all_N, NO_TEST),
        set_size=judged.mean(size_N, all_N, NO_TEST),
        abstained=judged.mean(~single_N, all_N, NO_TEST),
        empty=judged.mean(size_N == 0, all_N, NO_TEST),
        kept_error=judged.mean(~judged.holds_truth(), single_N, "no set holds one phase alone"),
        episodes_abstained=_episodes_abstained(judged, single_N),
        phases=_slices(judged, single_N, [phase.value for phase in PHASES], _in_phase),
        hosts=_slices(judged, single_N, sorted({e.host_id for e in found.episodes}), _on_host),
    )


def _episodes_abstained(judged: _Judged, single_N: NDArray[np.bool_]) -> Interval:
    found = judged.found
    size_E = np.bincount(found.cluster_N)
    abstained_E = np.bincount(found.cluster_N, weights=~single_N) * 2 > size_E
    return share_interval(abstained_E, config=judged.config, size=found.size(), undefined=NO_TEST)


def _in_phase(found: Predictions, name: str) -> NDArray[np.bool_]:
    return found.y_true_N == [phase.value for phase in PHASES].index(name)


def _on_host(found: Predictions, name: str) -> NDArray[np.bool_]:
    on_host_E = np.array([episode.host_id == name for episode in found.episodes])
    return on_host_E[found.cluster_N]


def _slices(
    judged: _Judged,
    single_N: NDArray[np.bool_],
    names: Sequence[str],
    windows_of: Callable[[Predictions, str], NDArray[np.bool_]],
) -> tuple[RejectionSlice, ...]:
    truth_N = judged.holds_truth()
    slices: list[RejectionSlice] = []
    for name in names:
        kept_N = windows_of(judged.found, name)
        undefined = f"no window of {name} in the test set"
        slices.append(
            RejectionSlice(
                name=name,
                coverage=judged.mean(truth_N, kept_N, undefined),
                abstained=judged.mean(~single_N, kept_N, undefined),
            )
        )
    return tuple(slices)
