"""The row about the clustered bootstrap of macro F1.

The candidate is the whole of it, from windows to interval (percentile and BCa); the reference is a
loop that draws episodes, puts their windows together and calls scikit-learn.
"""

from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval, SampleSize
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError, Line, at_least, paired
from cis490_pipeline_tests.benchmarks.clocks import alternately
from cis490_pipeline_tests.benchmarks.stores import Stores

_EPISODES: Final = 1_000
_WINDOWS: Final = 50
_RESAMPLES: Final = 2_000
_HIT_RATE: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """Truth, prediction and episode of each window, episode after episode."""

    y_N: NDArray[np.int64]
    predicted_N: NDArray[np.int64]
    cluster_N: NDArray[np.int64]


def made_up() -> Predictions:
    """Episodes that pass through the phases in order, predicted right more often than not."""
    rng = np.random.default_rng(0)
    y_EW = np.sort(rng.integers(N_PHASES, size=(_EPISODES, _WINDOWS)), axis=1)
    wrong_EW = rng.integers(N_PHASES, size=y_EW.shape)
    predicted_EW = np.where(rng.random(y_EW.shape) < _HIT_RATE, y_EW, wrong_EW)
    return Predictions(
        y_N=y_EW.ravel(),
        predicted_N=predicted_EW.ravel(),
        cluster_N=np.repeat(np.arange(_EPISODES), _WINDOWS),
    )


def ours(made: Predictions) -> Interval:
    confusions_EKK = cluster_confusions(
        made.y_N, made.predicted_N, made.cluster_N, _EPISODES, N_PHASES
    )
    size = SampleSize(
        n_hosts=1, n_samples=1, n_episodes=_EPISODES, n_windows=len(made.y_N), condition=""
    )
    return macro_f1_interval(
        confusions_EKK, config=BootstrapConfig(n_resamples=_RESAMPLES), size=size
    )


def looped(made: Predictions, n_resamples: int) -> list[float]:
    """Macro F1 of resampled episodes, one call of scikit-learn each."""
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    rows_of = np.arange(len(made.y_N)).reshape(_EPISODES, _WINDOWS)
    values: list[float] = []
    for _ in range(n_resamples):
        rows = rows_of[rng.integers(_EPISODES, size=_EPISODES)].ravel()
        values.append(float(f1_score(made.y_N[rows], made.predicted_N[rows], average="macro")))
    return values


def bootstrap(stores: Stores) -> tuple[Line, ...]:
    """2,000 resamples of 1,000 episodes, times faster than the loop."""
    made, n_slow = made_up(), stores.scale.resamples
    _require_agreement(made)
    ours_s, slow_s = alternately(
        lambda: ours(made), lambda: looped(made, n_slow), 2 * stores.scale.repetitions
    )
    scaled_s = [seconds * _RESAMPLES / n_slow for seconds in slow_s]
    line = Line(
        what="2,000-resample clustered bootstrap of macro F1, 1,000 episodes, times faster",
        reference="loop of sklearn.f1_score over resampled episodes",
        unit="×",
        samples=paired(scaled_s, ours_s),
        budget=at_least(80.0),
        absolute={
            "candidate_cpu_ms": 1e3 * median(ours_s),
            "reference_cpu_ms": 1e3 * median(scaled_s),
        },
        notes=(
            f"the loop ran {n_slow} resamples at a time, scaled to {_RESAMPLES:,}",
            "the candidate includes counting confusions and the BCa jackknife",
        ),
    )
    return (line,)


def _require_agreement(made: Predictions) -> None:
    """Both resample the same statistic: the interval holds most of the loop's values."""
    interval = ours(made)
    if interval.low is None or interval.high is None:
        raise BenchmarkError(f"no interval: {interval.reason}")
    values = looped(made, 10)
    width = interval.high - interval.low
    if not all(interval.low - width < value < interval.high + width for value in values):
        raise BenchmarkError("the loop's macro F1 lies outside of the interval")
