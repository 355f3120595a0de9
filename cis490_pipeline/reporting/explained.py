"""The section of a report that says what the models look at, for the page and for Markdown.

Not here: the heat map (``heat_map``), the figures (``explain``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.explain.agreement import RankAgreement
from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.heat_map import heat_map
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import UNTESTED, markdown_table, markdown_text, signed_number
from cis490_pipeline.schema.channels import Mode

TOP_CHANNELS: Final = 5
"""Channels of each phase that a table in Markdown names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementGroup:
    """Rows of the table of rank correlations: one kind of pair, or why there is none."""

    title: str
    pairs: tuple[RankAgreement, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedModel:
    """One explained model, as the page shows it."""

    name: str
    explanation: Explanation
    figure: Markup
    groups: tuple[AgreementGroup, ...]


def explained_section(report: Report) -> Markup:
    """Return a report's section as HTML, the chosen model first and open."""
    return section_of(ordered(report))


def section_of(named: Sequence[tuple[str, Explanation]]) -> Markup:
    """Return the section as HTML for models with their names, the first one open."""
    explained = [
        ExplainedModel(
            name=name,
            explanation=one,
            figure=_figure(name, one),
            groups=agreement_groups(one),
        )
        for name, one in named
    ]
    filters = {"signed": signed_number, "colour": family_colour}
    page = render_page("explanations.html.j2", {"explained": explained}, filters)
    return Markup(page)  # noqa: S704 - rendered with autoescape


def _figure(name: str, one: Explanation) -> Markup:
    caption = f"attributions of {name}, channel × phase"
    return figure(
        heat_map(one, caption=caption),
        caption=caption,
        head=("channel", *one.phases),
        rows=[
            (
                one.channels[row],
                *(UNTESTED if cell is None else f"{cell:.3f}" for cell in one.cells[row]),
            )
            for row in one.strongest_channels()
        ],
    )


def ordered(report: Report) -> list[tuple[str, Explanation]]:
    """Return the explained models with their names, what id_val chose first, then by id_val.

    Of a configuration with several seeds, only the lowest that was explained.
    """
    best = report.comparison.recommended or report.comparison.best_learned
    places = [one.key for one in report.ranked()]
    places.sort(key=lambda key: key != best)  # stable: the others stay in their order
    known = {key_of(one): one for one in report.explanations}
    rest = sorted(set(known) - set(places))
    lowest: dict[tuple[str, str, str], int] = {}
    for key in known:
        same = (key.family, key.mode.value, key.context)
        lowest[same] = min(key.seed, lowest.get(same, key.seed))
    return [
        (report.name(key) if key in places else key.label, known[key])
        for key in [*places, *rest]
        if key in known and lowest[key.family, key.mode.value, key.context] == key.seed
    ]


def key_of(explanation: Explanation) -> ModelKey:
    """Return which model an explanation is of."""
    return ModelKey(
        family=explanation.family,
        mode=Mode(explanation.mode),
        context=explanation.context,
        seed=explanation.seed,
    )


def agreement_groups(explanation: Explanation) -> tuple[AgreementGroup, ...]:
    """Return the kinds of comparison, in the order in which they are shown."""
    control = explanation.with_control
    between, tested = explanation.between_training_hosts, explanation.with_test_hosts
    return (
        AgreementGroup(title="with a test host", pairs=tested.pairs, reason=tested.reason),
        AgreementGroup(title="two training hosts", pairs=between.pairs, reason=between.reason),
        AgreementGroup(
            title="control: has learned nothing, low is good", pairs=(control,), reason=""
        ),
    )


def explained_markdown(report: Report) -> list[str]:
    """Return the lines of a report's section in Markdown."""
    return markdown_lines(ordered(report))


def markdown_lines(named: Sequence[tuple[str, Explanation]]) -> list[str]:
    """Return the section's lines in Markdown: the strongest channels, and the agreements."""
    lines: list[str] = []
    for name, one in named:
        lines += [f"### {markdown_text(name)}", "", *explanation_lines(one), ""]
    return lines or ["No model of this split has been explained."]


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return one explanation's tables and warnings."""
    head = ["what", *explanation.phases]
    rows = [
        ["strongest channels", *_strongest(explanation)],
        ["windows", *(str(n) for n in explanation.n_windows)],
    ]
    for group in agreement_groups(explanation):
        rows += [_agreement_row(group.title, pair) for pair in group.pairs]
        if not group.pairs:
            reason = f"{UNTESTED}: {group.reason}"
            rows.append([group.title, *([reason] * len(explanation.phases))])
    warnings = [f"- {markdown_text(warning)}" for warning in explanation.warnings]
    return [*markdown_table(head, rows), *([""] if warnings else []), *warnings]


def _strongest(explanation: Explanation) -> list[str]:
    cells: list[str] = []
    for position, n_windows in enumerate(explanation.n_windows):
        column = [(row[position] or 0.0, i) for i, row in enumerate(explanation.cells)]
        found = sorted(column, key=lambda pair: (-pair[0], pair[1]))[:TOP_CHANNELS]
        named = ", ".join(f"{explanation.channels[i]} {value:.2f}" for value, i in found)
        cells.append(named if n_windows else UNTESTED)
    return cells


def _agreement_row(title: str, pair: RankAgreement) -> list[str]:
    return [f"{title}: {pair.first}, {pair.second}", *(signed_number(rho) for rho in pair.rho)]
