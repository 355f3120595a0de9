"""Model cards: what they say, and the same as Markdown.

A model card quotes the bundle's header and the evaluation; a bundle without a test set of its own
(``deploy``) quotes the claim of another split. Nothing is computed here.

Not here: the card as a page (``card_page``), the report of a split (``html``, ``markdown``), the
data card (``data_card``).
References: Mitchell et al. 2019 (model cards).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.edge.header import Trial
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore
from cis490_pipeline.reporting.alarm_lines import ALARM_HEAD, alarm_rows, alarm_sentence
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
_PAIR: Final = ("what", "value")
_NOT_SEARCHED: Final = "Not searched: the defaults of the family, and what was given."


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSection:
    """One section: paragraphs, then a table where there are rows, then remarks."""

    title: str
    paragraphs: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()


def model_card(facts: ModelFacts, evaluation: ModelEvaluation | None) -> str:
    """Return a model's card as Markdown; ``evaluation`` is None for a bundle without a test set."""
    head = f"# {markdown_text(facts.key.label)}\n\n{markdown_text(facts.claim)}"
    sections = [_markdown(section) for section in card_sections(facts, evaluation)]
    return "\n\n".join([head, *sections]) + "\n"


def _markdown(section: CardSection) -> str:
    blocks = [f"## {markdown_text(section.title)}", *map(markdown_text, section.paragraphs)]
    if section.rows:
        blocks.append("\n".join(markdown_table(section.head, section.rows)))
    if section.remarks:
        blocks.append("\n".join(f"- {markdown_text(remark)}" for remark in section.remarks))
    return "\n\n".join(blocks)


def card_sections(facts: ModelFacts, evaluation: ModelEvaluation | None) -> tuple[CardSection, ...]:
    """Return what a card says, for Markdown and page alike."""
    tested = () if evaluation is None else _tested(evaluation)
    return (
        CardSection(title="Model", head=_PAIR, rows=_model_rows(facts)),
        CardSection(title="Use", paragraphs=_use(facts)),
        _evaluated(evaluation),
        *tested,
        *_hyper_parameters(facts),
        CardSection(
            title="Made with",
            head=_PAIR,
            rows=_pairs((*facts.library_versions, ("code", facts.code_commit))),
        ),
    )


def _model_rows(facts: ModelFacts) -> tuple[tuple[str, str], ...]:
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


def _hyper_parameters(facts: ModelFacts) -> Iterator[CardSection]:
    if facts.search:
        yield CardSection(
            title="Search",
            paragraphs=(
                f"Searched on id_val alone, the test set had no part in it: the best of "
                f"{len(facts.search)} declared combinations, a tie going to the earlier one. Its "
                "macro F1 on id_val is for that reason too high: the best of several is also the "
                "luckiest. What another model has on id_val without a search is no match for it.",
            ),
            head=SEARCH_HEADER,
            rows=tuple(tuple(row) for row in search_rows(facts.search)),
        )
    yield CardSection(
        title="Hyper-parameters",
        paragraphs=() if facts.search else (_NOT_SEARCHED,),
        head=_PAIR,
        rows=_pairs(facts.hyper_parameters),
    )


def _use(facts: ModelFacts) -> tuple[str, ...]:
    return (
        f"Gives a probability for each of {', '.join(facts.labels)} to every window of 10 s. "
        "It refuses data of another feature schema.",
        _CONTEXT_WORDS[facts.key.context],
        "Not shown: behaviour on hosts, profiles and samples other than those below. What its "
        "alarm is worth depends on how rare infections are where it watches.",
    )


def _evaluated(evaluation: ModelEvaluation | None) -> CardSection:
    if evaluation is None:
        said = "This bundle has no test set of its own: no score is claimed for it."
        return CardSection(title="Evaluation", paragraphs=(said,))
    flag = f" ({TRANSDUCTIVE_NOTE})" if evaluation.key.is_transductive else ""
    return CardSection(
        title="Evaluation",
        paragraphs=(
            f"Macro F1 {scored(evaluation.macro_f1)}{flag}, {_basis(evaluation.macro_f1)}.",
        ),
        head=("phase", "F1", "windows"),
        rows=tuple((one.phase, scored(one.f1), str(one.n_windows)) for one in evaluation.classes),
        remarks=evaluation.scope.warnings,
    )


def _tested(evaluation: ModelEvaluation) -> tuple[CardSection, ...]:
    """Return the sections of a bundle that has a test set."""
    detection = evaluation.measures.detection
    return (
        _slices("Profiles", "profile", evaluation.profiles),
        _slices("Hosts", "host", evaluation.hosts),
        CardSection(
            title="Alarm",
            paragraphs=(alarm_sentence(detection),),
            head=ALARM_HEAD,
            rows=alarm_rows(detection),
        ),
    )


def _basis(interval: Interval) -> str:
    return (
        f"{interval.n_episodes} episodes, {interval.n_windows} windows, {interval.n_samples} "
        f"samples, {interval.n_hosts} hosts, {interval.condition}"
    )


def _slices(title: str, what: str, slices: Sequence[SliceScore]) -> CardSection:
    rows = tuple(
        (
            one.name or "(none)",
            one.coverage.value,
            UNTESTED if one.macro_f1 is None else scored(one.macro_f1),
            number(one.accuracy),
            str(one.n_episodes),
        )
        for one in slices
    )
    head = (what, "coverage", "macro F1", "accuracy", "episodes")
    return CardSection(title=title, head=head, rows=rows)


def _pairs(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value or "–") for name, value in pairs)
