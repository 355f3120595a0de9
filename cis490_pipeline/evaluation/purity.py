"""Scores by label purity: whether a model fails in the phases, or only where two of them meet.

Shape suffixes: N windows, E episodes, K classes.

Not here: reading the purity (``courses``), what it is (``telemetry.labelling``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import interval_of, ratio, resample_sums
from cis490_pipeline.metrics.confusion import cluster_confusions
from cis490_pipeline.metrics.f1 import supported_classes
from cis490_pipeline.schema.phases import N_PHASES, PHASES

_ONE: Final = 1.0 - 1e-6
"""Purities are stored as float32."""
_EDGES: Final = (("below 0.75", 0.0, 0.75), ("0.75 to below 1", 0.75, _ONE), ("1", _ONE, np.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class PurityScore:
    """Windows of one range of label purity.

    Macro F1 is over the ``phases`` that occur in the range: ranges with other phases do not
    compare.
    """

    purity: str
    macro_f1: Interval
    accuracy: Interval
    phases: tuple[str, ...]
    n_windows: int
    n_episodes: int


def purity_scores(
    found: Predictions, purity_N: NDArray[np.float64], config: BootstrapConfig
) -> tuple[PurityScore, ...]:
    """Score the ranges, the least pure first; windows of unknown purity are in none."""
    return tuple(
        _score(name, found, (purity_N >= low) & (purity_N < high), config)
        for name, low, high in _EDGES
    )


def _score(
    name: str, found: Predictions, kept_N: NDArray[np.bool_], config: BootstrapConfig
) -> PurityScore:
    confusions_EKK = cluster_confusions(
        found.y_true_N[kept_N],
        found.predicted()[kept_N],
        found.cluster_N[kept_N],
        len(found.episodes),
        N_PHASES,
    )
    kept_E = confusions_EKK.sum(axis=(1, 2)) > 0
    confusions_EKK = confusions_EKK[kept_E]
    size = found.size_of_windows(kept_N)
    present_K = supported_classes(confusions_EKK.sum(axis=0))
    undefined = "no window of this purity"
    if not kept_E.any():
        nothing = without_interval(undefined, size=size, level=config.level)
        return PurityScore(
            purity=name, macro_f1=nothing, accuracy=nothing, phases=(), n_windows=0, n_episodes=0
        )
    right_E = np.trace(confusions_EKK, axis1=1, axis2=2)
    sums_E2 = np.stack([right_E, confusions_EKK.sum(axis=(1, 2))], axis=1).astype(np.float64)
    accuracy = resample_sums(sums_E2, config).replicates(ratio)
    return PurityScore(
        purity=name,
        macro_f1=macro_f1_interval(confusions_EKK, config=config, size=size),
        accuracy=interval_of(accuracy, config=config, size=size, undefined=undefined),
        phases=tuple(p.value for p, is_in in zip(PHASES, present_K, strict=True) if is_in),
        n_windows=size.n_windows,
        n_episodes=size.n_episodes,
    )
