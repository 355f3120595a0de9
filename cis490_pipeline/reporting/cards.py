"""Model cards as Markdown.

A model card quotes the bundle's header and the evaluation; a bundle without a test set of its own
(``deploy``) quotes the claim of another split. Nothing is computed here.

Not here: the report of a split (``html``, ``markdown``), the data card (``data_card``).
References: Mitchell et al. 2019 (model cards).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.edge.header import Trial
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore
from cis490_pipeline.reporting.alarm_lines import alarm_lines
from cis490_pipeline.reporting.search import SEARCH_HEADER, search_rows
from cis490_pipeline.reporting.text import (
    UNTESTED,
    markdown_table,
    markdown_text,
    number,
    number_or_dash,
    scored,
)
from cis490_pipeline.schema.context import TRANSDUCTIVE_NOTE

_CONTEXT_WORDS: Final = {
    "none": "It sees one window at a time.",
    "recent": "It sees each window beside those of the last two minutes of the same device, so it "
    "needs every window in order; of the first ones it knows less.",
    "commissioned": "It sees each window beside those of the last two minutes and beside the "
    "device's first. That assumes that the device was clean when it was commissioned: one that "
    "was infected already is compared with its infection, and its scores do not count.",
    "transductive": "It sees each window beside those of the last two minutes, and relative to the "
    "level of its host: median and spread over all windows of the host, those of the future "
    "included, without their labels. No device has that on its first day: it is neither exported "
    "nor recommended, and its scores are no evidence of what a device would do.",
}
"""What a model's context asks of whoever uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a card quotes from a bundle's header; pairs are (name, value) as text.

    ``claim`` says what scores of this bundle are evidence for, in one sentence.
    """

    key: ModelKey
    bundle: str
    identity: str
    split: str
    claim: str
    training_ids_hash: str
    statuses: tuple[str, ...]
    labels: tuple[str, ...]
    n_channels: int
    hyper_parameters: tuple[tuple[str, str], ...]
    phase_filter: str
    temperature: float | None
    id_val_macro_f1: float | None
    schema_fingerprint: str
    library_versions: tuple[tuple[str, str], ...]
    code_commit: str
    size_bytes: int
    trunk: str | None = None
    search: tuple[Trial, ...] = ()
    alarm: str = ""


def model_card(facts: ModelFacts, evaluation: ModelEvaluation | None) -> str:
    """Return a model's card; ``evaluation`` is None for a bundle without a test set."""
    sections = [
        [f"# {markdown_text(facts.key.label)}", "", markdown_text(facts.claim)],
        ["## Model", "", *_model_lines(facts)],
        ["## Use", "", *_use_lines(facts)],
        ["## Evaluation", "", *_evaluation_lines(evaluation)],
        *([["## Alarm", "", *alarm_lines(evaluation.measures.detection)]] if evaluation else []),
        ["## Hyper-parameters", "", *_search_lines(facts), *_pairs(facts.hyper_parameters)],
        ["## Made with", "", *_pairs((*facts.library_versions, ("code", facts.code_commit)))],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _model_lines(facts: ModelFacts) -> list[str]:
    return _pairs(
        (
            ("family", facts.key.family),
            ("mode", f"{facts.key.mode.value} ({facts.n_channels} channels or columns)"),
            ("context", facts.key.context),
            ("phase filter", facts.phase_filter),
            ("seed", str(facts.key.seed)),
            ("bundle", facts.bundle),
            ("size", f"{facts.size_bytes} bytes"),
            ("job identity", facts.identity),
            ("split", facts.split),
            *([("pre-trained trunk", facts.trunk)] if facts.trunk else []),
            ("hash of the training episodes", facts.training_ids_hash),
            ("included statuses", ", ".join(facts.statuses)),
            ("feature schema", facts.schema_fingerprint),
            ("macro F1 on id_val", number_or_dash(facts.id_val_macro_f1)),
            ("temperature", number_or_dash(facts.temperature)),
            ("alarm", facts.alarm),
        )
    )


def _search_lines(facts: ModelFacts) -> list[str]:
    if not facts.search:
        return ["Not searched: the defaults of the family, and what was given.", ""]
    return [
        markdown_text(
            f"Searched on id_val alone, the test set had no part in it: the best of "
            f"{len(facts.search)} declared combinations, a tie going to the earlier one. Its macro "
            "F1 on id_val is for that reason too high: the best of several is also the luckiest. "
            "What another model has on id_val without a search is no match for it."
        ),
        "",
        *markdown_table(SEARCH_HEADER, search_rows(facts.search)),
        "",
    ]


def _use_lines(facts: ModelFacts) -> list[str]:
    return [
        markdown_text(
            f"Gives a probability for each of {', '.join(facts.labels)} to every window of 10 s. "
            "It refuses data of another feature schema."
        ),
        "",
        markdown_text(_CONTEXT_WORDS[facts.key.context]),
        "",
        markdown_text(
            "Not shown: behaviour on hosts, profiles and samples other than those below. What its "
            "alarm is worth depends on how rare infections are where it watches."
        ),
    ]


def _evaluation_lines(evaluation: ModelEvaluation | None) -> list[str]:
    if evaluation is None:
        return ["This bundle has no test set of its own: no score is claimed for it."]
    rows = [[one.phase, scored(one.f1), str(one.n_windows)] for one in evaluation.classes]
    flag = f" ({TRANSDUCTIVE_NOTE})" if evaluation.key.is_transductive else ""
    return [
        markdown_text(
            f"Macro F1 {scored(evaluation.macro_f1)}{flag}, {_basis(evaluation.macro_f1)}."
        ),
        "",
        *markdown_table(["phase", "F1", "windows"], rows),
        "",
        *_slice_lines(evaluation.profiles, "profile"),
        "",
        *_slice_lines(evaluation.hosts, "host"),
        "",
        *(f"- {markdown_text(warning)}" for warning in evaluation.scope.warnings),
    ]


def _basis(interval: Interval) -> str:
    return (
        f"{interval.n_episodes} episodes, {interval.n_windows} windows, {interval.n_samples} "
        f"samples, {interval.n_hosts} hosts, {interval.condition}"
    )


def _slice_lines(slices: Sequence[SliceScore], what: str) -> list[str]:
    rows = [
        [
            one.name or "(none)",
            one.coverage.value,
            UNTESTED if one.macro_f1 is None else scored(one.macro_f1),
            number(one.accuracy),
            str(one.n_episodes),
        ]
        for one in slices
    ]
    return markdown_table([what, "coverage", "macro F1", "accuracy", "episodes"], rows)


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return markdown_table(["what", "value"], [[name, value or "–"] for name, value in pairs])
