"""Scores of every cell of test hosts × profiles: where exactly a model holds, and where nothing is.

Shape suffixes: E episodes, K classes.

Not here: hosts and profiles each on their own (``scores``), the figure (``reporting``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.metrics.f1 import supported_classes
from cis490_pipeline.schema.phases import PHASES

NEVER_RECORDED = "the test set has no episode of this profile on this host"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProfileScore:
    """One profile on one test host.

    ``macro_f1`` and ``accuracy`` are None where the test set has no labelled window of it, and
    ``reason`` says so. ``phases`` are the ones with support in the cell: macro F1 is their mean and
    cannot be compared with that of a cell that has others.
    """

    host_id: str
    profile: str
    macro_f1: Interval | None
    accuracy: float | None
    reason: str | None
    phases: tuple[str, ...]
    n_episodes: int
    n_windows: int


def host_profile_scores(
    found: Predictions,
    *,
    hosts: tuple[str, ...],
    profiles: tuple[str, ...],
    config: BootstrapConfig,
) -> tuple[HostProfileScore, ...]:
    """Score every cell, host by host.

    Parameters
    ----------
    hosts, profiles
        Names that have a cell even where nothing of them was predicted (the test hosts, the
        profiles that are untested).
    """
    host_E = np.array([episode.host_id for episode in found.episodes], dtype=np.str_)
    profile_E = np.array([episode.profile for episode in found.episodes], dtype=np.str_)
    confusions_EKK = found.confusions()
    cells = (
        (host, profile)
        for host in sorted({*host_E.tolist(), *hosts})
        for profile in sorted({*profile_E.tolist(), *profiles})
    )
    return tuple(
        _score(cell, (host_E == cell[0]) & (profile_E == cell[1]), found, confusions_EKK, config)
        for cell in cells
    )


def _score(
    cell: tuple[str, str],
    kept_E: NDArray[np.bool_],
    found: Predictions,
    confusions_EKK: NDArray[np.int64],
    config: BootstrapConfig,
) -> HostProfileScore:
    kept_EKK = confusions_EKK[kept_E]
    total_KK = kept_EKK.sum(axis=0)
    size = found.size(kept_E)
    tested = bool(total_KK.sum())
    present_K = supported_classes(total_KK)
    return HostProfileScore(
        host_id=cell[0],
        profile=cell[1],
        macro_f1=macro_f1_interval(kept_EKK, config=config, size=size) if tested else None,
        accuracy=float(np.trace(total_KK) / total_KK.sum()) if tested else None,
        reason=None if tested else NEVER_RECORDED,
        phases=tuple(phase.value for phase, is_in in zip(PHASES, present_K, strict=True) if is_in),
        n_episodes=size.n_episodes,
        n_windows=size.n_windows,
    )
