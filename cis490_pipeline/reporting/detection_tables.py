"""The tables of a report that say what the alarm does: detection, delay, false alarms, base rates.

Not here: the figures (``evaluation``), the other tables (``measures``).
"""

from typing import Final

from cis490_pipeline.evaluation.measures import Detection, Measures
from cis490_pipeline.reporting.figure_cells import (
    NONE,
    Cell,
    MeasuresTable,
    ends,
    figure,
    interval_cell,
    model_rows,
)
from cis490_pipeline.reporting.report import Report

_MARKS_S: Final = (10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0)
"""Times after onset at which tables quote the curve; comparison.json has all of it."""


def detection_tables(report: Report) -> tuple[MeasuresTable, ...]:
    """Return the tables, models in the order of id_val."""
    return (_detection(report), _curve(report), _false_alarms(report), _base_rates(report))


def _without(detection: Detection, n_columns: int) -> list[Cell]:
    """Return the cells of a model that has no figures of detection."""
    remarks = (detection.reason,) if detection.reason else ()
    return [Cell(text=NONE, remarks=remarks)] * n_columns


def _detection(report: Report) -> MeasuresTable:
    head = ("threshold", "false on id_val", "detected", "median delay, s", "mean delay, s")

    def cells(measures: Measures) -> list[Cell]:
        found, alarm = measures.detection.found, measures.detection.alarm
        if found is None or alarm is None or alarm.threshold is None:
            return _without(measures.detection, len(head))
        return [
            Cell(text=f"{alarm.threshold:.3f}"),
            Cell(text=f"{alarm.n_false} of {alarm.n_episodes}"),
            interval_cell(found.rate, of=f"{found.n_detected} of {found.n_infected}"),
            interval_cell(found.median_s),
            interval_cell(found.mean_s, of=f"up to {found.horizon_s:g} s"),
        ]

    return MeasuresTable(
        title="Detection",
        lead="With the alarm of the bundle: its threshold is fixed on id_val for a budget of false "
        "alarms. The delay runs from the first infected label to the end of the window in which "
        "the alarm is raised; episodes that were never detected are censored where watching ended "
        "(Kaplan and Meier). A false alarm that still rings at onset detects nothing until it is "
        "raised again. Controls are not asked.",
        head=head,
        rows=model_rows(report, cells),
    )


def _curve(report: Report) -> MeasuresTable:
    every = [report.evaluation(one.key).measures.detection.found for one in report.ranked()]
    curves = [found.curve for found in every if found is not None and found.curve]
    known = {point.t_s for point in curves[0]} if curves else set[float]()
    marks = tuple(mark for mark in _MARKS_S if mark in known)

    def cells(measures: Measures) -> list[Cell]:
        found = measures.detection.found
        if found is None or not found.curve:
            return _without(measures.detection, len(marks))
        points = {point.t_s: point for point in found.curve}
        return [
            Cell(
                text=figure(points[mark].detected),
                bounds=ends(points[mark].low, points[mark].high),
                of=f"{points[mark].n_at_risk} at risk",
            )
            for mark in marks
        ]

    return MeasuresTable(
        title="Time to detect",
        lead="Share detected so many seconds after onset, Kaplan and Meier; at risk are the "
        "episodes that were still watched and not detected before.",
        head=tuple(f"{mark:g} s" for mark in marks),
        rows=model_rows(report, cells),
    )


def _false_alarms(report: Report) -> MeasuresTable:
    head = ("episodes with one", "per host-hour", "per host-day", "on controls", "armed: alarmed")

    def cells(measures: Measures) -> list[Cell]:
        found = measures.detection.false_alarms
        if found is None:
            return _without(measures.detection, len(head))
        kinds = (found.all_episodes, found.controls, found.armed)
        everyone, controls, armed = (
            interval_cell(one.share, of=f"{one.n_alarmed} of {one.n_episodes}") for one in kinds
        )
        hours = f"{found.all_episodes.n_alarms} in {found.all_episodes.hours:.2f} h"
        hourly = interval_cell(found.per_host_hour, of=hours)
        return [everyone, hourly, interval_cell(found.per_host_day), controls, armed]

    return MeasuresTable(
        title="False alarms",
        lead="Alarms raised before onset in a clean window. Alarms raised in armed are neither "
        "right nor wrong and stand apart. Hours are those in which the alarm could have rung; "
        "rates are those of a device that is clean.",
        head=head,
        rows=model_rows(report, cells),
    )


def _base_rates(report: Report) -> MeasuresTable:
    every = [report.evaluation(one.key).measures.detection.base_rates for one in report.ranked()]
    rates = next(([one.base_rate for one in found] for found in every if found), [])

    def cells(measures: Measures) -> list[Cell]:
        found = measures.detection.base_rates
        if not found:
            return _without(measures.detection, 2 * len(rates))
        return [
            *(interval_cell(one.precision) for one in found),
            *(interval_cell(one.alarms_per_host_day) for one in found),
        ]

    return MeasuresTable(
        title="Where infections are rare",
        lead="At the alarm's threshold: share of ringing windows that are infected, and alarms "
        "raised per host and day, if this share of a device's time is infected. The shares are "
        "declared, no corpus tells them.",
        head=tuple(
            [f"precision at {rate:g}" for rate in rates]
            + [f"alarms a day at {rate:g}" for rate in rates]
        ),
        rows=model_rows(report, cells),
    )
