"""The report of a split as one self-contained HTML page.

No script, no network, no font from elsewhere: a content security policy in the page forbids them.

Not here: figures (``svg``), the layout itself (``report.html.j2``, ``report.css``).
"""

from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cis490_pipeline.evaluation.comparison import Difference, Verdict
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, FamilyRole, ModelKey
from cis490_pipeline.evaluation.scores import Coverage
from cis490_pipeline.reporting import text
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import LEDGER_LINES, Report, host_rows, profile_rows
from cis490_pipeline.reporting.svg import (
    ForestRow,
    confusion_matrix,
    difference_track,
    forest_plot,
)

_PACKAGE: Final = "cis490_pipeline.reporting"


def render_html(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=text.number,
        figure=text.number_or_dash,
        bounds=text.bounds,
        scored=text.scored,
        signed=text.signed_number,
        p=text.p_value,
        colour=family_colour,
    )
    template = environment.from_string(_resource("report.html.j2"))
    return template.render(_context(report))


def _resource(name: str) -> str:
    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Replace characters that could hide or reorder what a reader sees; escaping comes after."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.visible(value)
    return value


def _context(report: Report) -> dict[str, object]:
    comparison = report.comparison
    return {
        "css": Markup(_resource("report.css")),  # noqa: S704 - our own file
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
        "Coverage": Coverage,
        "FamilyRole": FamilyRole,
    }


def _nothing_beats_time(differences: tuple[Difference, ...]) -> bool:
    against = [one for one in differences if one.second.family == ELAPSED_TIME]
    learned = [one for one in against if one.first.role is not FamilyRole.BASELINE]
    return bool(learned) and all(one.verdict is not Verdict.BETTER for one in learned)


def _tiles(report: Report) -> list[dict[str, object]]:
    """Return the three numbers of the page's head: chosen model, clock, their difference."""
    comparison = report.comparison
    best = comparison.best_learned
    own = next(
        (
            one
            for one in comparison.differences
            if one.first == best and one.second.family == ELAPSED_TIME
        ),
        None,
    )
    keys = [(best, "chosen on id_val")] if best else []
    keys += [(own.second, "control: sees no channel")] if own else []
    tiles: list[dict[str, object]] = [
        {
            "name": report.name(key),
            "colour": family_colour(key.family),
            "value": text.number(report.evaluation(key).macro_f1.point),
            "bounds": text.bounds(report.evaluation(key).macro_f1),
            "note": note,
        }
        for key, note in keys
    ]
    if own:
        tiles.append(
            {
                "name": "difference",
                "colour": "var(--ink)",
                "value": text.signed_number(own.difference.point),
                "bounds": text.bounds(own.difference, signed=True),
                "note": f"paired by episode: {own.verdict.value}",
            }
        )
    return tiles


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
