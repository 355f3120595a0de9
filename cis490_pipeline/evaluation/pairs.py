"""Configurations that meet: which are compared, and their difference paired by episode.

A configuration is (family, mode, context) with all of its seeds. It is compared as a whole, so that
a family that was trained five times is not tested five times, and none of its seeds is picked.

Shape suffixes: E episodes, S seeds, K classes.

Not here: Holm's correction and verdicts (``comparison``), the choice (``choice``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.across_hosts import interval_across_hosts
from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    contrast_interval,
    resample,
)
from cis490_pipeline.evaluation.choice import ModeChoice
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, PERMUTED_LABELS, FamilyRole, ModelKey
from cis490_pipeline.evaluation.permutation import least_p, paired_permutation_p
from cis490_pipeline.evaluation.predictions import Predictions, require_paired
from cis490_pipeline.evaluation.seeds import seeds_interval
from cis490_pipeline.metrics.f1 import supported_classes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Configuration:
    """Predictions of one (family, mode, context) by each of its seeds.

    ``key`` is that of the lowest seed and stands for the whole.
    """

    key: ModelKey
    seeds: tuple[int, ...]
    found: tuple[Predictions, ...]

    def confusions(self) -> NDArray[np.int64]:
        """Count one matrix per episode and seed, ``[E, S, K, K]``."""
        return np.stack([one.confusions() for one in self.found], axis=1)


def configurations(found: Mapping[ModelKey, Predictions]) -> dict[ModelKey, Configuration]:
    """Group models by configuration, each under the key of its lowest seed."""
    groups: dict[ModelKey, list[ModelKey]] = {}
    for key in sorted(found):
        groups.setdefault(replace(key, seed=0), []).append(key)
    return {
        keys[0]: Configuration(
            key=keys[0],
            seeds=tuple(key.seed for key in keys),
            found=tuple(found[key] for key in keys),
        )
        for keys in groups.values()
    }


def paired_difference(
    first: Configuration, second: Configuration, config: BootstrapConfig
) -> Interval:
    """Return macro F1 of first minus second, with an interval over the same resampled episodes.

    Where one of them has several seeds, it is the difference of the means over seeds, and seeds are
    resampled as well.

    Raises
    ------
    EvaluationError
        Where the two were scored on different windows.
    """
    require_paired(first.found[0], second.found[0], names=(first.key.label, second.key.label))
    size = first.found[0].size()
    if not size.n_windows:
        return without_interval("no windows", size=size, level=config.level)
    pair = first.confusions(), second.confusions()
    confusions_EMKK = np.concatenate(pair, axis=1)
    n_first, n_second = len(first.seeds), len(second.seeds)
    contrast = Contrast(
        weights_M=(*[1.0 / n_first] * n_first, *[-1.0 / n_second] * n_second),
        classes_K=supported_classes(confusions_EMKK[:, 0].sum(axis=0)),
    )
    if max(n_first, n_second) > 1:
        interval = seeds_interval(pair, signs_G=(1.0, -1.0), config=config, size=size)
    else:
        drawn = resample(confusions_EMKK, config)
        interval = contrast_interval(confusions_EMKK, contrast, drawn, config=config, size=size)
    host_E = first.found[0].host_codes()
    across = interval_across_hosts(confusions_EMKK, contrast, host_E, config)
    return replace(interval, across_hosts=across)


def paired_p(first: Configuration, second: Configuration, config: BootstrapConfig) -> float | None:
    """Return the p of no difference, from swapping whole episodes between the two."""
    return paired_permutation_p(first.confusions(), second.confusions(), config)


def least_paired_p(first: Configuration, second: Configuration, config: BootstrapConfig) -> float:
    """Return the smallest p that swapping these episodes can give."""
    return least_p(first.confusions(), second.confusions(), config)


def time_pairs(keys: Sequence[ModelKey]) -> list[tuple[ModelKey, ModelKey]]:
    """Return every configuration with the clock; empty where there is no clock."""
    clocks = sorted(key for key in keys if key.family == ELAPSED_TIME)
    if not clocks:
        return []
    untested = (ELAPSED_TIME, PERMUTED_LABELS)
    return [
        (key, clocks[0]) for key in keys if key.family not in untested and not key.is_transductive
    ]


def simple_pairs(
    keys: Sequence[ModelKey], choices: Sequence[ModeChoice]
) -> list[tuple[ModelKey, ModelKey]]:
    """Return every learned configuration of a mode with the simple one that id_val chose for it."""
    standing = {replace(key, seed=0): key for key in keys}
    return [
        (key, standing[replace(choice.simple, seed=0)])
        for choice in choices
        if choice.simple is not None
        for key in keys
        if replace(key, seed=0) != replace(choice.simple, seed=0)
        and key.mode == choice.mode
        and key.role not in (FamilyRole.BASELINE, FamilyRole.CONTROL)
        and not key.is_transductive
    ]
