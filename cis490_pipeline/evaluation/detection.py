"""Is an infection found, and how soon: detection rate and time to detect, with the alarm of id_val.

Shape suffixes: N windows, E infected episodes, B resamples, G times of the curve.

The delay runs from the onset to the end of the window in which the alarm rings, so the k windows
that it takes are inside it. An episode that was never detected is censored where watching ended (at
its last tick or at ``failed``). Controls, and episodes in which no infection came, are not here.

Not here: what rings for nothing (``false_alarms``), the alarm itself (``alarms``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.alarms import AlarmTrace
from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    expanded_level,
    percentile_ends,
)
from cis490_pipeline.evaluation.courses import EpisodeCourse
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import (
    Replicates,
    episode_weights,
    interval_of,
    leave_one_out,
    share_interval,
)
from cis490_pipeline.metrics.rates import rule_of_three
from cis490_pipeline.metrics.survival import (
    SurvivalCurves,
    median_time,
    restricted_mean,
    survival_at,
    survival_curves,
)

GRID_S: Final = 5.0
MOST_POINTS: Final = 60
MOST_HORIZON_S: Final = 120.0
_JUMPS: Final = "a median jumps: the jackknife says nothing of it"
NO_INFECTION: Final = "the test set has no episode with an infection that was watched"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Share detected until ``t_s`` after the onset, Kaplan and Meier, with expanded percentiles.

    Where none or all are, resamples hardly differ, and the rule of three widens the ends.
    ``n_at_risk`` episodes were watched that long and not detected before; ``n_detected`` were
    detected until then. Where nobody is at risk the share stays as it was: the least it can be.
    """

    t_s: float
    detected: float
    low: float | None
    high: float | None
    n_at_risk: int
    n_detected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToDetect:
    """Detection of the infected episodes.

    Attributes
    ----------
    rate
        Share of them that was detected while it was watched.
    horizon_s
        Up to where ``mean_s`` counts: half of the episodes were watched so long, at the most 120 s.
        No prediction has part in it, so it is the same for all models of a test set.
    mean_s
        Mean time without detection up to the horizon (RMST).
    median_s
        When half are detected; None where that was never seen.
    n_from_armed
        Detected at the first verdict after onset by an alarm that was raised in ``armed``.
    n_falsely_ringing
        Episodes at whose onset a false alarm still rang; until it is raised again it detects
        nothing.
    """

    n_infected: int
    n_detected: int
    rate: Interval
    horizon_s: float
    mean_s: Interval
    median_s: Interval
    curve: tuple[CurvePoint, ...]
    n_from_armed: int
    n_falsely_ringing: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Delays:
    """Delay or time watched after onset of each infected episode; which one ``detected_E`` says."""

    time_E: NDArray[np.float64]
    detected_E: NDArray[np.bool_]
    watched_E: NDArray[np.float64]


def time_to_detect(
    found: Predictions,
    courses: Sequence[EpisodeCourse],
    trace: AlarmTrace,
    config: BootstrapConfig,
) -> TimeToDetect:
    """Return what the alarm does after onset."""
    infected_E = np.array([course.onset_s is not None for course in courses], dtype=np.bool_)
    delays = _delays(found, courses, trace, infected_E)
    size = found.size(infected_E)
    horizon_s = horizon_of(delays.watched_E)
    mean, median, detected_BG = _replicates(delays, horizon_s, config)
    nothing = without_interval(NO_INFECTION, size=size, level=config.level)
    first_N = _first_after_onset(found, trace)
    return TimeToDetect(
        n_infected=int(infected_E.sum()),
        n_detected=int(delays.detected_E.sum()),
        rate=share_interval(delays.detected_E, config=config, size=size, undefined=NO_INFECTION),
        horizon_s=horizon_s,
        mean_s=nothing
        if mean is None
        else interval_of(mean, config=config, size=size, undefined=NO_INFECTION),
        median_s=nothing
        if median is None
        else interval_of(median, config=config, size=size, undefined="never half are detected"),
        curve=_curve(delays, detected_BG, config),
        n_from_armed=int((first_N & trace.detects_N & ~trace.raised_N).sum()),
        n_falsely_ringing=int((first_N & trace.rings_N & ~trace.detects_N).sum()),
    )


