"""The figures of a split's report, each with the table of its numbers.

Not here: how they are drawn (``svg``), the page (``html``).
"""

from collections.abc import Sequence

from markupsafe import Markup

from cis490_pipeline.evaluation.comparison import ComparedModel, Difference
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.svg import (
    ForestRow,
    confusion_matrix,
    difference_track,
    forest_plot,
)
from cis490_pipeline.reporting.text import UNTESTED, number, scored


def forest_figure(report: Report) -> Markup:
    """Draw one line for each configuration: interval, point, and every seed."""
    rows = forest_rows(report, report.configurations())
    clock = [one.key for one in report.configurations() if one.key.family == ELAPSED_TIME]
    reference = report.comparison.macro_f1_of(clock[0]).point if clock else None
    caption = "macro F1 on the test set, by model"
    return figure(
        forest_plot(rows, reference=reference, caption=caption),
        caption=caption,
        head=("model", "role", "macro F1", "seeds"),
        rows=[
            (row.name, row.note, scored(row.interval), ", ".join(map(number, row.seeds)))
            for row in rows
        ],
    )


def forest_rows(report: Report, models: Sequence[ComparedModel]) -> list[ForestRow]:
    """Return the lines of some configurations."""
    return [
        ForestRow(
            name=report.configured(one.key),
            note=one.role.value,
            interval=report.comparison.macro_f1_of(one.key),
            colour=family_colour(one.key.family),
            seeds=report.seed_scores(one.key),
        )
        for one in models
    ]


def matrix_figure(report: Report, key: ModelKey) -> Markup:
    """Draw the confusion matrix of one of the report's models."""
    return matrix_of(report.evaluation(key), report.name(key))


def matrix_of(evaluation: ModelEvaluation, name: str) -> Markup:
    """Draw the confusion matrix of one model."""
    caption = f"confusion matrix of {name}"
    drawing = confusion_matrix(
        evaluation.labels,
        evaluation.confusion,
        colour=family_colour(evaluation.key.family),
        caption=caption,
    )
    return figure(
        drawing,
        caption=caption,
        head=("truth", *evaluation.labels),
        rows=[
            (label, *_counts(row))
            for label, row in zip(evaluation.labels, evaluation.confusion, strict=True)
        ],
    )


def _counts(row: Sequence[int]) -> list[str]:
    """Return a row of counts; one of a phase without a window says nothing."""
    return [str(count) for count in row] if sum(row) else [UNTESTED] * len(row)


def difference_tracks(differences: tuple[Difference, ...]) -> list[tuple[Difference, Markup]]:
    """Draw all differences on one symmetric axis, so that their lengths compare."""
    ends = [
        abs(value)
        for one in differences
        for value in (one.difference.low, one.difference.point, one.difference.high)
        if value is not None
    ]
    reach = max([*ends, 0.05]) * 1.05
    return [
        (
            one,
            difference_track(one.difference, reach=reach, colour=family_colour(one.first.family)),
        )
        for one in differences
    ]
