"""What rings for nothing: false alarms by episode, by hour, on controls; alarms in ``armed`` apart.

Shape suffixes: N windows, E episodes.

A false alarm is one that is raised before the onset, in a window labelled ``clean``. ``armed`` is
neither right nor wrong: alarms that are raised there are counted apart. Time counts where the alarm
could have been raised: an episode's first windows, before k have come, are no evidence of silence.

Not here: what is detected (``detection``), what an alarm is worth where infections are rare
(``base_rates``), the alarm itself (``alarms``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.alarms import ARMED, CLEAN, AlarmTrace
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.courses import EpisodeCourse
from cis490_pipeline.evaluation.interval import Interval, SampleSize, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import (
    FEW_EVENTS,
    bounded,
    interval_of,
    ratio,
    resample_sums,
    share_interval,
)
from cis490_pipeline.metrics.rates import poisson_ends
from cis490_pipeline.schema.windows import STRIDE_S

HOURS_A_DAY: Final = 24.0
RULE_OF_THREE_HOURS: Final = "rule of three over hours, 95 %, one-sided"
EXACT_HOURS: Final = "exact, Poisson over hours"
_NONE_COULD: Final = "no episode was watched long enough before onset for the alarm to ring"
_NO_CONTROL: Final = "the test set has no control that was watched long enough"
_NO_ARMED: Final = "no episode was watched in armed before onset"
_HOURS: Final = "it takes false alarms to come independently, one by one"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCounts:
    """Alarms that were raised in windows of one kind, and in how many episodes.

    ``share`` is of ``n_episodes``, those in which one could have been raised; ``hours`` are those
    in which it could.
    """

    n_alarms: int
    n_episodes: int
    n_alarmed: int
    hours: float
    share: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """False alarms before onset; ``controls`` are those among them in episodes of controls.

    ``per_host_day`` is for a device that is clean all day.
    """

    all_episodes: AlarmCounts
    controls: AlarmCounts
    armed: AlarmCounts
    per_host_hour: Interval
    per_host_day: Interval


def false_alarms(
    found: Predictions, courses: Sequence[EpisodeCourse], trace: AlarmTrace, config: BootstrapConfig
) -> FalseAlarms:
    """Count what rings before onset."""
    control_E = np.array([course.control for course in courses], dtype=np.bool_)
    clean_N = trace.before_N & (found.y_true_N == CLEAN)
    armed_N = trace.before_N & (found.y_true_N == ARMED)
    everyone_E = np.ones_like(control_E)
    return FalseAlarms(
        all_episodes=_counts(found, trace, clean_N, everyone_E, config, _NONE_COULD),
        controls=_counts(found, trace, clean_N, control_E, config, _NO_CONTROL),
        armed=_counts(found, trace, armed_N, everyone_E, config, _NO_ARMED),
        per_host_hour=_per_hour(found, trace, clean_N, config, hours=1.0),
        per_host_day=_per_hour(found, trace, clean_N, config, hours=HOURS_A_DAY),
    )


def per_episode(found: Predictions, counted_N: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Count windows by episode, ``[E]``."""
    counts = np.bincount(found.cluster_N[counted_N], minlength=len(found.episodes))
    return counts.astype(np.float64)


def _counts(
    found: Predictions,
    trace: AlarmTrace,
    kind_N: NDArray[np.bool_],
    kept_E: NDArray[np.bool_],
    config: BootstrapConfig,
    undefined: str,
) -> AlarmCounts:
    possible_E = per_episode(found, kind_N & trace.could_N) * kept_E
    alarms_E = per_episode(found, kind_N & trace.raised_N) * kept_E
    could_E = possible_E > 0
    return AlarmCounts(
        n_alarms=int(alarms_E.sum()),
        n_episodes=int(could_E.sum()),
        n_alarmed=int((alarms_E > 0).sum()),
        hours=float(possible_E.sum()) * STRIDE_S / 3600.0,
        share=share_interval(
            alarms_E[could_E] > 0, config=config, size=found.size(could_E), undefined=undefined
        ),
    )


def _per_hour(
    found: Predictions,
    trace: AlarmTrace,
    clean_N: NDArray[np.bool_],
    config: BootstrapConfig,
    *,
    hours: float,
) -> Interval:
    """Return false alarms per ``hours`` hours of a clean device."""
    time_E = per_episode(found, clean_N & trace.could_N) * STRIDE_S / 3600.0 / hours
    alarms_E = per_episode(found, clean_N & trace.raised_N)
    size = found.size(time_E > 0)
    return rate_over_time(alarms_E, time_E, size=size, config=config, undefined=_NONE_COULD)


def rate_over_time(
    alarms_E: NDArray[np.float64],
    time_E: NDArray[np.float64],
    *,
    size: SampleSize,
    config: BootstrapConfig,
    undefined: str,
) -> Interval:
    """Return alarms per unit of time, resampling episodes; exact or bounded where there are few.

    Parameters
    ----------
    alarms_E, time_E
        What each episode had of both, ``[E]``; episodes without time are left out.
    size
        Of the episodes that have any.
    undefined
        What to say where no episode has any.
    """
    could_E = time_E > 0
    if not could_E.any():
        return without_interval(undefined, size=size, level=config.level)
    total = float(time_E.sum())
    if not alarms_E.any():
        ends = (0.0, 3.0 / total)
        return bounded(0.0, ends, size=size, method=RULE_OF_THREE_HOURS, caution=_HOURS)
    if int((alarms_E > 0).sum()) < FEW_EVENTS:
        n_alarms = int(alarms_E.sum())
        low, high = poisson_ends(n_alarms, config.level)
        return bounded(
            n_alarms / total,
            (low / total, high / total),
            size=size,
            method=EXACT_HOURS,
            caution=_HOURS,
            level=config.level,
        )
    sums_E2 = np.stack([alarms_E, time_E], axis=1)[could_E]
    found_rate = resample_sums(sums_E2, config).replicates(ratio)
    return interval_of(found_rate, config=config, size=size, undefined=undefined)
