"""Comparison of the models of one split: paired differences, Holm's correction, the choice.

Families of tests are declared before any number is seen: every configuration against
``elapsed_time``; every deep one against the simple model that id_val chose for its mode; and the
other simple ones against it. Holm's correction runs within each. What is compared is a
configuration (family, mode, context) with all of its seeds. Transductive ones are in
none of the families: no claim about a device rests on them.

Not here: the paired figures (``pairs``), the sentence for people (``headline``), pages
(``reporting``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec
import pyarrow as pa

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.choice import ModeChoice
from cis490_pipeline.evaluation.controls import ControlResult, controls_of
from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.evaluation.keys import FamilyRole, ModelKey
from cis490_pipeline.evaluation.on_id_val import choose_each_mode, id_val_score
from cis490_pipeline.evaluation.pairs import (
    Configuration,
    configurations,
    least_paired_p,
    paired_difference,
    paired_p,
    simple_pairs,
    time_pairs,
)
from cis490_pipeline.evaluation.permutation import holm
from cis490_pipeline.evaluation.predictions import (
    ID_VAL,
    TEST,
    Predictions,
    predictions_of,
    require_paired,
    rows_of,
)
from cis490_pipeline.evaluation.scores import ModelEvaluation, SliceScore, TestScope
from cis490_pipeline.evaluation.seeds import SeedSummary, seeds_interval

COMPARISON_VERSION: Final = 2


class DeclaredFamily(StrEnum):
    """A declared family of tests; the value says it to people."""

    AGAINST_TIME = "against elapsed_time"
    AGAINST_SIMPLE = "deep against the simple model chosen on id_val"
    AMONG_SIMPLE = "other simple ones against the simple model chosen on id_val"


class Verdict(StrEnum):
    """What interval and corrected p of a paired difference say together.

    The permutation p is exact for any number of episodes, where the interval is not (of equal
    models it tells 4 to 7 % apart, both together 2 to 6 %: ``benchmarks.coverage``), and its
    correction knows of the other models that were tried. The interval says how large the difference
    is, and with several seeds or six hosts also whether it would outlast them.
    """

    BETTER = "better"  # the whole interval lies above 0, and Holm's p is small enough
    WORSE = "worse"
    UNDECIDED = "undecided"  # neither


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Macro F1 of ``first`` minus that of ``second`` on the same episodes.

    Each key is that of its configuration's lowest seed; the figures are of all its seeds. ``p`` is
    the two-sided paired permutation p, ``p_holm`` the same after Holm's correction within
    ``tests``; None where there are fewer than two episodes. ``least_p`` is the smallest p that the
    episodes on which they differ could give, ``least_p_holm`` what Holm would have left of it, the
    other tests being as they are: above ``1 - level`` no difference could have been shown.
    """

    tests: DeclaredFamily
    first: ModelKey
    second: ModelKey
    first_seeds: tuple[int, ...]
    second_seeds: tuple[int, ...]
    difference: Interval
    verdict: Verdict
    p: float | None
    p_holm: float | None
    least_p: float | None
    least_p_holm: float | None

    @property
    def undecidable(self) -> bool:
        """Whether too few episodes differ for any verdict but undecided."""
        alpha = 1.0 - self.difference.level
        return self.least_p_holm is not None and self.least_p_holm > alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedModel:
    """One line of the table of models.

    ``n_tried`` is how many combinations of hyper-parameters the id_val score is the best of.
    """

    key: ModelKey
    role: FamilyRole
    bundle: str
    id_val_macro_f1: float | None
    n_tried: int
    macro_f1: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All models of a split on its test set, and what id_val chose.

    ``profiles`` names each profile of the label universe and whether it was tested;
    ``untested_phases`` have no window in the test set and are in no macro F1. ``recommended``
    and ``best_learned`` are those of the first mode that has any, realistic before oracle: no
    deployed detector has the oracle's channels.
    """

    format: str = "cis490.comparison"
    version: int = COMPARISON_VERSION
    split: str
    scope: TestScope
    profiles: tuple[SliceScore, ...]
    untested_phases: tuple[str, ...]
    models: tuple[ComparedModel, ...]
    differences: tuple[Difference, ...]
    choices: tuple[ModeChoice, ...]
    seeds: tuple[SeedSummary, ...]
    controls: tuple[ControlResult, ...]
    best_learned: ModelKey | None
    recommended: ModelKey | None
    bootstrap: BootstrapConfig

    def seeds_of(self, key: ModelKey) -> SeedSummary | None:
        """Return the summary of the key's configuration; None where it has one seed."""
        same = (key.family, key.mode, key.context)
        of_key = (one for one in self.seeds if (one.family, one.mode, one.context) == same)
        return next(of_key, None)

    def macro_f1_of(self, key: ModelKey) -> Interval:
        """Return macro F1 of the key's configuration: of its model, or the mean over its seeds."""
        summary = self.seeds_of(key)
        if summary is not None:
            return summary.macro_f1
        return next(one.macro_f1 for one in self.models if one.key == key)


