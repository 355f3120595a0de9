"""Fitting the phase filter: transitions counted on train, exponents chosen on id_val.

Shape suffixes: N cases, E episodes, K classes.

An id_val of a dozen episodes cannot choose between thirty filters: tried within each of two labs
(out-of-fold predictions, a fifth of the episodes to choose by, the rest to score), the choice with
the best score or loss there was as often a loss as a gain, whereas one fixed filter gained 0.01 of
macro F1 in 13 of 13 settings. So that one is the default, and id_val may choose another (none at
all among them) only where it is better by more than a standard error over episodes. The loss is
class-weighted, so that it counts every phase alike, as macro F1 does.

Not here: the filter (``edge.phase_filter``, ``models.filtering``), the temperature of what comes
out of it (``calibration``).
"""

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.phase_filter import PhaseFilter
from cis490_pipeline.edge.probabilities import SMALLEST, normalised_rows, with_temperature
from cis490_pipeline.models.class_weights import inverse_frequency_weights
from cis490_pipeline.models.filtering import filtered
from cis490_pipeline.models.grammar import Grammar, class_counts, grammar_of

_PSEUDO_COUNT: Final = 1.0
_DEFAULT: Final = (2.0, 0.5)
"""Sharpness and inertia that need no reason. The output is tempered afterwards, so what counts is
their ratio: evidence weighs four times what the grammar does."""
_OTHERS: Final = ((1.0, 0.0), (1.0, 0.25), (1.0, 0.5), (1.0, 0.75), (1.0, 1.0))
_PRIOR_POWERS: Final = (0.0, 1.0)
"""A model that was fitted with class weights has no prior left, one without has the class mix."""
_TEMPERATURES: Final = np.geomspace(0.5, 5.0, 12)


def fit_phase_filter(train: Cases, id_val: Cases, p_NK: NDArray[np.float64]) -> PhaseFilter:
    """Return the default filter, or the one that is shown to serve a model better on id_val.

    Parameters
    ----------
    train
        For the transitions and the class mix.
    p_NK
        The model's probabilities on ``id_val``.
    """
    grammar = grammar_of(train, _PSEUDO_COUNT)
    count_K = class_counts(train.y_N, train.n_classes, _PSEUDO_COUNT)
    candidates = [
        _filter_of(grammar, count_K**power, *exponents)
        for exponents, power in itertools.product((_DEFAULT, *_OTHERS), _PRIOR_POWERS)
    ]
    weight_K = inverse_frequency_weights(id_val.y_N, id_val.n_classes)
    losses = [_losses(filtered(one, p_NK, id_val), id_val.y_N, weight_K) for one in candidates]
    best = int(np.argmin([loss_N.sum() for loss_N in losses]))
    gain_N = losses[0] - losses[best]
    return candidates[best if _is_shown(gain_N, id_val.cluster_N) else 0]


def _filter_of(
    grammar: Grammar, prior_K: NDArray[np.float64], sharpness: float, inertia: float
) -> PhaseFilter:
    return PhaseFilter(
        transitions=tuple(tuple(row) for row in grammar.transitions_KK.tolist()),
        initial=tuple(grammar.initial_K.tolist()),
        prior=tuple(normalised_rows(prior_K[np.newaxis])[0].tolist()),
        sharpness=sharpness,
        inertia=inertia,
    )


def _losses(
    p_NK: NDArray[np.float64], y_N: NDArray[np.int64], weight_K: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted log-loss of each case, at the temperature that is best for them all."""
    tempered = (with_temperature(p_NK, float(t))[np.arange(y_N.size), y_N] for t in _TEMPERATURES)
    losses = [-weight_K[y_N] * np.log(np.maximum(p_N, SMALLEST)) for p_N in tempered]
    return min(losses, key=lambda loss_N: float(loss_N.sum()))


def _is_shown(gain_N: NDArray[np.float64], cluster_N: NDArray[np.int64]) -> bool:
    """Return whether a total gain exceeds its standard error, with episodes as the unit."""
    _, episode_N = np.unique(cluster_N, return_inverse=True)
    gain_E = np.bincount(episode_N, weights=gain_N)
    n_episodes = gain_E.size
    if n_episodes < 2:
        return False
    return bool(gain_E.sum() > np.sqrt(n_episodes) * gain_E.std(ddof=1))
