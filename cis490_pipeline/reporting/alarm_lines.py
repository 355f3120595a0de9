"""What a model card says of the bundle's alarm on the test set.

Not here: the figures (``evaluation``), the tables of a report (``detection_tables``).
"""

from typing import Final

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.measures import Detection
from cis490_pipeline.reporting.figure_cells import interval_cell

ALARM_HEAD: Final = ("what", "value", "remark")


def alarm_sentence(detection: Detection) -> str:
    """Say when the alarm rings and what its threshold rests on, or why there are no figures."""
    alarm = detection.alarm
    if detection.found is None or detection.false_alarms is None or alarm is None:
        return f"Not evaluated: {detection.reason}."
    policy = alarm.policy
    return (
        f"Raised at the end of the {policy.k}. positive window within {policy.n}; the threshold "
        f"{alarm.threshold:.3f} was fixed on id_val, where {alarm.n_false} of {alarm.n_episodes} "
        f"episodes raise it before onset (at most {policy.budget:.0%} may)."
    )


def alarm_rows(detection: Detection) -> tuple[tuple[str, ...], ...]:
    """Return the alarm's figures; no row where there are none."""
    found, false = detection.found, detection.false_alarms
    if found is None or false is None:
        return ()
    everyone = false.all_episodes
    rows: list[tuple[str, Interval, str]] = [
        ("infections detected", found.rate, f"{found.n_detected} of {found.n_infected}"),
        ("median delay, s", found.median_s, ""),
        ("mean delay, s", found.mean_s, f"up to {found.horizon_s:g} s"),
        (
            "episodes with a false alarm",
            everyone.share,
            f"{everyone.n_alarmed} of {everyone.n_episodes}",
        ),
        ("false alarms per host-day", false.per_host_day, ""),
        *(
            (f"precision where {one.base_rate:g} of the time is infected", one.precision, "")
            for one in detection.base_rates
        ),
    ]
    cells = [(name, interval_cell(interval, of=of)) for name, interval, of in rows]
    return tuple((name, cell.whole, "; ".join(cell.remarks)) for name, cell in cells)
