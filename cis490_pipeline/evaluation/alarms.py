"""What a model's alarm does in every episode of a test set, window by window.

The alarm of the device decides (``edge.alarm``), with the threshold that id_val fixed. Shape
suffixes: N windows, E episodes.

Not here: shares, rates and delays (``detection``, ``false_alarms``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.edge.alarm import AlarmRule, AlarmState, alarm_score, verdict_s
from cis490_pipeline.evaluation.courses import EpisodeCourse
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.schema.phases import PHASES, Phase

CLEAN: Final = PHASES.index(Phase.CLEAN)
ARMED: Final = PHASES.index(Phase.ARMED)
_FAR: Final = 2**32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlarmTrace:
    """The alarm in every window. All times are those at which the window's verdict exists.

    Attributes
    ----------
    rings_N
        The alarm rings at the end of the window.
    raised_N
        It did not at the end of the one before: here it is raised.
    could_N
        Enough windows have come for it to ring.
    before_N, after_N
        The verdict exists before the onset, or from it on; neither after the end of watching. An
        episode without onset is before it all along.
    detects_N
        It rings from the onset on, and it was raised there or in ``armed``: a false alarm that
        still rings detects nothing until it has fallen silent and is raised again.
    """

    verdict_s_N: NDArray[np.float64]
    rings_N: NDArray[np.bool_]
    raised_N: NDArray[np.bool_]
    could_N: NDArray[np.bool_]
    before_N: NDArray[np.bool_]
    after_N: NDArray[np.bool_]
    detects_N: NDArray[np.bool_]


def trace_alarm(
    found: Predictions, courses: Sequence[EpisodeCourse], rule: AlarmRule
) -> AlarmTrace:
    """Feed every episode's windows to the alarm of a device."""
    rings_N = _rings(found, rule)
    first_N = np.diff(found.cluster_N, prepend=-1) != 0
    silent_before_N = first_N | ~np.roll(rings_N, 1)
    raised_N = rings_N & silent_before_N
    verdict_s_N = np.array([verdict_s(window) for window in found.window_N.tolist()])
    onset_E = np.array([np.inf if c.onset_s is None else c.onset_s for c in courses])
    end_E = np.array([course.end_s for course in courses])
    watched_N = verdict_s_N <= end_E[found.cluster_N] + 1e-9
    from_onset_N = verdict_s_N >= onset_E[found.cluster_N]
    falsely_N = _raised_where(raised_N, ~from_onset_N & (found.y_true_N != ARMED))
    return AlarmTrace(
        verdict_s_N=verdict_s_N,
        rings_N=rings_N,
        raised_N=raised_N,
        could_N=_could(found, rule),
        before_N=watched_N & ~from_onset_N,
        after_N=watched_N & from_onset_N,
        detects_N=watched_N & from_onset_N & rings_N & ~falsely_N,
    )


def _rings(found: Predictions, rule: AlarmRule) -> NDArray[np.bool_]:
    score_N = alarm_score(found.proba_NK).tolist()
    rings_N = np.zeros(len(score_N), dtype=np.bool_)
    cluster, state = -1, AlarmState(rule)
    windows = zip(found.cluster_N.tolist(), found.window_N.tolist(), score_N, strict=True)
    for i, (its_cluster, window, score) in enumerate(windows):
        if its_cluster != cluster:
            cluster, state = its_cluster, AlarmState(rule)
        rings_N[i] = state.update(window, score)
    return rings_N


def _raised_where(raised_N: NDArray[np.bool_], kind_N: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, for windows in which it rings, whether ``kind_N`` held where it was last raised."""
    place_N = np.where(raised_N, np.arange(raised_N.size), 0)
    return kind_N[np.maximum.accumulate(place_N)] if raised_N.size else raised_N


def _could(found: Predictions, rule: AlarmRule) -> NDArray[np.bool_]:
    """Return whether k of the last n windows have come, those that are absent not counted."""
    place_N = found.cluster_N * _FAR + found.window_N
    oldest_N = np.searchsorted(place_N, place_N - rule.policy.n + 1)
    oldest_N = np.maximum(oldest_N, np.searchsorted(found.cluster_N, found.cluster_N))
    return np.arange(place_N.size) - oldest_N + 1 >= rule.policy.k
