"""Time until something happens, where some were watched too short a time: Kaplan and Meier 1958.

Shape suffixes: E clusters (episodes), B weightings, G times of a grid.

An event at the same time as a censoring comes first, as is usual. Every function takes weights of
the clusters, ``[B, E]``; ones give the plain estimate. Not here: what the event is, and intervals
(``evaluation``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurvivalCurves:
    """The share that has had no event yet: ``survival_BE[:, i]`` from ``time_E[i]`` on.

    Times ascend and may repeat; of equal ones the last holds. Before the first the share is 1; once
    nobody is at risk any more it stays as it was, which is the most that it can be (Gill 1980).
    """

    time_E: NDArray[np.float64]
    survival_BE: NDArray[np.float64]


def survival_curves(
    time_E: NDArray[np.float64], event_E: NDArray[np.bool_], weights_BE: NDArray[np.float64]
) -> SurvivalCurves:
    """Estimate the curve for every weighting.

    Parameters
    ----------
    time_E
        When the event came, or until when there was none; seconds.
    event_E
        Whether it came.

    Raises
    ------
    ValueError
        Where a time is negative or missing.
    """
    if not (time_E >= 0).all():
        raise ValueError("a time to an event must be known and not negative")
    order_E = np.lexsort((~event_E, time_E))
    weights_BE = weights_BE[:, order_E]
    at_risk_BE = np.cumsum(weights_BE[:, ::-1], axis=1)[:, ::-1]
    # Equal times one after the other: (1 - a/r)(1 - b/(r - a)) = 1 - (a + b)/r.
    factor_BE = 1.0 - np.divide(
        weights_BE * event_E[order_E],
        at_risk_BE,
        out=np.zeros_like(weights_BE),
        where=at_risk_BE > 0,
    )
    return SurvivalCurves(
        time_E=time_E[order_E],
        survival_BE=np.cumprod(factor_BE, axis=1, dtype=np.float64),
    )


def survival_at(curves: SurvivalCurves, at_G: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share without an event at each time, ``[B, G]``."""
    return _from_start(curves)[:, np.searchsorted(curves.time_E, at_G, side="right")]


def restricted_mean(curves: SurvivalCurves, horizon_s: float) -> NDArray[np.float64]:
    """Return the mean time without an event up to a horizon, ``[B]``: the area below the curve."""
    edges = np.concatenate([[0.0], np.minimum(curves.time_E, horizon_s), [horizon_s]])
    return _from_start(curves) @ np.diff(edges)


def _from_start(curves: SurvivalCurves) -> NDArray[np.float64]:
    """Return the shares with the 1 that holds before the first time."""
    first_B1 = np.ones((curves.survival_BE.shape[0], 1))
    return np.concatenate([first_B1, curves.survival_BE], axis=1)


def median_time(curves: SurvivalCurves) -> NDArray[np.float64]:
    """Return when half have had the event, ``[B]``; infinite where it was never seen."""
    n_later_B = (curves.survival_BE > 0.5 + 1e-12).sum(axis=1)  # the curve never rises
    return np.append(curves.time_E, np.inf)[n_later_B]
