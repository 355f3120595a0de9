"""How well ``1 - p(clean)`` ranks infected windows above clean ones, at no threshold of its own.

Shape suffixes: N windows, E episodes, B resamples, F limits of the FPR.

``armed`` is in neither. The thresholds behind a TPR at an FPR are those of the test set's own clean
windows: a property of the ranking, and no promise of an operating point (that is ``detection``).

Not here: the sweep over thresholds (``metrics.ranking``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.alarm import alarm_score
from cis490_pipeline.evaluation.alarms import CLEAN
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.courses import FIRST_INFECTED
from cis490_pipeline.evaluation.interval import Interval, SampleSize, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import (
    Replicates,
    episode_weights,
    interval_of,
    leave_one_out,
)
from cis490_pipeline.metrics.ranking import RankingFigures, rank, ranking_figures
from cis490_pipeline.metrics.rates import negatives_needed, rule_of_three

LIMITS: Final = (1e-1, 1e-2, 1e-3)
"""False positive rates at which the TPR is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLimit:
    """TPR where at most ``fpr`` of the clean windows are called infected.

    ``lowest_fpr`` is set where there are too few negatives: by the rule of three, what none among
    them could show, if they were independent.
    """

    fpr: float
    tpr: Interval
    lowest_fpr: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingScores:
    """PR-AUC (average precision) and TPR at FPR.

    Average precision depends on ``positive_share``: a useless ranking has just that.
    """

    n_positive: int
    n_negative: int
    positive_share: float | None
    average_precision: Interval
    at_fpr: tuple[AtLimit, ...]


def ranking_scores(found: Predictions, config: BootstrapConfig) -> RankingScores:
    """Return the figures with intervals over the episodes that have infected or clean windows."""
    positive_N, clean_N = found.y_true_N >= FIRST_INFECTED, found.y_true_N == CLEAN
    kept_N = positive_N | clean_N
    kept_E = np.bincount(found.cluster_N[kept_N], minlength=len(found.episodes)) > 0
    size = found.size_of_windows(kept_N)
    n_positive, n_negative = int(positive_N.sum()), int(clean_N.sum())
    missing = _missing(n_positive, n_negative)
    average, tprs = (None, ()) if missing else _replicates(found, kept_N, kept_E, config)
    undefined = missing or "undefined"
    return RankingScores(
        n_positive=n_positive,
        n_negative=n_negative,
        positive_share=n_positive / int(kept_N.sum()) if kept_N.any() else None,
        average_precision=without_interval(undefined, size=size, level=config.level)
        if average is None
        else interval_of(average, config=config, size=size, undefined=undefined),
        at_fpr=tuple(
            _at_limit(limit, tprs[i] if tprs else undefined, n_negative, config, size)
            for i, limit in enumerate(LIMITS)
        ),
    )


def _missing(n_positive: int, n_negative: int) -> str | None:
    if n_positive == 0:
        return "the test set has no infected window"
    return None if n_negative else "the test set has no clean window"


def _at_limit(
    limit: float,
    tpr: Replicates | str,
    n_negative: int,
    config: BootstrapConfig,
    size: SampleSize,
) -> AtLimit:
    needed = negatives_needed(limit)
    if isinstance(tpr, str):
        interval = without_interval(tpr, size=size, level=config.level)
    elif n_negative < needed:
        reason = (
            f"{n_negative} clean windows, an FPR of {limit:g} needs {needed}: if none were called "
            f"infected, that would show an FPR below {rule_of_three(n_negative):.2g} at the best"
        )
        interval = without_interval(reason, size=size, level=config.level)
    else:
        interval = interval_of(tpr, config=config, size=size, undefined="undefined")
    bound = rule_of_three(n_negative) if n_negative < needed else None
    return AtLimit(fpr=limit, tpr=interval, lowest_fpr=bound)


def _replicates(
    found: Predictions,
    kept_N: NDArray[np.bool_],
    kept_E: NDArray[np.bool_],
    config: BootstrapConfig,
) -> tuple[Replicates, tuple[Replicates, ...]]:
    cluster_N = (np.cumsum(kept_E) - 1)[found.cluster_N[kept_N]]
    positive_N = found.y_true_N[kept_N] >= FIRST_INFECTED
    ranking = rank(alarm_score(found.proba_NK[kept_N]), positive_N, cluster_N)
    n_episodes = int(kept_E.sum())

    def figures(weights_BE: NDArray[np.float64]) -> RankingFigures:
        return ranking_figures(ranking, weights_BE, np.array(LIMITS))

    plain = figures(np.ones((1, n_episodes)))
    drawn = [figures(weights_BE) for weights_BE in episode_weights(n_episodes, config)]
    without_EE = leave_one_out(n_episodes)
    without = None if without_EE is None else figures(without_EE)
    average = Replicates(
        point=float(plain.average_precision_B[0]),
        value_B=np.concatenate([one.average_precision_B for one in drawn]),
        jackknife_E=None if without is None else without.average_precision_B,
    )
    tprs = tuple(
        Replicates(
            point=float(plain.tpr_BF[0, i]),
            value_B=np.concatenate([one.tpr_BF[:, i] for one in drawn]),
            jackknife_E=None if without is None else without.tpr_BF[:, i],
        )
        for i in range(len(LIMITS))
    )
    return average, tprs
