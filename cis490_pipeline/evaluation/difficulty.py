"""How far test episodes lie from the training episodes, and what that does to a score.

Difficulty 1 is what a training episode has among the others; an episode of difficulty 3 lies three
times as far from its nearest neighbour in training as those do from each other. It looks at
channels and never at a label or a prediction, so that no model is favoured.

Shape suffixes: E episodes, F statistics (of an episode as a whole), M train episodes.

Not here: where the statistics come from (``shift``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import ArraySequences
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig, macro_f1_interval
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.metrics.nearest import nearest_distances
from cis490_pipeline.models.scaling import fit_scaling, scaled_columns

THIRDS: Final = ("easiest third", "middle third", "hardest third")
_FEWEST_EPISODES: Final = 9
_MOST_REFERENCES: Final = 4_000
"""Train episodes that are compared with each other, and with the test: evenly chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeDifficulty:
    """``difficulty`` is None where the episode shares no channel with any training episode."""

    episode_id: str
    host_id: str
    profile: str
    difficulty: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdScore:
    """One third of the test episodes by difficulty; ``from_``, ``to`` are its range."""

    name: str
    from_: float
    to: float
    macro_f1: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelByDifficulty:
    """A model's scores by difficulty; empty with a reason where thirds would be too small."""

    key: ModelKey
    thirds: tuple[ThirdScore, ...]
    reason: str | None


def difficulties(
    train_MF: NDArray[np.float32], test_EF: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float]:
    """Return the difficulty of each test episode, and the distance that counts as 1.

    Parameters
    ----------
    train_MF, test_EF
        Statistics per episode, NaN = missing. Scaled by constants of the training episodes, muted
        columns left out.

    Returns
    -------
    difficulty_E
        NaN where it cannot be told: nothing in common, or no two training episodes to compare.
    unit
        Median distance of a training episode to the nearest other one.
    """
    kept = np.unique(np.linspace(0, len(train_MF) - 1, min(len(train_MF), _MOST_REFERENCES)))
    reference_MF = train_MF[kept.astype(np.int64)]
    scaling = fit_scaling(ArraySequences(x_NCT=reference_MF[:, :, None]), len(reference_MF))
    moving = scaling.gain_C > 0
    z_MF, z_EF = (
        scaled_columns(x, scaling)[:, moving].astype(np.float64) for x in (reference_MF, test_EF)
    )
    own_M = nearest_distances(z_MF, z_MF, leave_one_out=True)
    own_M = own_M[np.isfinite(own_M)]
    unit = float(np.median(own_M)) if own_M.size else 0.0
    if unit <= 0:
        return np.full(len(test_EF), np.nan), unit
    return nearest_distances(z_EF, z_MF) / unit, unit


def scores_by_difficulty(
    key: ModelKey,
    found: Predictions,
    episodes: Sequence[EpisodeDifficulty],
    config: BootstrapConfig,
) -> ModelByDifficulty:
    """Return macro F1 of the easiest, middle and hardest third of the test episodes."""
    known = {one.episode_id: one.difficulty for one in episodes if one.difficulty is not None}
    value_E = np.array([known.get(one.episode_id, np.nan) for one in found.episodes])
    placed = np.flatnonzero(np.isfinite(value_E))
    if placed.size < _FEWEST_EPISODES:
        reason = f"{placed.size} test episodes: a third of them would say nothing"
        return ModelByDifficulty(key=key, thirds=(), reason=reason)
    order = placed[np.argsort(value_E[placed], kind="stable")]
    confusions_EKK = found.confusions()
    thirds: list[ThirdScore] = []
    for name, members in zip(THIRDS, np.array_split(order, len(THIRDS)), strict=True):
        kept_E = np.zeros(len(value_E), dtype=np.bool_)
        kept_E[members] = True
        size = found.size(kept_E)
        score = (
            macro_f1_interval(confusions_EKK[kept_E], config=config, size=size)
            if size.n_windows
            else without_interval("no windows", size=size, level=config.level)
        )
        ends = value_E[members]
        thirds.append(
            ThirdScore(name=name, from_=float(ends.min()), to=float(ends.max()), macro_f1=score)
        )
    return ModelByDifficulty(key=key, thirds=tuple(thirds), reason=None)