def horizon_of(watched_E: NDArray[np.float64]) -> float:
    """Return the largest multiple of 5 s for which half of the episodes were watched.

    >>> horizon_of(np.array([12.0, 48.0, 70.0])), horizon_of(np.array([500.0]))
    (45.0, 120.0)
    """
    if watched_E.size == 0:
        return 0.0
    half_s = float(np.sort(watched_E)[::-1][(watched_E.size - 1) // 2])
    return min(MOST_HORIZON_S, GRID_S * (half_s // GRID_S))


def _delays(
    found: Predictions,
    courses: Sequence[EpisodeCourse],
    trace: AlarmTrace,
    infected_E: NDArray[np.bool_],
) -> _Delays:
    onset_E = np.array([c.onset_s for c in courses if c.onset_s is not None])
    end_E = np.array([c.end_s for c in courses if c.onset_s is not None])
    detected_s_E = np.full(infected_E.size, np.inf)
    cluster_N = found.cluster_N[trace.detects_N]
    np.minimum.at(detected_s_E, cluster_N, trace.verdict_s_N[trace.detects_N])
    detected_s_E = detected_s_E[infected_E]
    return _Delays(
        time_E=np.maximum(np.minimum(detected_s_E, end_E) - onset_E, 0.0),
        detected_E=np.isfinite(detected_s_E),
        watched_E=end_E - onset_E,
    )


def _first_after_onset(found: Predictions, trace: AlarmTrace) -> NDArray[np.bool_]:
    """Return each episode's first window whose verdict comes at or after onset."""
    place_N = np.flatnonzero(trace.after_N)
    _, first = np.unique(found.cluster_N[place_N], return_index=True)
    first_N = np.zeros(trace.after_N.size, dtype=np.bool_)
    first_N[place_N[first]] = True
    return first_N


def _grid(watched_E: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the times of the curve: every 5 s, or coarser where that were more than 60."""
    last_s = float(watched_E.max(initial=0.0))
    step_s = GRID_S * max(1.0, np.ceil(last_s / GRID_S / MOST_POINTS))
    return np.arange(0.0, last_s + 1e-9, step_s)


def _replicates(
    delays: _Delays, horizon_s: float, config: BootstrapConfig
) -> tuple[Replicates | None, Replicates | None, NDArray[np.float64]]:
    """Return RMST, median and the curve ``[B, G]`` on resampled episodes."""
    n_episodes = delays.time_E.size
    if n_episodes == 0:
        return None, None, np.empty((0, 0))
    grid_G = _grid(delays.watched_E)
    parts = [
        (restricted_mean(curves, horizon_s), median_time(curves), survival_at(curves, grid_G))
        for weights_BE in episode_weights(n_episodes, config)
        for curves in (_curves(delays, weights_BE),)
    ]
    mean_B, median_B, survival_BG = (np.concatenate(part) for part in zip(*parts, strict=True))
    plain = _curves(delays, np.ones((1, n_episodes)))
    without_EE = leave_one_out(n_episodes)
    mean = Replicates(
        point=float(restricted_mean(plain, horizon_s)[0]),
        value_B=mean_B,
        jackknife_E=None
        if without_EE is None
        else restricted_mean(_curves(delays, without_EE), horizon_s),
    )
    median = Replicates(
        point=float(median_time(plain)[0]),
        value_B=median_B,
        jackknife_E=None,
        no_jackknife=_JUMPS,
    )
    return mean, median, 1.0 - survival_BG


def _curves(delays: _Delays, weights_BE: NDArray[np.float64]) -> SurvivalCurves:
    return survival_curves(delays.time_E, delays.detected_E, weights_BE)


def _curve(
    delays: _Delays, detected_BG: NDArray[np.float64], config: BootstrapConfig
) -> tuple[CurvePoint, ...]:
    if delays.time_E.size == 0:
        return ()
    grid_G = _grid(delays.watched_E)
    plain = _curves(delays, np.ones((1, delays.time_E.size)))
    detected_G = 1.0 - survival_at(plain, grid_G)[0]
    level = expanded_level(config.level, delays.time_E.size)
    return tuple(
        _point(delays, t_s, detected_G[i], detected_BG[:, i], level)
        for i, t_s in enumerate(grid_G.tolist())
    )


def _point(
    delays: _Delays, t_s: float, detected: float, value_B: NDArray[np.float64], level: float
) -> CurvePoint:
    n_at_risk = int((delays.time_E >= t_s).sum())
    n_detected = int((delays.detected_E & (delays.time_E <= t_s)).sum())
    low: float | None = None
    high: float | None = None
    if delays.time_E.size > 1:
        low, high = percentile_ends(value_B, level)
        if n_detected == 0:
            high = rule_of_three(n_at_risk)
        if detected > 1.0 - 1e-12:
            low = min(low, 1.0 - rule_of_three(n_detected))
    return CurvePoint(
        t_s=t_s,
        detected=float(detected),
        low=low,
        high=high,
        n_at_risk=n_at_risk,
        n_detected=n_detected,
    )
