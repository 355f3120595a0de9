"""The page of a split without a test set: what was fitted, and whose claim it leans on.

Not here: pages of splits that were tested (``html``, ``markdown``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.models.current import FittedModel
from cis490_pipeline.reporting.explained import key_of, markdown_lines, section_of
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import markdown_table, markdown_text, number_or_dash
from cis490_pipeline.schema.context import TRANSDUCTIVE_NOTE, Context

_HEAD = ("family", "mode", "context", "seed", "bundle", "id_val macro F1")
_WHY = (
    "Fitted on every host. The bundle to ship is the realistic one that id_val recommends, which "
    "shadow mode takes too; oracle ones read what no device has. Nothing was held out, so nothing "
    "here says how well they do on a device never seen; the leave-one-host-out reports below are "
    "the only evidence."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UntestedReport:
    """What the page shows; ``claims`` are (split, headline) of splits that were tested.

    ``explanations`` are those of the models in ``fitted``, as many as there are. ``cards`` are
    links to the model cards that stand, by bundle.
    """

    sentence: str
    fitted: Sequence[FittedModel]
    claims: Sequence[tuple[str, str]]
    explanations: Sequence[Explanation]
    cards: Mapping[str, str] = field(default_factory=dict[str, str])

    def notes(self) -> tuple[str, ...]:
        """Return what must be said of some of the models."""
        flagged = [one for one in self.fitted if one.context == Context.TRANSDUCTIVE.value]
        return (f"Not to ship – {TRANSDUCTIVE_NOTE}.",) if flagged else ()

    def named(self) -> list[tuple[str, Explanation]]:
        """Return the explanations with their models' names, best on id_val first."""
        score = {one.bundle: one.id_val_macro_f1 or 0.0 for one in self.fitted}
        ranked = sorted(
            self.explanations, key=lambda one: (-score.get(one.bundle, 0.0), key_of(one))
        )
        labels = [key_of(one).label for one in ranked]
        return [
            (label if labels.count(label) == 1 else f"{label} seed {one.seed}", one)
            for label, one in zip(labels, ranked, strict=True)
        ]


def untested_markdown(report: UntestedReport) -> str:
    """Return the page as Markdown."""
    lines = [f"# {markdown_text(report.sentence)}", "", _WHY, ""]
    lines += [f"- {markdown_text(note)}\n" for note in report.notes()]
    lines += markdown_table(_HEAD, [_row(model) for model in report.fitted])
    lines += ["", "## Evidence from other splits", ""]
    quoted = [f"- **{markdown_text(name)}**: {markdown_text(text)}" for name, text in report.claims]
    lines += quoted or ["None yet."]
    lines += ["", "## What the models look at", "", *markdown_lines(report.named())]
    return "\n".join(lines).rstrip("\n") + "\n"


def untested_html(report: UntestedReport) -> str:
    """Return the same as one self-contained page, with the heat maps."""
    context = {
        "sentence": report.sentence,
        "why": _WHY,
        "notes": report.notes(),
        "head": _HEAD,
        "rows": [(report.cards.get(model.bundle), _row(model)) for model in report.fitted],
        "claims": report.claims,
        "explained": section_of(report.named()),
    }
    return render_page("untested.html.j2", context, {})


def _row(model: FittedModel) -> tuple[str, ...]:
    return (
        model.family,
        model.mode,
        model.context,
        str(model.seed),
        model.bundle[:12],
        number_or_dash(model.id_val_macro_f1),
    )
