"""Accuracy and calibration with intervals over episodes, and the bins of a reliability diagram.

Shape suffixes: N windows, E episodes, X sums, J bins of the predicted phase's probability.

Not here: the definitions (``metrics.calibration``), fitting a temperature (``training``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    expanded_level,
    few_episodes,
    percentile_ends,
)
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import (
    ResampledSums,
    interval_of,
    ratio,
    resample_sums,
)
from cis490_pipeline.metrics.calibration import (
    N_BINS,
    confidence_bins,
    log_losses,
    squared_distances,
)

_NO_WINDOWS: Final = "the test set has no labelled window"
_BIASED: Final = (
    "the noise of every bin counts as error, and resampling adds to it: point and interval lie too "
    "high"
)
_CORRECT, _SQUARED, _LOG, _COUNT = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Windows whose predicted phase has a probability from ``low`` up to ``high``.

    ``accuracy`` should be ``mean_probability``; both are None where the bin is empty. The ends of
    the accuracy are percentile ends over episodes.
    """

    low: float
    high: float
    n_windows: int
    n_episodes: int
    mean_probability: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationScores:
    """How often the predicted phase is right, and how far its probability can be believed."""

    accuracy: Interval
    brier: Interval
    log_loss: Interval
    ece: Interval
    bins: tuple[ReliabilityBin, ...]


def calibration_scores(found: Predictions, config: BootstrapConfig) -> CalibrationScores:
    """Return the figures; null with a reason where no window is labelled."""
    size = found.size()
    if not found.episodes:
        nothing = without_interval(_NO_WINDOWS, size=size, level=config.level)
        return CalibrationScores(
            accuracy=nothing, brier=nothing, log_loss=nothing, ece=nothing, bins=()
        )
    value_NX, bin_N, confidence_N = _values(found)
    counts_EJ = _by_bin(found, bin_N, np.ones(bin_N.size))
    correct_EJ = _by_bin(found, bin_N, value_NX[:, _CORRECT])
    belief_EJ = _by_bin(found, bin_N, confidence_N)
    by_episode = [np.bincount(found.cluster_N, weights=column) for column in value_NX.T]
    sums_EX = np.stack(by_episode, axis=1).astype(np.float64, copy=False)
    drawn = resample_sums(
        np.concatenate([sums_EX, counts_EJ, correct_EJ, belief_EJ], axis=1), config
    )

    def mean_of(column: int) -> Interval:
        replicates = drawn.replicates(
            lambda sums_X: ratio(sums_X[..., [column, _COUNT]]),
            independent=float(value_NX[:, column].var() / len(value_NX)),
        )
        return interval_of(replicates, config=config, size=size, undefined=_NO_WINDOWS)

    few = few_episodes(size.n_episodes)
    return CalibrationScores(
        accuracy=mean_of(_CORRECT),
        brier=mean_of(_SQUARED),
        log_loss=mean_of(_LOG),
        ece=interval_of(
            drawn.replicates(_ece),
            config=config,
            size=size,
            undefined=_NO_WINDOWS,
            caution=f"{_BIASED}; {few}" if few else _BIASED,
        ),
        bins=_bins(drawn, (counts_EJ > 0).sum(axis=0), config),
    )


def _values(
    found: Predictions,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return per window: correct, squared distance, log-loss, 1; its bin; its probability."""
    truth_N, proba_NK = found.y_true_N, found.proba_NK
    confidence_N = proba_NK.max(axis=1)
    value_NX = np.stack(
        [
            (found.predicted() == truth_N).astype(np.float64),
            squared_distances(truth_N, proba_NK),
            log_losses(truth_N, proba_NK),
            np.ones(truth_N.size),
        ],
        axis=1,
    )
    return value_NX, confidence_bins(confidence_N), confidence_N


def _by_bin(
    found: Predictions, bin_N: NDArray[np.int64], value_N: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add values up by episode and bin, ``[E, J]``."""
    n_episodes = len(found.episodes)
    place_N = found.cluster_N * N_BINS + bin_N
    sums = np.bincount(place_N, weights=value_N, minlength=n_episodes * N_BINS)
    return sums.astype(np.float64, copy=False).reshape(n_episodes, N_BINS)


def _split(
    sums_X: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return counts, correct ones and summed probabilities by bin, ``[.., J]`` each."""
    first, second = _COUNT + 1 + N_BINS, _COUNT + 1 + 2 * N_BINS
    return sums_X[..., _COUNT + 1 : first], sums_X[..., first:second], sums_X[..., second:]


def _ece(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
    _, correct_J, belief_J = _split(sums_X)
    off_X = np.abs(correct_J - belief_J).sum(axis=-1)
    return ratio(np.stack([off_X, sums_X[..., _COUNT]], axis=-1))


def _bins(
    drawn: ResampledSums, n_episodes_J: NDArray[np.int64], config: BootstrapConfig
) -> tuple[ReliabilityBin, ...]:
    count_J, correct_J, belief_J = _split(drawn.total_X)
    count_BJ, correct_BJ, _ = _split(drawn.drawn_BX)
    found: list[ReliabilityBin] = []
    for j in range(N_BINS):
        n_windows, known_B = int(count_J[j]), count_BJ[:, j] > 0
        value_B = correct_BJ[known_B, j] / count_BJ[known_B, j]
        told = n_episodes_J[j] > 1
        level = expanded_level(config.level, int(n_episodes_J[j]))
        low, high = percentile_ends(value_B, level) if told else (None, None)
        found.append(
            ReliabilityBin(
                low=j / N_BINS,
                high=(j + 1) / N_BINS,
                n_windows=n_windows,
                n_episodes=int(n_episodes_J[j]),
                mean_probability=float(belief_J[j] / n_windows) if n_windows else None,
                accuracy=float(correct_J[j] / n_windows) if n_windows else None,
                accuracy_low=low,
                accuracy_high=high,
            )
        )
    return tuple(found)
