"""What a test set says of a bundle beyond macro F1, put together.

Not here: the figures (``detection``, ``false_alarms``, ``base_rates``), macro F1 (``scores``).
"""

from dataclasses import dataclass
from typing import Final

from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.evaluation.alarms import trace_alarm
from cis490_pipeline.evaluation.base_rates import AtBaseRate, at_base_rates
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.courses import Basis, courses_of
from cis490_pipeline.evaluation.detection import TimeToDetect, time_to_detect
from cis490_pipeline.evaluation.false_alarms import FalseAlarms, false_alarms
from cis490_pipeline.evaluation.predictions import Predictions

NO_BASIS: Final = "only predictions were given: the bundle's alarm and the episodes are not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What the bundle's alarm does; without a threshold there are no figures, and ``reason``."""

    reason: str | None
    alarm: AlarmRule | None
    found: TimeToDetect | None = None
    false_alarms: FalseAlarms | None = None
    base_rates: tuple[AtBaseRate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures beside macro F1."""

    detection: Detection


def measures_of(found: Predictions, basis: Basis | None, config: BootstrapConfig) -> Measures:
    """Measure one bundle's test predictions.

    Parameters
    ----------
    basis
        None where only predictions are at hand: what needs more is null, and says so.
    """
    return Measures(detection=_detection(found, basis, config))


def _detection(found: Predictions, basis: Basis | None, config: BootstrapConfig) -> Detection:
    if basis is None:
        return Detection(reason=NO_BASIS, alarm=None)
    alarm = basis.alarm
    if alarm.threshold is None:
        return Detection(reason=f"the bundle has no alarm: {alarm.reason}", alarm=alarm)
    courses = courses_of(basis, found)
    trace = trace_alarm(found, courses, alarm)
    return Detection(
        reason=None,
        alarm=alarm,
        found=time_to_detect(found, courses, trace, config),
        false_alarms=false_alarms(found, courses, trace, config),
        base_rates=at_base_rates(found, trace, config),
    )
