"""Model cards and the data card as Markdown.

A model card quotes the bundle's header and the evaluation; a bundle without a test set of its own
(``deploy``) quotes the claim of another split. Nothing is computed here.

Not here: the report of a split (``html``, ``markdown``).
References: Mitchell et al. 2019 (model cards); Gebru et al. 2021 (datasheets).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore
from cis490_pipeline.reporting.markdown import markdown_table
from cis490_pipeline.reporting.text import (
    UNTESTED,
    markdown_text,
    number,
    number_or_dash,
    scored,
)


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
    temperature: float | None
    id_val_macro_f1: float | None
    schema_fingerprint: str
    library_versions: tuple[tuple[str, str], ...]
    code_commit: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """How many episodes a host has of a profile with a status; ``n_windows`` None if not cut."""

    host_id: str
    profile: str
    status: str
    n_episodes: int
    n_windows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What the data card says; ``damage`` and ``reasons`` are (what, how many)."""

    cells: tuple[CoverageCell, ...]
    damage: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    schema_fingerprint: str


def model_card(facts: ModelFacts, evaluation: ModelEvaluation | None) -> str:
    """Return a model's card; ``evaluation`` is None for a bundle without a test set."""
    sections = [
        [f"# {markdown_text(facts.key.label)}", "", markdown_text(facts.claim)],
        ["## Model", "", *_model_lines(facts)],
        ["## Use", "", *_use_lines(facts)],
        ["## Evaluation", "", *_evaluation_lines(evaluation)],
        ["## Hyper-parameters", "", *_pairs(facts.hyper_parameters)],
        ["## Made with", "", *_pairs((*facts.library_versions, ("code", facts.code_commit)))],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _model_lines(facts: ModelFacts) -> list[str]:
    return _pairs(
        (
            ("family", facts.key.family),
            ("mode", f"{facts.key.mode.value} ({facts.n_channels} channels or columns)"),
            ("context", facts.key.context),
            ("seed", str(facts.key.seed)),
            ("bundle", facts.bundle),
            ("size", f"{facts.size_bytes} bytes"),
            ("job identity", facts.identity),
            ("split", facts.split),
            ("hash of the training episodes", facts.training_ids_hash),
            ("included statuses", ", ".join(facts.statuses)),
            ("feature schema", facts.schema_fingerprint),
            ("macro F1 on id_val", number_or_dash(facts.id_val_macro_f1)),
            ("temperature", number_or_dash(facts.temperature)),
        )
    )


def _use_lines(facts: ModelFacts) -> list[str]:
    return [
        markdown_text(
            f"Gives a probability for each of {', '.join(facts.labels)} to every window of 10 s. "
            "It refuses data of another feature schema."
        ),
        "",
        markdown_text(
            "Not shown: behaviour on hosts, profiles and samples other than those below, and the "
            "rate of false alarms at a deployment's share of clean devices."
        ),
    ]


def _evaluation_lines(evaluation: ModelEvaluation | None) -> list[str]:
    if evaluation is None:
        return ["This bundle has no test set of its own: no score is claimed for it."]
    rows = [[one.phase, scored(one.f1), str(one.n_windows)] for one in evaluation.classes]
    return [
        markdown_text(f"Macro F1 {scored(evaluation.macro_f1)}, {_basis(evaluation.macro_f1)}."),
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


def data_card(facts: DataFacts) -> str:
    """Return the data card: who recorded what, what was accepted, what is damaged."""
    sections = [
        ["# Data", "", _totals(facts)],
        ["## Episodes by host and profile", "", *_matrix(facts)],
        ["## By host and status", "", *_statuses(facts)],
        ["## Damage of the index", "", *_counts(facts.damage)],
        ["## Why episodes were degraded or rejected", "", *_counts(facts.reasons)],
        [f"Feature schema `{facts.schema_fingerprint[:12]}`."],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _totals(facts: DataFacts) -> str:
    episodes = sum(cell.n_episodes for cell in facts.cells)
    windows = sum(cell.n_windows or 0 for cell in facts.cells)
    hosts = {cell.host_id for cell in facts.cells}
    profiles = {cell.profile for cell in facts.cells}
    return markdown_text(
        f"{episodes} episodes and {windows} windows of {len(hosts)} hosts and {len(profiles)} "
        "profiles. A dash is a profile that a host has never recorded: a model tested on that host "
        "says nothing about it."
    )


def _matrix(facts: DataFacts) -> list[str]:
    profiles = sorted({cell.profile for cell in facts.cells})
    hosts = sorted({cell.host_id for cell in facts.cells})
    rows = [[host, *(_cell(facts, host, profile) for profile in profiles)] for host in hosts]
    return markdown_table(["host", *(profile or "(none)" for profile in profiles)], rows)


def _cell(facts: DataFacts, host: str, profile: str) -> str:
    """Return a cell as ``7 (5 accepted, 2 degraded)``, a dash where there is no episode."""
    found = [cell for cell in facts.cells if (cell.host_id, cell.profile) == (host, profile)]
    parts = [f"{cell.n_episodes} {cell.status}" for cell in found if cell.n_episodes]
    if not parts:
        return "–"
    return f"{sum(cell.n_episodes for cell in found)} ({', '.join(sorted(parts))})"


def _statuses(facts: DataFacts) -> list[str]:
    counts: dict[tuple[str, str], int] = {}
    for cell in facts.cells:
        key = (cell.host_id, cell.status)
        counts[key] = counts.get(key, 0) + cell.n_episodes
    statuses = sorted({status for _, status in counts})
    hosts = sorted({host for host, _ in counts})
    rows = [[host, *(str(counts.get((host, one), 0)) for one in statuses)] for host in hosts]
    return markdown_table(["host", *statuses], rows)


def _counts(pairs: Sequence[tuple[str, int]]) -> list[str]:
    rows = [[name, str(count)] for name, count in pairs if count]
    return markdown_table(["what", "count"], rows) if rows else ["None."]
