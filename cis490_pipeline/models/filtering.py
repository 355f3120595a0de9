"""The phase filter over whole sets: every episode in window order, all episodes at a time.

Shape suffixes: N cases, E episodes, K classes.

Not here: the filter (``edge.phase_filter``); the steps are the same calls as on a device.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.phase_filter import PhaseFilter, after, before_first, weigh
from cis490_pipeline.schema.windows import STRIDE_S, WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Iterator


def windows_of(cases: Cases) -> NDArray[np.int64]:
    """Return each case's window index on the grid of its episode, from its time.

    Cases of plain arrays stand at second 0, before any window could end: they are first ones.
    """
    return np.rint((cases.t_center_s_N - WINDOW_S / 2) / STRIDE_S).astype(np.int64).clip(min=0)


def filtered(
    phase_filter: PhaseFilter, p_NK: NDArray[np.float64], cases: Cases
) -> NDArray[np.float64]:
    """Return the filtered probabilities ``[N, K]``, in the order of the cases.

    A case's result depends on its own episode up to and including its window, and on nothing else.
    """
    out_NK = np.empty_like(p_NK)
    belief_EK = np.empty((0, p_NK.shape[1]))
    window_E = np.empty(0, dtype=np.int64)
    for case_E, order_window_E, stay_E in _columns_of_episodes(cases):
        if belief_EK.shape[0] == 0:
            expected_EK = before_first(phase_filter, order_window_E)
        else:
            gap_E = order_window_E - window_E[stay_E]
            expected_EK = after(phase_filter, belief_EK[stay_E], gap_E)
        belief_EK, window_E = weigh(phase_filter, expected_EK, p_NK[case_E]), order_window_E
        out_NK[case_E] = belief_EK
    return out_NK


def _columns_of_episodes(
    cases: Cases,
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]":
    """Yield the first case of every episode, then the second of those that have one, and so on.

    Each with its window, and with which episodes of the turn before are still there.
    """
    window_N = windows_of(cases)
    order_N = np.lexsort((window_N, cases.cluster_N))
    cluster_N = cases.cluster_N[order_N]
    first_E = np.flatnonzero(np.diff(cluster_N, prepend=-1))
    length_E = np.diff(first_E, append=cluster_N.size)
    turn, stay_E = 0, np.ones(first_E.size, dtype=np.bool_)
    while first_E.size:
        case_E = order_N[first_E + turn]
        yield case_E, window_N[case_E], stay_E
        turn += 1
        stay_E = length_E > turn
        first_E, length_E = first_E[stay_E], length_E[stay_E]
