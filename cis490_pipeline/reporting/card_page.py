"""A model card as one self-contained HTML page, in the look of the reports.

First what the model is for, how well it did and what nothing is known of; then its curves, and the
sections of the Markdown card.

Not here: what the sections say (``cards``), the files (``publish_cards``).
"""

from dataclasses import dataclass

from markupsafe import Markup

from cis490_pipeline.evaluation.scores import ModelEvaluation
from cis490_pipeline.reporting.cards import ModelFacts, card_sections
from cis490_pipeline.reporting.curves import Panel, detection_panel, reliability_panel, risk_panel
from cis490_pipeline.reporting.figures import matrix_of
from cis490_pipeline.reporting.first_screen import gaps_of
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.svg import ForestRow, forest_plot
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import bounds, number, number_or_dash, scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The pages that stand around a card: (title, relative link)."""

    links: tuple[tuple[str, str], ...] = ()


def card_page(facts: ModelFacts, evaluation: ModelEvaluation | None, around: Around) -> str:
    """Return the page; ``evaluation`` is None for a bundle without a test set."""
    name = facts.key.label if not facts.key.seed else f"{facts.key.label} seed {facts.key.seed}"
    context = {
        "facts": facts,
        "name": name,
        "links": around.links,
        "evaluation": evaluation,
        "phases": None if evaluation is None else _phases(name, evaluation),
        "untested": () if evaluation is None else _gaps(evaluation),
        "drawn": () if evaluation is None else _drawn(name, evaluation),
        "sections": card_sections(facts, evaluation),
    }
    filters = {
        "colour": family_colour,
        "number": number,
        "bounds": bounds,
        "figure": number_or_dash,
    }
    return render_page("card.html.j2", context, filters)


def _phases(name: str, one: ModelEvaluation) -> Markup:
    colour = family_colour(one.key.family)
    rows = [
        ForestRow(
            name=each.phase, note=f"{each.n_windows} windows", interval=each.f1, colour=colour
        )
        for each in one.classes
    ]
    caption = f"F1 of {name} by phase"
    return figure(
        forest_plot(rows, reference=None, caption=caption),
        caption=caption,
        head=("phase", "windows", "F1"),
        rows=[(each.phase, str(each.n_windows), scored(each.f1)) for each in one.classes],
    )


def _gaps(one: ModelEvaluation) -> tuple[tuple[str, str], ...]:
    return tuple(gaps_of(one.scope, one.profiles, one.classes))


def _drawn(name: str, one: ModelEvaluation) -> tuple[tuple[str, Panel], ...]:
    matrix = Panel(
        name=name,
        family=one.key.family,
        note="Windows; the shade is the share of the true phase.",
        drawing=matrix_of(one, name),
    )
    return (
        ("Time to detect", detection_panel(name, one, None)),
        ("Reliability", reliability_panel(name, one, None)),
        ("Risk over coverage", risk_panel(name, one, None)),
        ("Confusion", matrix),
    )
