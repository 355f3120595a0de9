"""The report of a split as one self-contained HTML page.

No script, no network, no font from elsewhere: a content security policy in the page forbids them.

Not here: figures (``svg``), the layout itself (``report.html.j2``, ``report.css``).
"""

from dataclasses import dataclass

from markupsafe import Markup

from cis490_pipeline.evaluation.comparison import Difference, Verdict
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, FamilyRole, ModelKey
from cis490_pipeline.evaluation.scores import Coverage
from cis490_pipeline.reporting import text
from cis490_pipeline.reporting.controls import control_tables
from cis490_pipeline.reporting.drift import drift_section
from cis490_pipeline.reporting.explained import explained_section
from cis490_pipeline.reporting.interval_section import interval_html
from cis490_pipeline.reporting.measures import measures_section
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.plain_tables import tables_section
from cis490_pipeline.reporting.report import LEDGER_LINES, Report, host_rows, profile_rows
from cis490_pipeline.reporting.svg import (
    ForestRow,
    confusion_matrix,
    difference_track,
    forest_plot,
)
from cis490_pipeline.reporting.templates import render_page


def render_html(report: Report) -> str:
    """Return the page."""
    filters = {
        "number": text.number,
        "figure": text.number_or_dash,
        "bounds": text.bounds,
        "scored": text.scored,
        "signed": text.signed_number,
        "p": text.p_value,
        "colour": family_colour,
    }
    return render_page("report.html.j2", _context(report), filters)


def _context(report: Report) -> dict[str, object]:
    comparison = report.comparison
    return {
        "report": report,
        "comparison": comparison,
        "scope": comparison.scope,
        "headline": headline(comparison),
        "tiles": _tiles(report),
        "loses": _nothing_beats_time(comparison.differences),
        "forest": _forest(report),
        "matrices": [(one, _matrix(report, one.key)) for one in report.ranked()],
        "tracks": _tracks(comparison.differences),
        "profiles": profile_rows(report),
        "hosts": host_rows(report),
        "ledger": report.ledger[-LEDGER_LINES:],
        "measures": measures_section(report),
        "intervals": interval_html(report),
        "drift": drift_section(report.drift),
        "controls": tables_section(control_tables(report)),
        "explained": explained_section(report),
        "Coverage": Coverage,
        "FamilyRole": FamilyRole,
    }


def _nothing_beats_time(differences: tuple[Difference, ...]) -> bool:
    against = [one for one in differences if one.second.family == ELAPSED_TIME]
    learned = [one for one in against if one.first.role is not FamilyRole.BASELINE]
    return bool(learned) and all(one.verdict is not Verdict.BETTER for one in learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One large number of the page's head."""

    name: str
    colour: str
    value: str
    bounds: str
    note: str


def _tiles(report: Report) -> tuple[Tile, ...]:
    """Return the numbers of the page's head: chosen model, clock, their difference."""
    best = report.comparison.best_learned
    if best is None:
        return ()
    tiles = (_model_tile(report, best, "chosen on id_val"),)
    for one in report.comparison.differences:
        if one.first == best and one.second.family == ELAPSED_TIME:
            clock = _model_tile(report, one.second, "control: sees no channel")
            return (*tiles, clock, _difference_tile(one))
    return tiles


def _model_tile(report: Report, key: ModelKey, note: str) -> Tile:
    macro = report.comparison.macro_f1_of(key)
    return Tile(
        name=report.configured(key),
        colour=family_colour(key.family),
        value=text.number(macro.point),
        bounds=text.bounds(macro),
        note=note,
    )


def _difference_tile(one: Difference) -> Tile:
    return Tile(
        name="difference",
        colour="var(--ink)",
        value=text.signed_number(one.difference.point),
        bounds=text.bounds(one.difference, signed=True),
        note=f"paired by episode: {one.verdict.value}",
    )


def _forest(report: Report) -> Markup:
    rows = [
        ForestRow(
            name=report.name(one.key),
            note=one.role.value,
            interval=one.macro_f1,
            colour=family_colour(one.key.family),
        )
        for one in report.ranked()
    ]
    clock = [one for one in report.comparison.models if one.key.family == ELAPSED_TIME]
    reference = clock[0].macro_f1.point if clock else None
    return forest_plot(rows, reference=reference, caption="macro F1 on the test set, by model")


def _matrix(report: Report, key: ModelKey) -> Markup:
    evaluation = report.evaluation(key)
    return confusion_matrix(
        evaluation.labels,
        evaluation.confusion,
        colour=family_colour(key.family),
        caption=f"confusion matrix of {report.name(key)}",
    )


def _tracks(differences: tuple[Difference, ...]) -> list[tuple[Difference, Markup]]:
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
