"""What a test set says of a bundle beyond macro F1, put together.

Not here: the figures (``detection``, ``ranking``, ``calibration`` …), macro F1 (``scores``).
"""

from dataclasses import dataclass
from typing import Final

from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.evaluation.alarms import trace_alarm
from cis490_pipeline.evaluation.base_rates import AtBaseRate, at_base_rates
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.calibration import CalibrationScores, calibration_scores
from cis490_pipeline.evaluation.courses import Basis, courses_of, purity_of
from cis490_pipeline.evaluation.detection import TimeToDetect, time_to_detect
from cis490_pipeline.evaluation.false_alarms import FalseAlarms, false_alarms
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.evaluation.purity import PurityScore, purity_scores
from cis490_pipeline.evaluation.ranking import RankingScores, ranking_scores
from cis490_pipeline.evaluation.worst import WorstGroup, worst_groups

NO_BASIS: Final = "only predictions were given: the bundle's alarm and the episodes are not known"
NO_PURITY: Final = "only predictions were given: how pure the labels are is not known"


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
    """The figures beside macro F1; ``purities`` is empty where ``purities_reason`` says why."""

    calibration: CalibrationScores
    ranking: RankingScores
    detection: Detection
    purities: tuple[PurityScore, ...]
    purities_reason: str | None
    worst: tuple[WorstGroup, ...]


def measures_of(found: Predictions, basis: Basis | None, config: BootstrapConfig) -> Measures:
    """Measure one bundle's test predictions.

    Parameters
    ----------
    basis
        None where only predictions are at hand: what needs more is null, and says so.
    """
    purity_N = None if basis is None else purity_of(basis, found)
    return Measures(
        calibration=calibration_scores(found, config),
        ranking=ranking_scores(found, config),
        detection=_detection(found, basis, config),
        purities=() if purity_N is None else purity_scores(found, purity_N, config),
        purities_reason=NO_PURITY if purity_N is None else None,
        worst=worst_groups(found, config),
    )


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
