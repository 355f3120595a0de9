"""Several seeds of one configuration: macro F1 with training randomness as a second factor.

Each resample draws episodes *and* seeds with replacement, so the interval answers "what if we
trained again", not only "what if we had recorded other episodes".

Shape suffixes: E episodes, S seeds, B resamples, K classes.

Not here: intervals of one trained model (``bootstrap``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, percentile_interval, resample
from cis490_pipeline.evaluation.interval import Interval, SampleSize, without_interval
from cis490_pipeline.metrics.f1 import macro_f1_stack, supported_classes
from cis490_pipeline.schema.channels import Mode

METHOD: Final = "bootstrap of episodes and seeds, percentile"


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
    confusions_ESKK: NDArray[np.int64], *, config: BootstrapConfig, size: SampleSize
) -> Interval:
    """Return the mean macro F1 over seeds with an interval over episodes and seeds.

    Parameters
    ----------
    confusions_ESKK
        One matrix per episode and seed; the seeds share the truth.

    Returns
    -------
    Without interval where there are fewer than two episodes or two seeds.
    """
    classes_K = supported_classes(confusions_ESKK[:, 0].sum(axis=0))
    macro_S = macro_f1_stack(confusions_ESKK.sum(axis=0), classes_K)
    if not classes_K.any():
        return without_interval("no windows", size=size, level=config.level)
    point = float(macro_S.mean())
    n_seeds = confusions_ESKK.shape[1]
    if confusions_ESKK.shape[0] < 2 or n_seeds < 2:
        reason = "fewer than 2 episodes or 2 seeds: nothing to resample"
        return without_interval(reason, size=size, level=config.level, point=point)
    drawn = resample(confusions_ESKK, config)
    value_BS = macro_f1_stack(drawn.confusions_BMKK, classes_K)
    rng = np.random.default_rng([config.seed, 2])
    seed_BS = rng.integers(0, n_seeds, size=value_BS.shape)
    value_B = np.take_along_axis(value_BS, seed_BS, axis=1).mean(axis=1)
    caution = None if n_seeds >= 3 else "2 seeds say little about training randomness"
    return percentile_interval(
        point, value_B, drawn, config=config, size=size, method=METHOD, caution=caution
    )
