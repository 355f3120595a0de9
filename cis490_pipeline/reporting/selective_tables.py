"""Tables of what a model is worth when it may abstain: conformal sets, and risk over coverage.

Not here: the figures (``evaluation.rejection``, ``evaluation.risk_coverage``), how a table becomes
a section (``measures``).
"""

from collections.abc import Callable, Iterable
from typing import Final

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.rejection import Rejection, RejectionLevel
from cis490_pipeline.evaluation.risk_coverage import RiskCoverage
from cis490_pipeline.evaluation.selective import Selective
from cis490_pipeline.reporting.figure_cells import (
    NONE,
    Cell,
    MeasuresTable,
    figure,
    interval_cell,
)
from cis490_pipeline.reporting.report import Report

SHOWN: Final = (1.0, 0.9, 0.8, 0.7, 0.5)
"""Coverages of the curve that the table shows; comparison.json has them all."""
_FIGURES: Final = (
    "coverage",
    "phases in a set",
    "windows abstained",
    "empty sets",
    "error of the others",
    "episodes abstained",
)


def selective_tables(report: Report) -> tuple[MeasuresTable, ...]:
    """Return the tables, models in the order of id_val."""
    first = report.evaluations[0].selective.rejection
    levels = [place for place, level in enumerate(first.levels) if level.reason is None]
    return (
        *(_rejection(report, place) for place in range(len(first.levels))),
        *(_slices(report, place) for place in levels[-1:]),
        _risk_coverage(report),
    )


def _rows(
    report: Report, cells_of: Callable[[Selective], Iterable[Cell]]
) -> tuple[tuple[str, str, tuple[Cell, ...]], ...]:
    return tuple(
        (
            report.name(one.key),
            one.key.family,
            tuple(cells_of(report.evaluation(one.key).selective)),
        )
        for one in report.ranked()
    )


def _rejection(report: Report, place: int) -> MeasuresTable:
    first = report.evaluations[0].selective.rejection
    alpha = first.levels[place].alpha
    return MeasuresTable(
        title=f"Conformal rejection at alpha {alpha:g}",
        lead=f"Sets of phases calibrated on {first.n_calibration_episodes} id_val episodes "
        f"({', '.join(first.calibration_hosts) or 'no host'}), meant to hold the truth of "
        f"{100 * (1 - alpha):g} % of an episode's windows on average. {_sentence(first)} A window "
        "is abstained from unless its set is one phase; every episode counts the same.",
        head=_FIGURES,
        rows=_rows(report, lambda one: _level_cells(one.rejection.levels[place])),
    )


def _sentence(rejection: Rejection) -> str:
    return f"{rejection.guarantee[0].upper()}{rejection.guarantee[1:]}."


def _level_cells(level: RejectionLevel) -> list[Cell]:
    found = (
        level.coverage,
        level.set_size,
        level.abstained,
        level.empty,
        level.kept_error,
        level.episodes_abstained,
    )
    return [_cell(one, level.reason) for one in found]


def _cell(interval: Interval | None, reason: str | None) -> Cell:
    if interval is None:
        return Cell(text=NONE, remarks=(reason,) if reason else ())
    return interval_cell(interval)


def _slices(report: Report, place: int) -> MeasuresTable:
    first = report.evaluations[0].selective.rejection.levels[place]
    return MeasuresTable(
        title=f"Coverage at alpha {first.alpha:g} by phase and host",
        lead="Share of windows whose set holds the truth, and how many are abstained from. For no "
        "phase and no host alone is it guaranteed.",
        head=tuple(one.name for one in (*first.phases, *first.hosts)),
        rows=_rows(report, lambda one: _slice_cells(one.rejection.levels[place])),
    )


def _slice_cells(level: RejectionLevel) -> list[Cell]:
    return [
        interval_cell(
            one.coverage,
            of="" if one.abstained.point is None else f"abstained {figure(one.abstained.point)}",
        )
        for one in (*level.phases, *level.hosts)
    ]


def _risk_coverage(report: Report) -> MeasuresTable:
    return MeasuresTable(
        title="Risk over coverage",
        lead="Share of wrong windows when only the surest are answered, at the confidence that "
        "answers so many of them; AURC is the area under that curve, excess what of it a perfect "
        "order of the same answers would not have. 1 - macro F1 is in comparison.json.",
        head=("AURC", "excess", *(f"error at {100 * one:.0f} %" for one in SHOWN)),
        rows=_rows(report, lambda one: _curve_cells(one.risk_coverage)),
    )


def _curve_cells(curve: RiskCoverage) -> list[Cell]:
    by_coverage = {point.asked: point for point in curve.points}
    return [
        interval_cell(curve.aurc),
        interval_cell(curve.excess),
        *(
            interval_cell(by_coverage[one].error, of=_answered(by_coverage[one].coverage, one))
            if one in by_coverage
            else Cell(text=NONE, remarks=(curve.reason,) if curve.reason else ())
            for one in SHOWN
        ),
    ]


def _answered(coverage: float, asked: float) -> str:
    """Say how many are answered where ties made it notably more."""
    return f"of {100 * coverage:.0f} %" if coverage > asked + 0.005 else ""
