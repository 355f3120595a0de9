"""The phase filter: what a model says of a window, weighed against what can follow what.

Shape suffixes: E episodes, K classes.

A causal forward filter over the phases of an episode. Where the belief before a window was b, the
phases' grammar predicts ``(b T^g)^inertia`` for a window g strides later; the model's probabilities
divided by its class prior are the evidence, ``(p / prior)^sharpness``. Neighbouring windows share
half their ticks and a context looks back further, so their evidence is not independent: the two
exponents say how much each side counts. With inertia 0 and sharpness 1 the filter does nothing.

Not here: counting the transitions and choosing the exponents (``training.phase_filter``), whole
sets (``models.filtering``).
"""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

Probability = Annotated[float, msgspec.Meta(gt=0, le=1)]
"""Never 0: a transition that no training episode shows is rare and not impossible."""
SMALLEST: Final = 1e-9
"""Evidence below this counts as this: a model that is certain and wrong must not be for ever."""
LONGEST_GAP: Final = 1 << 20
"""Strides after which the start does not matter any more."""
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFilter:
    """Constants of the filter.

    Attributes
    ----------
    transitions
        Row: phase of a window; column: probability of the phase one stride (5 s) later.
    initial
        Of the first window of an episode.
    prior
        What the model's probabilities are divided by.
    sharpness, inertia
        Exponents of evidence and of grammar.

    Raises
    ------
    ValueError
        Where rows are not distributions over the same classes.
    """

    transitions: tuple[tuple[Probability, ...], ...]
    initial: tuple[Probability, ...]
    prior: tuple[Probability, ...]
    sharpness: Annotated[float, msgspec.Meta(gt=0, le=10)]
    inertia: Annotated[float, msgspec.Meta(ge=0, le=1)]

    def __post_init__(self) -> None:
        n_classes = len(self.initial)
        rows = (*self.transitions, self.initial, self.prior)
        if len(self.transitions) != n_classes or any(len(row) != n_classes for row in rows):
            raise ValueError(f"transitions, initial and prior are not all of {n_classes} classes")
        if not all(abs(sum(row) - 1.0) <= _ROUNDING for row in rows):  # NaN is not at most
            raise ValueError("a row of the phase filter does not sum to 1")

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.initial)


def before_first(phase_filter: PhaseFilter, window_E: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what the grammar expects of the first window that was seen, ``[E, K]``.

    Usually that is window 0; where it is a later one, the phases have moved on since.
    """
    initial_EK = np.tile(np.asarray(phase_filter.initial), (len(window_E), 1))
    return _moved_on(phase_filter, initial_EK, window_E)


def after(
    phase_filter: PhaseFilter, belief_EK: NDArray[np.float64], gap_E: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return what the grammar expects ``gap_E`` (at least 1) strides after a belief, ``[E, K]``."""
    return _moved_on(phase_filter, belief_EK, gap_E)


def weigh(
    phase_filter: PhaseFilter, expected_EK: NDArray[np.float64], p_EK: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the belief after a model's probabilities were seen, ``[E, K]``; rows sum to 1."""
    evidence_EK = np.maximum(p_EK, SMALLEST) / np.asarray(phase_filter.prior)
    belief_EK = expected_EK**phase_filter.inertia * evidence_EK**phase_filter.sharpness
    return belief_EK / belief_EK.sum(axis=1, keepdims=True)


def _moved_on(
    phase_filter: PhaseFilter, belief_EK: NDArray[np.float64], gap_E: NDArray[np.int64]
) -> NDArray[np.float64]:
    step_KK = np.asarray(phase_filter.transitions)
    gap_E = np.minimum(gap_E, LONGEST_GAP)
    moved_EK = belief_EK.copy()
    for gap in np.unique(gap_E):
        rows = gap_E == gap
        # einsum and not @: a BLAS may round a row differently in company than alone.
        power_KK = np.linalg.matrix_power(step_KK, int(gap))
        moved_EK[rows] = np.einsum("ek,kj->ej", belief_EK[rows], power_KK)
    return moved_EK / moved_EK.sum(axis=1, keepdims=True)


class FilterState:
    """The filter on one device: feed it every window's probabilities in order."""

    def __init__(self, phase_filter: PhaseFilter) -> None:
        self._filter = phase_filter
        self._belief_EK: NDArray[np.float64] | None = None
        self._window = -1

    def update(self, window: int, p_K: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the filtered probabilities of a window, ``[K]``.

        Raises
        ------
        ValueError
            Where the window does not come after the one before.
        """
        if window <= self._window:
            raise ValueError(f"window {window} does not come after window {self._window}")
        if self._belief_EK is None:
            expected_EK = before_first(self._filter, np.array([window]))
        else:
            gap_E = np.array([window - self._window])
            expected_EK = after(self._filter, self._belief_EK, gap_E)
        self._window = window
        self._belief_EK = weigh(self._filter, expected_EK, p_K[np.newaxis])
        return self._belief_EK[0]