def compare(
    evaluations: Sequence[ModelEvaluation],
    predictions: pa.Table,
    *,
    config: BootstrapConfig,
    n_tried: Mapping[ModelKey, int] | None = None,
) -> Comparison:
    """Compare the models of one split.

    Parameters
    ----------
    evaluations
        One per model, all of one split.
    predictions
        Rows of ``predictions`` of the split with roles ``id_val`` and ``test``; rows of other
        bundles than the evaluated ones are left out.
    n_tried
        Of the models that were searched, how many combinations were tried.

    Raises
    ------
    EvaluationError
        Where there is nothing to compare, a model comes twice, the evaluations are of several
        splits, or two models were scored on different windows.
    """
    ordered = sorted(evaluations, key=lambda one: one.key)
    _require_one_split(ordered)
    test = _read(ordered, predictions, TEST)
    id_val = _read(ordered, predictions, ID_VAL)
    scores = {key: id_val_score(found) for key, found in id_val.items()}
    tried = n_tried or {}
    keys = [one.key for one in ordered]
    choices = choose_each_mode(keys, id_val, tried=tried, config=config)
    tested = configurations(test)
    return Comparison(
        split=ordered[0].scope.split,
        scope=ordered[0].scope,
        profiles=ordered[0].profiles,
        untested_phases=tuple(one.phase for one in ordered[0].classes if not one.n_windows),
        models=tuple(_compared(one, scores, tried) for one in ordered),
        differences=_differences(tested, choices, config),
        choices=choices,
        seeds=tuple(_seed_summary(one, config) for one in tested.values() if len(one.seeds) > 1),
        controls=controls_of(ordered),
        best_learned=next((one.best_learned for one in choices if one.best_learned), None),
        recommended=next((one.recommended for one in choices if one.recommended), None),
        bootstrap=config,
    )


def _require_one_split(evaluations: Sequence[ModelEvaluation]) -> None:
    splits = sorted({one.scope.split for one in evaluations})
    keys = [one.key for one in evaluations]
    if len(splits) != 1 or len(set(keys)) != len(keys):
        raise EvaluationError(
            "these evaluations cannot be compared",
            expected="evaluations of one split, each model once",
            found=f"{len(keys)} evaluations of {len(set(keys))} models, splits {splits}",
            todo="evaluate the models of one split, one bundle for each",
        )


def _read(
    evaluations: Sequence[ModelEvaluation], table: pa.Table, role: str
) -> dict[ModelKey, Predictions]:
    """Read each model's rows; on id_val a model may have none, on the test set it may not."""
    found: dict[ModelKey, Predictions] = {}
    for one in evaluations:
        rows = rows_of(table, key=one.key, bundle=one.bundle, role=role)
        if rows.num_rows or role == TEST:
            found[one.key] = predictions_of(rows, key=one.key, role=role)
    for key, other in found.items():
        first = next(iter(found))
        require_paired(found[first], other, names=(first.label, key.label))
    return found


