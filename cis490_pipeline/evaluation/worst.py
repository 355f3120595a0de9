"""The worst host and the worst profile, as what they are: the lowest of several.

Shape suffixes: E episodes, K classes.

The lowest of several is also the unluckiest, so its own interval lies too low and is too narrow.
Each group's interval is taken at the level at which all of them hold at once (Bonferroni); then the
true lowest lies between the lowest of their lower ends and the lowest of their upper ends.

Not here: the scores of every group (``scores``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.metrics.f1 import supported_classes

LEAST_EPISODES: Final = 5
"""Groups with fewer episodes are left out: what is lowest there is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstGroup:
    """Macro F1 of the worst of ``n_groups`` hosts or profiles; ``left_out`` had too few episodes.

    ``name`` is None where there are not two to choose from.
    """

    kind: str
    name: str | None
    macro_f1: Interval
    n_groups: int
    left_out: tuple[str, ...]


def worst_groups(found: Predictions, config: BootstrapConfig) -> tuple[WorstGroup, ...]:
    """Return the worst host and the worst profile among those that were tested."""
    hosts = [episode.host_id for episode in found.episodes]
    profiles = [episode.profile for episode in found.episodes]
    return (_worst("host", hosts, found, config), _worst("profile", profiles, found, config))


def _worst(
    kind: str, names: Sequence[str], found: Predictions, config: BootstrapConfig
) -> WorstGroup:
    name_E = np.array(names, dtype=np.str_)
    counts = dict(zip(*np.unique(name_E, return_counts=True), strict=True))
    tested = [str(name) for name, n in counts.items() if n >= LEAST_EPISODES]
    left_out = tuple(str(name) for name, n in counts.items() if n < LEAST_EPISODES)
    if len(tested) < 2:
        reason = f"fewer than 2 {kind}s with at least {LEAST_EPISODES} episodes"
        interval = without_interval(reason, size=found.size(), level=config.level)
        return WorstGroup(
            kind=kind, name=None, macro_f1=interval, n_groups=len(tested), left_out=left_out
        )
    strict = replace(config, level=1.0 - (1.0 - config.level) / len(tested))
    confusions_EKK = found.confusions()
    scores = {
        name: macro_f1_interval(
            confusions_EKK[name_E == name], config=strict, size=found.size(name_E == name)
        )
        for name in tested
    }
    points = {name: one.point for name, one in scores.items() if one.point is not None}
    lowest = min(points, key=lambda name: (points[name], name))
    same = _same_phases(confusions_EKK, name_E, tested)
    return WorstGroup(
        kind=kind,
        name=lowest,
        macro_f1=_lowest(scores[lowest], list(scores.values()), config.level, kind, same=same),
        n_groups=len(tested),
        left_out=left_out,
    )


def _same_phases(
    confusions_EKK: NDArray[np.int64], name_E: NDArray[np.str_], tested: Sequence[str]
) -> bool:
    sets = {
        tuple(supported_classes(confusions_EKK[name_E == name].sum(axis=0)).tolist())
        for name in tested
    }
    return len(sets) == 1


def _lowest(
    own: Interval, every: Sequence[Interval], level: float, kind: str, *, same: bool
) -> Interval:
    caution = f"the lowest of {len(every)} {kind}s"
    if not same:
        caution += ", which do not all have the same phases"
    if own.caution:
        caution += f"; {own.caution}"
    lows = [one.low for one in every if one.low is not None]
    highs = [one.high for one in every if one.high is not None]
    whole = len(lows) == len(highs) == len(every)
    return replace(
        own,
        low=min(lows) if whole else None,
        high=min(highs) if whole else None,
        reason=own.reason if whole else f"one of the {kind}s has no interval",
        level=level,
        method=f"{own.method}, over all {len(every)} {kind}s at once",
        caution=caution,
        bca_low=None,
        bca_high=None,
        bca_fallback="not for the lowest of several",
        disagreement=None,
    )
