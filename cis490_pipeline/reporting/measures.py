"""The sections of a report beside macro F1, as tables for the page and for Markdown alike.

Every null and every bound has its reason below the table. Not here: the figures (``evaluation``),
the order of the page (``html``, ``markdown``).
"""

from collections.abc import Sequence

from markupsafe import Markup

from cis490_pipeline.evaluation.measures import Measures
from cis490_pipeline.reporting.curves import curve_figures
from cis490_pipeline.reporting.detection_tables import detection_tables
from cis490_pipeline.reporting.figure_cells import (
    NONE,
    Cell,
    MeasuresTable,
    figure,
    interval_cell,
    model_rows,
)
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.selective_tables import selective_tables
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import breakable, markdown_table, markdown_text


def measures_section(report: Report) -> Markup:
    """Return the sections as HTML."""
    filters = {"colour": family_colour, "breakable": breakable}
    context = {"tables": measures_tables(report), "curves": curve_figures(report)}
    page = render_page("measures.html.j2", context, filters)
    return Markup(page)  # noqa: S704 - rendered with autoescape


def measures_markdown(report: Report) -> list[list[str]]:
    """Return each section's lines in Markdown."""
    return [
        [
            f"## {table.title}",
            "",
            markdown_text(table.lead),
            "",
            *markdown_table(
                ("model", *table.head),
                ([name, *(cell.whole for cell in cells)] for name, _, cells in table.rows),
            ),
            *([""] if table.remarks else []),
            *(f"- {markdown_text(remark)}" for remark in table.remarks),
        ]
        for table in measures_tables(report)
    ]


def measures_tables(report: Report) -> tuple[MeasuresTable, ...]:
    """Return the tables, models in the order of id_val."""
    return (
        *detection_tables(report),
        _ranking(report),
        _calibration(report),
        _purity(report),
        _worst(report),
        *selective_tables(report),
    )


def _ranking(report: Report) -> MeasuresTable:
    first = report.evaluations[0].measures.ranking
    share = NONE if first.positive_share is None else figure(first.positive_share)
    return MeasuresTable(
        title="Ranking of windows",
        lead=f"By 1 - p(clean): infected windows ({first.n_positive}) above clean ones "
        f"({first.n_negative}), armed in neither. A useless ranking has an average precision of "
        f"{share}, the share of infected windows. TPR at thresholds that the test set itself sets.",
        head=("average precision", *(f"TPR at FPR {one.fpr:g}" for one in first.at_fpr)),
        rows=model_rows(
            report,
            lambda measures: [
                interval_cell(measures.ranking.average_precision),
                *(interval_cell(one.tpr) for one in measures.ranking.at_fpr),
            ],
        ),
    )


def _calibration(report: Report) -> MeasuresTable:
    return MeasuresTable(
        title="Calibration",
        lead="With intervals over episodes. comparison.json has the bins of every model.",
        head=("accuracy", "Brier", "ECE", "log-loss"),
        rows=model_rows(
            report,
            lambda measures: [
                interval_cell(one)
                for one in (
                    measures.calibration.accuracy,
                    measures.calibration.brier,
                    measures.calibration.ece,
                    measures.calibration.log_loss,
                )
            ],
        ),
    )


def _purity(report: Report) -> MeasuresTable:
    every = [one.measures.purities for one in report.evaluations]
    first = next((purities for purities in every if purities), ())
    head = tuple(f"{one.purity}: {what}" for one in first for what in ("macro F1", "accuracy"))

    def cells(measures: Measures) -> list[Cell]:
        if not measures.purities:
            remarks = (measures.purities_reason,) if measures.purities_reason else ()
            return [Cell(text=NONE, remarks=remarks)] * len(head)
        return [
            interval_cell(interval, of=f"{one.n_windows} windows")
            for one in measures.purities
            for interval in (one.macro_f1, one.accuracy)
        ]

    return MeasuresTable(
        title="Label purity",
        lead="By the share of a window that its label holds for: below 1 two phases meet in it. "
        "Macro F1 is over the phases that occur in the range.",
        head=head,
        rows=model_rows(report, cells),
    )


def _worst(report: Report) -> MeasuresTable:
    first = report.evaluations[0].measures.worst
    return MeasuresTable(
        title="Worst groups",
        lead="Lowest macro F1 of several, over the phases that occur in each. The interval holds "
        "for all of them at once (Bonferroni), since the lowest is also the unluckiest.",
        head=tuple(f"worst {one.kind}" for one in first),
        rows=model_rows(
            report,
            lambda measures: [
                interval_cell(one.macro_f1, of=_group(one.name, one.left_out))
                for one in measures.worst
            ],
        ),
    )


def _group(name: str | None, left_out: Sequence[str]) -> str:
    few = f"too few episodes: {', '.join(left_out)}" if left_out else ""
    return "; ".join(part for part in (name or "", few) if part)
