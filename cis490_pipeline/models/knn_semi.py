"""``knn_semi``: neighbours that were told the phase of a part of the episodes only.

What would labels for fewer episodes have cost? A declared share of the training *episodes* keeps
its labels; the windows of the others are labelled by self-training: in each round a fifth of them,
the surest first, join the references with the label that the vote gave them. Whole episodes and
never single windows are unlabelled, since neighbouring windows are near copies. Pseudo-labels arise
inside the training slice only; id_val chooses the final number of neighbours, as in ``knn``.

Shape suffixes: N cases.

Source: Yarowsky 1995 (self-training). Not here: distances and votes (``neighbours``).
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    Classifier,
    Counting,
    FamilySpec,
    FitTask,
    HyperParameters,
    Inputs,
    narrow,
)
from cis490_pipeline.models.columns import Columns, columns_of, fit_columns
from cis490_pipeline.models.neighbours import Neighbours, load_neighbours, with_chosen_number
from cis490_pipeline.models.subsample import subsample


@dataclass(frozen=True, slots=True, kw_only=True)
class KnnSemiHyperParameters(HyperParameters):
    """Self-training.

    Attributes
    ----------
    labelled_share
        Share of the training episodes whose labels are used.
    confidence
        Share of the vote that a label needs; windows that never get it stay out.
    labelling_neighbours
        How many vote on a label.
    rounds
        Rounds of labelling; each takes an equal part of the windows.
    most_references
        At most so many windows take part, labelled or not.
    """

    labelled_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    confidence: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.6
    labelling_neighbours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 5
    rounds: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5
    most_references: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 20_000


def labelled_cases(
    cluster_N: NDArray[np.int64], y_N: NDArray[np.int64], share: float, *, seed: int
) -> NDArray[np.bool_]:
    """Return which cases keep their labels: those of a seeded draw of whole episodes.

    A class that the draw misses keeps the labels of one further episode that has it.
    """
    order = np.random.default_rng(seed).permutation(np.unique(cluster_N))
    kept = set(order[: max(1, round(share * order.size))].tolist())
    for code in np.unique(y_N):
        with_class = set(cluster_N[y_N == code].tolist())
        if not kept & with_class:
            kept.add(next(c for c in order.tolist() if c in with_class))
    return np.isin(cluster_N, sorted(kept))


def _weighted(neighbours: Neighbours, columns: Columns, code_N: NDArray[np.int64]) -> Neighbours:
    """Return the same voters over other references."""
    weight_K = inverse_frequency_weights(code_N, neighbours.weight_K.size)
    return replace(neighbours, columns=columns, code_R=code_N, weight_K=weight_K)


def _surest(vote_N: NDArray[np.float64], confidence: float, most: int) -> NDArray[np.int64]:
    """Return the positions of the highest votes, at most so many and none below ``confidence``."""
    by_vote = np.argsort(-vote_N, kind="stable")[:most]
    return by_vote[vote_N[by_vote] >= confidence]


def _self_trained(
    task: FitTask, train: Cases, chosen: KnnSemiHyperParameters, kept: NDArray[np.int64]
) -> Neighbours:
    scaling = fit_columns(train)  # sees no label
    columns, y_N = columns_of(train, scaling, kept), train.y_N[kept]
    known_N = labelled_cases(train.cluster_N[kept], y_N, chosen.labelled_share, seed=task.seed)
    code_N = np.where(known_N, y_N, -1)  # from here on the labels of the others do not exist
    n_classes = task.shape.n_classes
    start = Neighbours(
        scaling=scaling,
        columns=columns.take(np.flatnonzero(known_N)),
        code_R=code_N[known_N],
        weight_K=inverse_frequency_weights(code_N[known_N], n_classes),
        n_neighbours=chosen.labelling_neighbours,
    )
    fitted = start
    n_each_round = -(-int((~known_N).sum()) // max(1, chosen.rounds))
    for _ in range(chosen.rounds):
        open_N = np.flatnonzero(code_N < 0)
        p_NK = fitted.vote(columns.take(open_N))
        sure = _surest(p_NK.max(axis=1), chosen.confidence, n_each_round)
        if sure.size == 0:
            break
        code_N[open_N[sure]] = p_NK[sure].argmax(axis=1)
        labelled = np.flatnonzero(code_N >= 0)
        fitted = _weighted(fitted, columns.take(labelled), code_N[labelled])
    return fitted


def _fit(task: FitTask) -> Classifier:
    chosen = narrow(task.hyper_parameters, KnnSemiHyperParameters)
    kept = subsample(task.train.y_N, chosen.most_references, seed=task.seed)
    return with_chosen_number(_self_trained(task, task.train, chosen, kept), task.id_val)


GRID: Final = (
    KnnSemiHyperParameters(),
    KnnSemiHyperParameters(confidence=0.8),
    KnnSemiHyperParameters(labelling_neighbours=15),
    KnnSemiHyperParameters(confidence=0.8, labelling_neighbours=15),
)
"""Who gets a label, and by whose vote; the share of labelled episodes is the question asked."""

KNN_SEMI: Final = FamilySpec(
    name="knn_semi",
    inputs=Inputs.SUMMARY,
    modes=CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=KnnSemiHyperParameters(),
    fitting=Counting(fit=_fit),
    load=load_neighbours,
    grid=GRID,
)
"""The family."""
