"""The report of a split as ``comparison.md``: the page's tables for a terminal or a pull request.

Not here: the page (``html``), cards (``cards``).
"""

from collections.abc import Sequence

from cis490_pipeline.evaluation.comparison import ComparedModel
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import Coverage
from cis490_pipeline.reporting.controls import control_tables
from cis490_pipeline.reporting.drift import drift_markdown
from cis490_pipeline.reporting.explained import explained_markdown
from cis490_pipeline.reporting.host_profile_table import host_profile_markdown
from cis490_pipeline.reporting.interval_section import interval_markdown
from cis490_pipeline.reporting.measures import measures_markdown
from cis490_pipeline.reporting.p_notes import p_notes, readings_note
from cis490_pipeline.reporting.plain_tables import tables_markdown
from cis490_pipeline.reporting.report import (
    LEDGER_LINES,
    Report,
    SliceRow,
    host_rows,
    profile_rows,
)
from cis490_pipeline.reporting.split_quality import quality_markdown
from cis490_pipeline.reporting.text import (
    UNTESTED,
    bounds,
    markdown_table,
    markdown_text,
    number,
    number_or_dash,
    p_value,
    scored,
)


def render_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    sections = [
        [f"# {markdown_text(report.comparison.split)}", "", _quote(report)],
        ["## Models", "", *_models(report), "", _size(report.comparison.models[0].macro_f1)],
        ["## Choice", "", *_choices(report)],
        ["## Paired differences", "", *_differences(report)],
        ["## Intervals", "", *interval_markdown(report)],
        ["## Phases", "", *_phases(report)],
        ["## Profiles", "", *_slices(report, profile_rows(report))],
        ["## Hosts", "", *_slices(report, host_rows(report))],
        ["## Hosts and profiles", "", *host_profile_markdown(report)],
        *measures_markdown(report),
        ["## Drift of the channels", "", *drift_markdown(report.drift)],
        *tables_markdown(control_tables(report)),
        ["## What the models look at", "", *explained_markdown(report)],
        *([["## Seeds", "", *_seeds(report)]] if report.comparison.seeds else []),
        ["## Data quality", "", *quality_markdown(report.quality)],
        ["## Readings of this test set", "", *_ledger(report)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def summary_table(report: Report) -> str:
    """Return the table of models alone, for places that have room for one table."""
    return "\n".join(_models(report))


def _quote(report: Report) -> str:
    losing = (f"{what}: {models}" for what, models in report.losing())
    lines = [headline(report.comparison), *losing, *report.notes()]
    return "\n>\n".join(f"> {markdown_text(line)}" for line in lines if line)


def _models(report: Report) -> list[str]:
    head = ["model", "role", "id_val", "test", "BCa", "design effect", "accuracy", "Brier", "ECE"]
    rows: list[list[str]] = []
    for one in report.ranked():
        scores = report.evaluation(one.key)
        marks = [
            report.standing(one.key),
            *(["recommended"] if one.key == report.comparison.recommended else []),
            *(["transductive"] if one.key.is_transductive else []),
        ]
        rows.append(
            [
                report.name(one.key),
                ", ".join(marks),
                _on_id_val(one),
                scored(one.macro_f1),
                _bca(one.macro_f1),
                number_or_dash(one.macro_f1.design_effect, digits=1),
                number_or_dash(scores.accuracy),
                number_or_dash(scores.brier),
                number_or_dash(scores.ece),
            ]
        )
    return markdown_table(head, rows)


def _on_id_val(one: ComparedModel) -> str:
    """Return the score, marked where it is the best of a search and so too high."""
    if one.id_val_macro_f1 is None:
        return "none"
    score = number(one.id_val_macro_f1)
    return score if one.n_tried == 1 else f"{score} (best of {one.n_tried})"


def _bca(interval: Interval) -> str:
    if interval.bca_low is None or interval.bca_high is None:
        return "–"
    return f"[{interval.bca_low:.2f}, {interval.bca_high:.2f}]"


def _size(interval: Interval) -> str:
    text = (
        f"Intervals over {interval.n_episodes} episodes ({interval.n_hosts} hosts, "
        f"{interval.n_samples} samples, {interval.n_windows} windows), {interval.condition}."
    )
    if interval.caution:
        text += f" Caution: {interval.caution}."
    return markdown_text(text)


def _choices(report: Report) -> list[str]:
    lines: list[str] = []
    for choice in report.comparison.choices:
        pick = choice.recommended
        verdict = f"recommended {report.configured(pick)}" if pick else "nothing is recommended"
        lines.append(f"- {markdown_text(f'{choice.mode.value}: {verdict} – {choice.reason}')}")
    return lines or ["No learned model was scored."]


def _differences(report: Report) -> list[str]:
    rows = [
        [
            report.configured(one.first),
            report.configured(one.second),
            scored(one.difference, signed=True),
            one.verdict.value,
            p_value(one.p),
            p_value(one.p_holm),
            one.tests.value,
        ]
        for one in report.comparison.differences
    ]
    if not rows:
        return ["There is no pair to compare."]
    head = ["first", "minus", "difference", "verdict", "p", "p (Holm)", "family of tests"]
    return [*markdown_table(head, rows), "", *(f"- {markdown_text(n)}" for n in p_notes(report))]


def _phases(report: Report) -> list[str]:
    heads = [
        f"{one.phase} ({one.n_episodes} episodes, {one.n_windows} windows)"
        for one in report.evaluations[0].classes
    ]
    rows = [
        [report.name(one.key), *(scored(c.f1) for c in report.evaluation(one.key).classes)]
        for one in report.ranked()
    ]
    return markdown_table(["model", *heads], rows)


def _slices(report: Report, rows: Sequence[SliceRow]) -> list[str]:
    heads = [
        f"{row.name or '(none)'}{_remark(row)} ({row.first.n_episodes} episodes, "
        f"{row.first.n_windows} windows)"
        for row in rows
    ]
    scores = zip(*(row.scores for row in rows), strict=True)
    lines = [
        [
            report.name(one.key),
            *(UNTESTED if score.macro_f1 is None else _cell(score.macro_f1) for score in found),
        ]
        for one, found in zip(report.ranked(), scores, strict=True)
    ]
    return markdown_table(["model", *heads], lines)


def _cell(interval: Interval) -> str:
    return f"{number(interval.point)} {bounds(interval)}"


def _remark(row: SliceRow) -> str:
    return " (not trained)" if row.first.coverage is Coverage.UNSEEN else ""


def _seeds(report: Report) -> list[str]:
    rows = [
        [
            ModelKey(family=one.family, mode=one.mode, context=one.context, seed=0).label,
            ", ".join(str(seed) for seed in one.seeds),
            scored(one.macro_f1),
            number(one.lowest),
            number(one.highest),
        ]
        for one in report.comparison.seeds
    ]
    head = ["configuration", "seeds", "mean macro F1", "lowest", "highest"]
    return markdown_table(head, rows)


def _ledger(report: Report) -> list[str]:
    if not report.ledger:
        return ["None is recorded."]
    shown = report.ledger[-LEDGER_LINES:]
    rows = [
        [one.when, one.bundle[:12], one.identity[:12], one.why, one.code_commit[:12]]
        for one in shown
    ]
    head = ["when", "bundle", "identity", "why", "code"]
    return [readings_note(len(report.ledger)), "", *markdown_table(head, rows)]
