"""What an alarm is worth where infections are rare: precision and alarms a day at base rates.

Shape suffixes: N windows, E episodes, X sums.

Not here: false alarms as they were counted (``false_alarms``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.alarms import CLEAN, AlarmTrace
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.courses import FIRST_INFECTED
from cis490_pipeline.evaluation.false_alarms import (
    HOURS_A_DAY,
    RULE_OF_THREE_HOURS,
    per_episode,
)
from cis490_pipeline.evaluation.interval import Interval, without_interval
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.replicates import (
    FEW_EVENTS,
    bounded,
    interval_of,
    ratio,
    resample_sums,
)
from cis490_pipeline.metrics.rates import precision_at, rule_of_three
from cis490_pipeline.schema.windows import STRIDE_S

BASE_RATES: Final = (1e-2, 1e-3, 1e-4)
"""Shares of a device's time that are infected: declared, since no corpus tells them."""
_WINDOWS_A_DAY: Final = HOURS_A_DAY * 3600.0 / STRIDE_S
_SILENT: Final = "none in a clean window: the bound is all that is known"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtBaseRate:
    """What an alarm is worth where ``base_rate`` of a device's time is infected.

    ``precision`` is the share of ringing windows that are infected; ``alarms_per_host_day`` counts
    alarms raised, true and false. Both take the device's other habits to be the test set's.
    """

    base_rate: float
    precision: Interval
    alarms_per_host_day: Interval


def at_base_rates(
    found: Predictions, trace: AlarmTrace, config: BootstrapConfig
) -> tuple[AtBaseRate, ...]:
    """Return precision and alarms a day at the declared base rates, at the alarm's threshold."""
    sums_EX = _operating_sums(found, trace)
    return tuple(
        AtBaseRate(
            base_rate=base_rate,
            precision=_precision(found, sums_EX, base_rate, config),
            alarms_per_host_day=_alarms_a_day(found, sums_EX, base_rate, config),
        )
        for base_rate in BASE_RATES
    )


def _operating_sums(found: Predictions, trace: AlarmTrace) -> NDArray[np.float64]:
    """Return per episode: of infected, then of clean windows, how many ring, raise, and are."""
    watched_N = (trace.before_N | trace.after_N) & trace.could_N
    columns = [
        per_episode(found, watched_N & kind_N & what_N)
        for kind_N in (found.y_true_N >= FIRST_INFECTED, found.y_true_N == CLEAN)
        for what_N in (trace.rings_N, trace.raised_N, np.ones_like(watched_N))
    ]
    return np.stack(columns, axis=1)


def _precision(
    found: Predictions, sums_EX: NDArray[np.float64], base_rate: float, config: BootstrapConfig
) -> Interval:
    def statistic(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
        tpr, fpr = ratio(sums_X[..., [0, 2]]), ratio(sums_X[..., [3, 5]])
        return precision_at(tpr, fpr, base_rate)

    size = found.size()
    total_X = sums_EX.sum(axis=0)
    missing = _missing(total_X)
    if missing or (total_X[0] == 0 and total_X[3] == 0):
        reason = missing or "the alarm rings in no window"
        return without_interval(reason, size=size, level=config.level)
    if total_X[3] == 0:
        bound = rule_of_three(int((sums_EX[:, 5] > 0).sum()))
        low = precision_at(ratio(total_X[[0, 2]]), np.array(bound), base_rate)
        return bounded(1.0, (float(low), 1.0), size=size, caution=_SILENT)
    replicates = resample_sums(sums_EX, config).replicates(statistic)
    caution = _few(sums_EX[:, 3])
    return interval_of(replicates, config=config, size=size, undefined="undefined", caution=caution)


def _few(rung_E: NDArray[np.float64]) -> str | None:
    """Say where a figure hangs on a handful of episodes: its interval is too narrow."""
    n_episodes = int((rung_E > 0).sum())
    if n_episodes >= FEW_EVENTS:
        return None
    return f"clean windows rang in fewer than {FEW_EVENTS} episodes: the interval is too narrow"


def _alarms_a_day(
    found: Predictions, sums_EX: NDArray[np.float64], base_rate: float, config: BootstrapConfig
) -> Interval:
    def statistic(sums_X: NDArray[np.float64]) -> NDArray[np.float64]:
        infected, clean = ratio(sums_X[..., [1, 2]]), ratio(sums_X[..., [4, 5]])
        return _WINDOWS_A_DAY * (base_rate * infected + (1.0 - base_rate) * clean)

    size = found.size()
    total_X = sums_EX.sum(axis=0)
    missing = _missing(total_X)
    if missing:
        return without_interval(missing, size=size, level=config.level)
    if total_X[4] == 0:
        point = float(statistic(total_X))
        most = point + _WINDOWS_A_DAY * (1.0 - base_rate) * 3.0 / float(total_X[5])
        return bounded(point, (0.0, most), size=size, method=RULE_OF_THREE_HOURS, caution=_SILENT)
    replicates = resample_sums(sums_EX, config).replicates(statistic)
    caution = _few(sums_EX[:, 4])
    return interval_of(replicates, config=config, size=size, undefined="undefined", caution=caution)


def _missing(total_X: NDArray[np.float64]) -> str | None:
    if total_X.size == 0 or total_X[2] == 0:
        return "no infected window in which the alarm could ring"
    return None if total_X[5] else "no clean window in which the alarm could ring"
