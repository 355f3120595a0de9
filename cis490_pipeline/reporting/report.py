"""What a report shows, put together once for HTML and Markdown.

Not here: how it is drawn (``html``, ``markdown``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.comparison import (
    ComparedModel,
    Comparison,
    DeclaredFamily,
)
from cis490_pipeline.evaluation.difficulty import ModelByDifficulty
from cis490_pipeline.evaluation.drift_on_split import Drift
from cis490_pipeline.evaluation.headline import MOST_LOSERS, NOT_BETTER, names, not_better
from cis490_pipeline.evaluation.keys import ELAPSED_TIME, GRAMMAR_ONLY, ModelKey
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore
from cis490_pipeline.evaluation.shift import Shift
from cis490_pipeline.explain.result import Explanation
from cis490_pipeline.reporting.split_quality import HostQuality
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import TRANSDUCTIVE_NOTE

LEDGER_LINES: Final = 12
"""Readings of the test set that a report quotes; the table has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One reading of a test set: the row of ``test_ledger``."""

    when: str
    split: str
    bundle: str
    identity: str
    why: str
    code_commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The material of one split's report.

    ``ledger`` holds every reading of this split's test set, oldest first. ``made_at`` and
    ``code_commit`` are printed as given and may be empty. ``explanations`` are those of the split's
    current models, as many as there are. ``drift`` and ``shift`` are None where they were not
    measured. ``quality`` tells the verdicts of the split's hosts. ``cards`` are links to the model
    cards that stand, by bundle.
    """

    comparison: Comparison
    evaluations: tuple[ModelEvaluation, ...]
    ledger: tuple[LedgerEntry, ...]
    made_at: str
    code_commit: str
    explanations: tuple[Explanation, ...] = ()
    drift: Drift | None = None
    shift: Shift | None = None
    by_difficulty: tuple[ModelByDifficulty, ...] = ()
    quality: tuple[HostQuality, ...] = ()
    cards: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        compared = {one.key for one in self.comparison.models}
        given = {one.key for one in self.evaluations}
        if compared != given:
            raise EvaluationError(
                "the evaluations are not those of the comparison",
                where=self.comparison.split,
                expected=", ".join(sorted(key.label for key in compared)),
                found=", ".join(sorted(key.label for key in given)),
                todo="pass the evaluations that were compared",
            )

    def ranked(self) -> tuple[ComparedModel, ...]:
        """Return the models in the order of id_val, best first: the test set ranks nothing."""
        return tuple(sorted(self.comparison.models, key=_by_id_val))

    def notes(self) -> tuple[str, ...]:
        """Return what must be said of all figures before they are shown."""
        labels = sorted(
            {one.key.label for one in self.comparison.models if one.key.is_transductive}
        )
        flagged = [f"{names(labels)}: {TRANSDUCTIVE_NOTE}; never chosen, in no test"]
        return (*self.comparison.scope.warnings, *(flagged if labels else ()))

    def losing(self) -> tuple[tuple[str, str], ...]:
        """Return (what, models) of all that do not beat the clock, where the headline counts."""
        found = not_better(self.comparison.differences)
        if all(len(lost) <= MOST_LOSERS for lost in found.values()):
            return ()
        return tuple(
            (f"{NOT_BETTER[verdict]} ({len(lost)})", ", ".join(one.first.label for one in lost))
            for verdict, lost in found.items()
            if lost
        )

    @property
    def chosen(self) -> ModelKey | None:
        """The model that the report is about: recommended, or else the best learned on id_val."""
        return self.comparison.recommended or self.comparison.best_learned

    def configurations(self) -> tuple[ComparedModel, ...]:
        """Return the ranked models with the lowest seed of each configuration alone.

        Which seed stands for the others looks at no score.
        """
        ranked = self.ranked()
        places = list(dict.fromkeys(_configuration(one.key) for one in ranked))
        lowest = {
            place: min(one.key.seed for one in ranked if _configuration(one.key) == place)
            for place in places
        }
        by_key = {(_configuration(one.key), one.key.seed): one for one in ranked}
        return tuple(by_key[place, lowest[place]] for place in places)

    def shown(self) -> tuple[ComparedModel, ...]:
        """Return the configurations that a figure has room for: chosen, yardsticks, controls."""
        named = {self.comparison.recommended, self.comparison.best_learned}
        for choice in self.comparison.choices:
            named |= {choice.recommended, choice.best_learned, choice.simple}
        wanted = {_configuration(key) for key in named if key is not None}
        controls = {ELAPSED_TIME, GRAMMAR_ONLY}
        return tuple(
            one
            for one in self.configurations()
            if _configuration(one.key) in wanted or one.key.family in controls
        )

    def seed_scores(self, key: ModelKey) -> tuple[float, ...]:
        """Return the macro F1 of every seed of a configuration; empty where it has only one."""
        same = [one for one in self.evaluations if _configuration(one.key) == _configuration(key)]
        points = (one.macro_f1.point for one in sorted(same, key=lambda one: one.key))
        return tuple(p for p in points if p is not None) if len(same) > 1 else ()

    def evaluation(self, key: ModelKey) -> ModelEvaluation:
        """Return the evaluation of one of the models."""
        return next(one for one in self.evaluations if one.key == key)

    def name(self, key: ModelKey) -> str:
        """Name a model for people, with the seed where its configuration has several."""
        same = [one for one in self.evaluations if one.key.label == key.label]
        return key.label if len(same) == 1 else f"{key.label} seed {key.seed}"

    def configured(self, key: ModelKey) -> str:
        """Name the model's configuration, with the number of its seeds where it has several."""
        summary = self.comparison.seeds_of(key)
        return key.label if summary is None else f"{key.label}, {len(summary.seeds)} seeds"

    def standing(self, key: ModelKey) -> str:
        """Say what a row of models must not hide: its role, and how it did against the clock."""
        same = (key.family, key.mode, key.context)
        against = [
            NOT_BETTER.get(one.verdict, "")
            for one in self.comparison.differences
            if one.tests is DeclaredFamily.AGAINST_TIME
            and (one.first.family, one.first.mode, one.first.context) == same
        ]
        return ", ".join([key.role.value, *(text for text in against if text)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """One profile or host, with each model's score in the order of ``Report.ranked``."""

    name: str
    scores: tuple[SliceScore, ...]

    @property
    def first(self) -> SliceScore:
        """Any model's score: coverage and counts are the same for all."""
        return self.scores[0]


def _configuration(key: ModelKey) -> tuple[str, Mode, str]:
    return (key.family, key.mode, key.context)


def _by_id_val(model: ComparedModel) -> tuple[float, ModelKey]:
    missing_last = -1.0 if model.id_val_macro_f1 is None else model.id_val_macro_f1
    return (-missing_last, model.key)


def profile_rows(report: Report) -> tuple[SliceRow, ...]:
    """Return the profiles of the label universe, tested or not."""
    return _rows([report.evaluation(one.key).profiles for one in report.ranked()])


def host_rows(report: Report) -> tuple[SliceRow, ...]:
    """Return the test hosts."""
    return _rows([report.evaluation(one.key).hosts for one in report.ranked()])


def _rows(per_model: Iterable[tuple[SliceScore, ...]]) -> tuple[SliceRow, ...]:
    tables: list[Mapping[str, SliceScore]] = [
        {one.name: one for one in slices} for slices in per_model
    ]
    names = sorted({name for table in tables for name in table})
    return tuple(
        SliceRow(name=name, scores=tuple(table[name] for table in tables)) for name in names
    )
