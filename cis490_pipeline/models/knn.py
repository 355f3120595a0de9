"""``knn``: the nearest training windows vote.

The simplest learner that there is, on scaled window statistics: where it does as well as a network,
the network has learned nothing but the neighbourhood. Memory and time are bounded by a declared
subsample (``subsample``): of millions of windows 20,000 references are kept, classes alike. The
number of neighbours is chosen on id_val unless it is given.

Not here: distances and votes (``neighbours``).
"""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

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
from cis490_pipeline.models.columns import columns_of, fit_columns
from cis490_pipeline.models.neighbours import Neighbours, load_neighbours, with_chosen_number
from cis490_pipeline.models.subsample import subsample


@dataclass(frozen=True, slots=True, kw_only=True)
class KnnHyperParameters(HyperParameters):
    """References and votes.

    Attributes
    ----------
    neighbours
        How many vote; None chooses on id_val.
    most_references
        At most so many training windows are kept.
    """

    neighbours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    most_references: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 20_000


def _fit(task: FitTask) -> Classifier:
    chosen = narrow(task.hyper_parameters, KnnHyperParameters)
    scaling = fit_columns(task.train)
    kept = subsample(task.train.y_N, chosen.most_references, seed=task.seed)
    code_R = task.train.y_N[kept]
    fitted = Neighbours(
        scaling=scaling,
        columns=columns_of(task.train, scaling, kept),
        code_R=code_R,
        weight_K=inverse_frequency_weights(code_R, task.shape.n_classes),
        n_neighbours=chosen.neighbours or 1,
    )
    return fitted if chosen.neighbours else with_chosen_number(fitted, task.id_val)


KNN: Final = FamilySpec(
    name="knn",
    inputs=Inputs.SUMMARY,
    modes=CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=KnnHyperParameters(),
    fitting=Counting(fit=_fit),
    load=load_neighbours,
)
"""The family."""
