"""Fitting the phase filter: transitions counted on train, exponents chosen on id_val.

Shape suffixes: N cases, K classes.

The choice is by class-weighted log-loss, which counts every phase alike, as macro F1 does, and is
smooth on an id_val of a dozen episodes. The grid begins with the filter that does nothing, so that
a model which needs none gets none.

Not here: the filter (``edge.phase_filter``, ``models.filtering``), the temperature of what comes
out of it (``calibration``).
"""

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.phase_filter import PhaseFilter
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.grammar import grammar_of
from cis490_pipeline.models.probabilities import SMALLEST, normalised_rows
from cis490_pipeline.training.objective import inverse_frequency_weights

_PSEUDO_COUNT: Final = 1.0
_SHARPNESS: Final = (1.0, 0.5, 0.75, 1.5, 2.0)
_INERTIA: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_PRIOR_POWER: Final = (0.0, 1.0)
"""A model that was fitted with class weights has no prior left, one without has the class mix."""


def fit_phase_filter(train: Cases, id_val: Cases, p_NK: NDArray[np.float64]) -> PhaseFilter:
    """Return the filter that serves a model best on id_val.

    Parameters
    ----------
    train
        For the transitions and the class mix.
    p_NK
        The model's probabilities on ``id_val``.
    """
    candidates = _candidates(train)
    weight_K = inverse_frequency_weights(id_val.y_N, id_val.n_classes)
    losses = [_loss(filtered(one, p_NK, id_val), id_val.y_N, weight_K) for one in candidates]
    return candidates[int(np.argmin(losses))]


def _candidates(train: Cases) -> list[PhaseFilter]:
    grammar = grammar_of(train, _PSEUDO_COUNT)
    count_K = np.bincount(train.y_N, minlength=train.n_classes) + _PSEUDO_COUNT
    return [
        PhaseFilter(
            transitions=tuple(tuple(row) for row in grammar.transitions_KK.tolist()),
            initial=tuple(grammar.initial_K.tolist()),
            prior=tuple(normalised_rows((count_K**power)[np.newaxis])[0].tolist()),
            sharpness=sharpness,
            inertia=inertia,
        )
        for power, inertia, sharpness in itertools.product(_PRIOR_POWER, _INERTIA, _SHARPNESS)
    ]


def _loss(
    p_NK: NDArray[np.float64], y_N: NDArray[np.int64], weight_K: NDArray[np.float64]
) -> float:
    loss_N = -np.log(np.maximum(p_NK[np.arange(y_N.size), y_N], SMALLEST))
    return float(np.average(loss_N, weights=weight_K[y_N]))