def _compared(
    one: ModelEvaluation,
    scores: Mapping[ModelKey, float | None],
    tried: Mapping[ModelKey, int],
) -> ComparedModel:
    return ComparedModel(
        key=one.key,
        role=one.key.role,
        bundle=one.bundle,
        id_val_macro_f1=scores.get(one.key),
        n_tried=tried.get(one.key, 1),
        macro_f1=one.macro_f1,
    )


def _differences(
    tested: Mapping[ModelKey, Configuration],
    choices: Sequence[ModeChoice],
    config: BootstrapConfig,
) -> tuple[Difference, ...]:
    """Test every declared family, each with its own correction."""
    simple = simple_pairs(tuple(tested), choices)
    families = {
        DeclaredFamily.AGAINST_TIME: time_pairs(tuple(tested)),
        DeclaredFamily.AGAINST_SIMPLE: [one for one in simple if one[0].role is FamilyRole.DEEP],
        DeclaredFamily.AMONG_SIMPLE: [one for one in simple if one[0].role is FamilyRole.SIMPLE],
    }
    return tuple(
        one
        for tests, pairs in families.items()
        for one in _with_holm(_difference(tests, tested[a], tested[b], config) for a, b in pairs)
    )


def _difference(
    tests: DeclaredFamily, first: Configuration, second: Configuration, config: BootstrapConfig
) -> Difference:
    interval = paired_difference(first, second, config)
    p = paired_p(first, second, config) if interval.point is not None else None
    return Difference(
        tests=tests,
        first=first.key,
        second=second.key,
        first_seeds=first.seeds,
        second_seeds=second.seeds,
        difference=interval,
        verdict=Verdict.UNDECIDED,
        p=p,
        p_holm=None,
        least_p=None if p is None else min(p, least_paired_p(first, second, config)),
        least_p_holm=None,
    )


def _verdict(interval: Interval, p_holm: float) -> Verdict:
    if interval.low is None or interval.high is None or p_holm > 1.0 - interval.level:
        return Verdict.UNDECIDED
    lows, highs = [interval.low], [interval.high]
    across = interval.across_hosts
    if across is not None and across.low is not None and across.high is not None:
        lows.append(across.low)
        highs.append(across.high)
    if min(lows) > 0:
        return Verdict.BETTER
    return Verdict.WORSE if max(highs) < 0 else Verdict.UNDECIDED


def _with_holm(family: Iterable[Difference]) -> tuple[Difference, ...]:
    """Correct the p-values of one declared family; only then is there a verdict."""
    differences = tuple(family)
    p_values = tuple(one.p for one in differences if one.p is not None)
    found: list[Difference] = []
    for one in differences:
        if one.p is None or one.least_p is None:
            found.append(one)
            continue
        place = sum(other.p is not None for other in found)
        at_best = (*p_values[:place], one.least_p, *p_values[place + 1 :])
        found.append(_judged(one, holm(p_values)[place], holm(at_best)[place]))
    return tuple(found)


def _judged(one: Difference, p_holm: float, least_p_holm: float) -> Difference:
    verdict = _verdict(one.difference, p_holm)
    return replace(one, p_holm=p_holm, least_p_holm=least_p_holm, verdict=verdict)


def _seed_summary(tested: Configuration, config: BootstrapConfig) -> SeedSummary:
    scores = [score for one in tested.found if (score := id_val_score(one)) is not None]
    key, size = tested.key, tested.found[0].size()
    return SeedSummary(
        family=key.family,
        mode=key.mode,
        context=key.context,
        seeds=tested.seeds,
        macro_f1=seeds_interval([tested.confusions()], config=config, size=size),
        lowest=min(scores, default=None),
        highest=max(scores, default=None),
    )


def comparison_to_json(comparison: Comparison) -> bytes:
    """Return the JSON form: keys in a fixed order, absent is null."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=1)
