"""The linearised (sandwich) variance of a contrast of macro F1, and what it says of an interval.

An independent check on the bootstrap: the gradient of the statistic by the counts, summed within
each episode, squared and added up. It draws nothing.

Shape suffixes: E episodes, M models, K classes.

Not here: the bootstrap itself (``bootstrap``).
References: Cameron and Miller 2015 (cluster-robust variance); Kish 1965 (design effect).
"""

from dataclasses import replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.metrics.f1 import per_class_f1

TOLERANCE: Final = 0.1
"""Part of the width by which an end may differ between the methods before the interval is flagged.

In the simulation of ``benchmarks.coverage`` a quarter of the sets of 20 episodes are flagged, and 3
in 1,000 of those of 100.
"""


def linearised_variances(
    confusions_EMKK: NDArray[np.int64], classes_K: NDArray[np.bool_], weights_M: tuple[float, ...]
) -> tuple[float, float]:
    """Return the variance of a contrast of macro F1: over episodes, and if windows were free.

    Notes
    -----
    Macro F1 does not change when all counts are scaled, so the gradient times the counts is 0, and
    the multinomial variance over N windows reduces to Σ count · gradient². The design effect is the
    first over the second. The second is meaningful for one model only: of two models, the cells of
    one window are not independent.
    """
    total_MKK = confusions_EMKK.sum(axis=0).astype(np.float64)
    gradient_MKK = _gradient(total_MKK, classes_K, weights_M)
    influence_E = np.tensordot(confusions_EMKK.astype(np.float64), gradient_MKK, axes=3)
    n_episodes = confusions_EMKK.shape[0]
    robust = float((influence_E**2).sum()) * n_episodes / (n_episodes - 1)
    return robust, float((total_MKK * gradient_MKK**2).sum())


def _gradient(
    total_MKK: NDArray[np.float64], classes_K: NDArray[np.bool_], weights_M: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the derivative of the contrast by each count, ``[M, K, K]``."""
    share_K = np.where(classes_K, 1.0 / classes_K.sum(), 0.0)
    size_MK = total_MKK.sum(axis=-1) + total_MKK.sum(axis=-2)
    slope_MK = share_K / np.where(size_MK > 0, size_MK, 1.0)
    f1_MK = np.nan_to_num(per_class_f1(total_MKK, classes_K))
    gradient_MKK = -(slope_MK * f1_MK)[..., :, None] - (slope_MK * f1_MK)[..., None, :]
    diagonal = np.arange(classes_K.size)
    gradient_MKK[..., diagonal, diagonal] += 2.0 * slope_MK
    return gradient_MKK * np.asarray(weights_M)[:, None, None]


def with_sandwich(
    interval: Interval, standard_error: float, *, level: float, design_effect: float | None = None
) -> Interval:
    """Put the sandwich standard error beside an interval, and say where the methods disagree.

    ``level`` is that of the quantiles, so that all three intervals are expanded alike.
    """
    checked = replace(interval, standard_error=standard_error, design_effect=design_effect)
    return replace(checked, disagreement=disagreement_of(checked, level, "sandwich"))


def disagreement_of(found: Interval, level: float, error_by: str) -> str | None:
    """Say which of the intervals beside the percentiles' has an end far from theirs, None if none.

    ``error_by`` names the method of the standard error; what there is none of cannot disagree.
    """
    if found.point is None or found.low is None or found.high is None:
        return None
    others: dict[str, tuple[float, float]] = {}
    if found.standard_error is not None:
        half = NormalDist().inv_cdf(0.5 + level / 2.0) * found.standard_error
        others[error_by] = (found.point - half, found.point + half)
    if found.bca_low is not None and found.bca_high is not None:
        others["BCa"] = (found.bca_low, found.bca_high)
    width = found.high - found.low
    apart = {
        name: max(abs(low - found.low), abs(high - found.high))
        for name, (low, high) in others.items()
    }
    loud = [
        f"an end of the {name} interval is {gap:.3f} away"
        for name, gap in apart.items()
        if gap > TOLERANCE * width + 1e-9
    ]
    return f"{' and '.join(loud)} from the percentile interval's" if loud else None
