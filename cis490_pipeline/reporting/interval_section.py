"""The section of a report that says how far each interval can be believed, in both forms.

Not here: how intervals are computed (``evaluation``).
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from markupsafe import Markup, escape

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.text import (
    UNTESTED,
    html_text,
    markdown_table,
    markdown_text,
    number_or_dash,
    scored,
)

HEAD: Final = (
    "of",
    "episodes",
    "BCa",
    "sandwich",
    "hosts and episodes",
    "design effect",
    "degenerate draws",
    "remarks",
    "hosts / samples / episodes / windows",
)
EXPLAINED: Final = (
    "Four ways to the interval of the same figure. Percentile and BCa: resampled episodes. "
    "Sandwich: point ± normal quantile × cluster-robust standard error, no further than a macro F1 "
    "or a difference can go. Hosts and episodes: whole "
    "hosts are drawn first, with six or more of them. Degenerate draws lost a phase and were drawn "
    "again. A model with one seed: what another training would have given is in none of them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One figure: its name and the cells after it, in the order of ``HEAD``."""

    name: str
    cells: tuple[str, ...]


def interval_rows(report: Report) -> tuple[IntervalRow, ...]:
    """Return a row for macro F1 of each model, then for each paired difference."""
    models = [(report.name(one.key), one.macro_f1, False) for one in report.ranked()]
    gaps = [
        (f"{report.configured(one.first)} minus {report.configured(one.second)}", one.difference)
        for one in report.comparison.differences
    ]
    signed = [(name, interval, True) for name, interval in gaps]
    return tuple(
        IntervalRow(name=name, cells=_cells(interval, signed=is_signed))
        for name, interval, is_signed in (*models, *signed)
    )


def _cells(found: Interval, *, signed: bool) -> tuple[str, ...]:
    across = found.across_hosts
    share = found.degenerate_share
    return (
        UNTESTED if found.point is None else scored(found, signed=signed),
        _ends(found.bca_low, found.bca_high, signed=signed),
        _ends(*_sandwich(found, least=-1.0 if signed else 0.0), signed=signed),
        "–" if across is None else _ends(across.low, across.high, signed=signed),
        number_or_dash(found.design_effect, digits=1),
        "–" if share is None else f"{100 * share:.1f} %",
        "; ".join(_remarks(found)) or "–",
        f"{found.n_hosts} / {found.n_samples} / {found.n_episodes} / {found.n_windows}",
    )


def _sandwich(found: Interval, *, least: float) -> tuple[float | None, float | None]:
    if found.point is None or found.standard_error is None:
        return None, None
    half = NormalDist().inv_cdf(0.5 + found.level / 2.0) * found.standard_error
    return max(least, found.point - half), min(1.0, found.point + half)


def _ends(low: float | None, high: float | None, *, signed: bool) -> str:
    form = "+.2f" if signed else ".2f"
    return "–" if low is None or high is None else f"[{low:{form}}, {high:{form}}]"


def _remarks(found: Interval) -> list[str]:
    """Return everything that is missing or doubtful, with its reason."""
    across = None if found.across_hosts is None else found.across_hosts.reason
    named = (
        ("", found.reason),
        ("caution: ", found.caution),
        ("no BCa: ", found.bca_fallback),
        ("methods disagree: ", found.disagreement),
        ("not over hosts: ", across),
    )
    return [f"{name}{text}" for name, text in named if text]


def interval_markdown(report: Report) -> list[str]:
    """Return the section's lines of Markdown, without its title."""
    rows = [[row.name, *row.cells] for row in interval_rows(report)]
    return [markdown_text(EXPLAINED), "", *markdown_table(HEAD, rows)]


def interval_html(report: Report) -> Markup:
    """Return the section as HTML, without its title."""
    head = Markup("").join(Markup("<th>{}</th>").format(name) for name in HEAD)
    body = Markup("\n").join(_html_row(row) for row in interval_rows(report))
    return Markup(
        '<p class="lead">{}</p>\n<div class="scroll"><table><thead><tr>{}</tr></thead>'
        "<tbody>\n{}\n</tbody></table></div>"
    ).format(escape(EXPLAINED), head, body)


def _html_row(row: IntervalRow) -> Markup:
    cells = Markup("").join(Markup("<td>{}</td>").format(html_text(cell)) for cell in row.cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(html_text(row.name), cells)
