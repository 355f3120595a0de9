"""Risk over coverage of one bundle: whether it knows when it does not know.

Windows are answered in the order of the model's confidence, the probability of the predicted phase
after calibration. An interval at a coverage is that of the risk at the confidence threshold which
answers so many windows of the whole test set: a device has a threshold, not a coverage. The curve
reports; no threshold is chosen by it.

Shape suffixes: N windows, E episodes, K classes, G groups of confidence, X sums.

Not here: definitions (``metrics.selective``), sets of phases (``rejection``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import interval_of, ratio, resample_sums
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.metrics.f1 import macro_f1_stack, supported_classes
from cis490_pipeline.metrics.selective import area_under_risk, confidence_groups, oracle_area
from cis490_pipeline.schema.phases import N_PHASES, PHASES

COVERAGES: Final = tuple(step / 10 for step in range(1, 11))
MOST_GROUPS: Final = 256
"""Distinct confidences that the areas tell apart; joining more moves an area by under 1 / 256."""
_NO_WINDOWS: Final = "the test set has no labelled window"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPoint:
    """The risk of the windows at or above one confidence.

    ``coverage`` is the share of windows answered: at least the one asked for, and more where many
    windows are equally sure. ``macro_risk`` is 1 - macro F1 over the phases of the test set;
    untested where none of the answered windows is of one of them. Both rest on the answered windows
    and on the episodes that have one, which may be few.
    """

    asked: float
    coverage: float
    threshold: float
    error: Interval
    macro_risk: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """The curve and the area under it (AURC), of the share of wrong answers.

    ``excess`` is the area above that of the order which puts every wrong answer last: 0 where
    confidence tells wrong from right perfectly, whatever the accuracy.
    """

    reason: str | None
    aurc: Interval
    excess: Interval
    points: tuple[RiskPoint, ...]


def risk_coverage_of(found: Predictions, config: BootstrapConfig) -> RiskCoverage:
    """Measure one bundle's test predictions; null with the reason where there is no window."""
    size = found.size()
    if not size.n_windows:
        nothing = without_interval(_NO_WINDOWS, size=size, level=config.level)
        return RiskCoverage(reason=_NO_WINDOWS, aurc=nothing, excess=nothing, points=())
    aurc, excess = _areas(found, config)
    return RiskCoverage(reason=None, aurc=aurc, excess=excess, points=_points(found, config))


def _areas(found: Predictions, config: BootstrapConfig) -> tuple[Interval, Interval]:
    group_N = confidence_groups(found.proba_NK.max(axis=1), MOST_GROUPS)
    n_groups, n_episodes = int(group_N.max()) + 1, len(found.episodes)
    cell_N = found.cluster_N * n_groups + group_N
    wrong_N = found.predicted() != found.y_true_N
    n_cells = n_episodes * n_groups
    sums_EX = np.empty((n_episodes, 2 * n_groups), dtype=np.float64)
    for half, weights_N in enumerate((wrong_N, np.ones_like(wrong_N))):
        counted = np.bincount(cell_N, weights=weights_N, minlength=n_cells)
        place = slice(half * n_groups, (half + 1) * n_groups)
        sums_EX[:, place] = counted.reshape(n_episodes, n_groups)
    sums = resample_sums(sums_EX, config)

    def aurc(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
        return area_under_risk(sums_X[..., :n_groups], sums_X[..., n_groups:])

    def excess(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
        total = sums_X.reshape(*sums_X.shape[:-1], 2, n_groups).sum(axis=-1)
        return aurc(sums_X) - oracle_area(total[..., 0], total[..., 1])

    first, second = (
        interval_of(
            sums.replicates(statistic), config=config, size=found.size(), undefined=_NO_WINDOWS
        )
        for statistic in (aurc, excess)
    )
    return first, second


def _points(found: Predictions, config: BootstrapConfig) -> tuple[RiskPoint, ...]:
    confidence_N = found.proba_NK.max(axis=1)
    surest_N = np.sort(confidence_N)[::-1]
    present_K = supported_classes(found.confusions().sum(axis=0))
    points: list[RiskPoint] = []
    for asked in COVERAGES:
        least = max(1, int(np.ceil(asked * surest_N.size - 1e-9)))
        threshold = float(surest_N[least - 1])
        answered_N = confidence_N >= threshold
        error, macro_risk = _risks(found, answered_N, present_K, config)
        points.append(
            RiskPoint(
                asked=asked,
                coverage=float(answered_N.mean()),
                threshold=threshold,
                error=error,
                macro_risk=macro_risk,
            )
        )
    return tuple(points)


def _risks(
    found: Predictions,
    answered_N: NDArray[np.bool_],
    present_K: NDArray[np.bool_],
    config: BootstrapConfig,
) -> tuple[Interval, Interval]:
    """Return the share of wrong answers and 1 - macro F1 of the answered windows."""
    truth_N = found.y_true_N[answered_N]
    confusions_EKK = cluster_confusions(
        truth_N,
        found.predicted()[answered_N],
        found.cluster_N[answered_N],
        len(found.episodes),
        N_PHASES,
    )
    sums = resample_sums(confusions_EKK.reshape(len(confusions_EKK), -1).astype(float), config)
    lost = [PHASES[code].value for code in np.flatnonzero(present_K) if not (truth_N == code).any()]
    reason = f"no window of {', '.join(lost)} is answered"

    def macro_risk(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.0 - macro_f1_stack(_square(sums_X), present_K)

    size = found.size_of_windows(answered_N)
    error, risk = (
        interval_of(sums.replicates(statistic), config=config, size=size, undefined=reason)
        for statistic in (_error, macro_risk)
    )
    return error, risk


def _square(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
    return sums_X.reshape(*sums_X.shape[:-1], N_PHASES, N_PHASES)


def _error(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
    total = sums_X.sum(axis=-1)
    right = np.trace(_square(sums_X), axis1=-2, axis2=-1)
    return ratio(np.stack([total - right, total], axis=-1))
